import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

/** Folder of the reports in a package: one per entry point, committed. */
const reportFolder = 'api'

interface PackageExports {
  readonly name: string
  readonly exports?: Readonly<Record<string, unknown>>
}

/** Entry points that have types: `./conformance` is `conformance`, `.` is `index`. */
const typedEntries = ({ exports = {} }: PackageExports): readonly { name: string; types: string }[] =>
  Object.entries(exports).flatMap(([path, target]) => {
    const types =
      typeof target === 'object' && target !== null && 'types' in target ? target.types : undefined
    if (typeof types !== 'string') return []
    return [{ name: path === '.' ? 'index' : path.slice(2).replaceAll('/', '-'), types }]
  })

/**
 * What users of a package can name, as text: a report for each entry point, from the built declarations. `folder`: the
 * package, which has been built.
 */
const apiReports = (folder: string): ReadonlyMap<string, string> => {
  const manifest: PackageExports = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const output = mkdtempSync(join(tmpdir(), 'penstock-api-'))
  // The types of Node are a development dependency of the workspace, not of each package.
  const typeRoots = [resolve(createRequire(import.meta.url).resolve('@types/node/package.json'), '../..')]
  try {
    for (const { name, types } of typedEntries(manifest)) {
      const config = ExtractorConfig.prepare({
        packageJsonFullPath: join(folder, 'package.json'),
        configObjectFullPath: undefined,
        configObject: {
          projectFolder: folder,
          mainEntryPointFilePath: join(folder, types),
          compiler: {
            overrideTsconfig: {
              compilerOptions: {
                target: 'es2023',
                lib: ['es2024'],
                module: 'nodenext',
                moduleResolution: 'nodenext',
                strict: true,
                exactOptionalPropertyTypes: true,
                skipLibCheck: true,
                types: ['node'],
                typeRoots,
              },
              include: ['dist'],
            },
          },
          apiReport: {
            enabled: true,
            includeForgottenExports: true,
            reportFolder: output,
            reportTempFolder: output,
            reportFileName: name,
          },
          docModel: { enabled: false },
          dtsRollup: { enabled: false },
          tsdocMetadata: { enabled: false },
          newlineKind: 'lf',
        },
      })
      Extractor.invoke(config, {
        localBuild: true,
        messageCallback: (message) => {
          // Release tags and the like are not used here; what the compiler says of the types is.
          message.handled = message.category !== 'Compiler'
        },
      })
    }
    return new Map(
      readdirSync(output)
        .sort()
        .map((file) => [
          file,
          readFileSync(join(output, file), 'utf8').replaceAll(/^ *\/\/ \(undocumented\)\n/gm, ''),
        ]),
    )
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

const committedReports = (folder: string): ReadonlyMap<string, string> => {
  const reports = join(folder, reportFolder)
  if (!existsSync(reports)) return new Map()
  return new Map(readdirSync(reports).map((file) => [file, readFileSync(join(reports, file), 'utf8')]))
}

/** Writes the reports of a package anew, and removes those of entry points that are gone. */
export const writeApiReports = (folder: string): void => {
  const reports = apiReports(folder)
  rmSync(join(folder, reportFolder), { recursive: true, force: true })
  if (reports.size === 0) return
  mkdirSync(join(folder, reportFolder))
  for (const [file, text] of reports) writeFileSync(join(folder, reportFolder, file), text)
}

/** Says where a package's public API is no longer what was committed, and what to do about it. */
export const checkApiReports = (folder: string): string[] => {
  const [actual, committed] = [apiReports(folder), committedReports(folder)]
  return [...new Set([...actual.keys(), ...committed.keys()])]
    .filter((file) => actual.get(file) !== committed.get(file))
    .map((file) =>
      [
        `${reportFolder}/${file}: the public API is not the committed one${firstChange(committed.get(file), actual.get(file))}.`,
        '  If that is meant: run "pnpm api", commit the report, and add a changeset (major where it breaks users).',
      ].join('\n'),
    )
}

const firstChange = (before = '', after = ''): string => {
  const [was, is] = [before.split('\n'), after.split('\n')]
  const at = is.findIndex((line, index) => line !== was[index])
  const shown = (line: string | undefined) => (line === undefined ? 'nothing' : `"${line.trim()}"`)
  return at === -1 ? '' : `: line ${at + 1} was ${shown(was[at])}, is ${shown(is[at])}`
}
