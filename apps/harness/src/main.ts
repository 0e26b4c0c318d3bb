import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { columnsOf, errorLines, exitCodes, failureOf, styleFor } from '@penstock/command-kit'
import { type Arguments, helpText, readArguments } from './arguments.ts'
import { loadPackage } from './package.ts'
import { badgeSvg } from './report/badge.ts'
import { scorecardHtml } from './report/html.ts'
import { headLines, resultLines, summaryLines } from './report/terminal.ts'
import { type PackageScore, scorePackage } from './score.ts'

type Output = Writable & { readonly columns?: number | undefined }

/** The parts of a process that a run of the harness uses. */
export interface Surroundings {
  readonly stdout: Output
  readonly stderr: Output
  cwd(): string
  once(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** Widest line of the report, in columns. */
const widest = 100

/** Runs the harness. Resolves to the exit code: 0, that of `data` when a check failed, else that of the error. */
export const main = async (argv: readonly string[], surroundings: Surroundings): Promise<number> => {
  const { stdout, stderr } = surroundings
  const controller = new AbortController()
  const stop = () => controller.abort()
  surroundings.once('SIGINT', stop)
  surroundings.once('SIGTERM', stop)
  try {
    const given = readArguments(argv)
    if (given.help) return print(stdout, [helpText])
    if (given.version) return print(stdout, [await ownVersion()])
    const scores: PackageScore[] = []
    for (const reference of given.packages)
      scores.push(await scoreOne(reference, given, surroundings, controller.signal))
    if (given.json) print(stdout, [JSON.stringify(scores, undefined, 2)])
    return scores.some(({ failed }) => failed > 0) ? exitCodes.data : 0
  } catch (error) {
    const failure = failureOf(error, controller.signal)
    print(stderr, errorLines(failure, styleFor(stderr), { width: columnsOf(stderr) }))
    return exitCodes[failure.kind]
  }
}

const scoreOne = async (
  reference: string,
  { fixture, only, out, json }: Arguments,
  { stdout, cwd }: Surroundings,
  signal: AbortSignal,
): Promise<PackageScore> => {
  const style = styleFor(stdout)
  const width = Math.min(columnsOf(stdout), widest)
  const say = (lines: readonly string[]) => void (json || print(stdout, lines))
  const found = await loadPackage(reference, { cwd: cwd(), fixture })
  say(headLines(found, style))
  const onResult: Parameters<typeof scorePackage>[1]['onResult'] = (result) =>
    say(resultLines(result, style, width))
  const score = await scorePackage(found, { only, signal, onResult })
  say(summaryLines(score, style))
  if (out !== undefined) say([`Written: ${(await writeReports(resolve(cwd(), out), score)).join(', ')}`, ''])
  return score
}

const print = (stream: Writable, lines: readonly string[]): number => {
  stream.write(`${lines.join('\n')}\n`)
  return 0
}

/** Writes the scorecard in all forms, under the name of the connector. */
const writeReports = async (folder: string, score: PackageScore): Promise<string[]> => {
  await mkdir(folder, { recursive: true })
  const reports = {
    json: `${JSON.stringify(score, undefined, 2)}\n`,
    html: scorecardHtml(score),
    svg: badgeSvg(score),
  }
  const name = score.connector.replace(/[^a-z0-9.-]+/gi, '-')
  const files: string[] = []
  for (const [extension, text] of Object.entries(reports)) {
    const path = join(folder, `${name}.${extension}`)
    await writeFile(path, text)
    files.push(path)
  }
  return files
}

const ownVersion = async (): Promise<string> => {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
