import { existsSync, realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AnyConnector, ConnectorError, connectorKinds } from '@penstock/core'
import { type AnyFixture, defineFixture } from '@penstock/testkit/conformance'

/** A connector package, with how it is tested. */
export interface ConnectorPackage {
  readonly name: string
  readonly version: string
  readonly fixture: AnyFixture
  /** Why only the definition can be checked; absent when there is a fixture. */
  readonly definitionOnly?: string
}

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly penstock?: { readonly harness?: unknown }
}

/** Finds and loads a package. Throws `not-found` where there is none, and `config` for a module of another shape. */
export const loadPackage = async (
  reference: string,
  options: { readonly cwd: string; readonly fixture?: string | undefined },
): Promise<ConnectorPackage> => {
  const folder = findFolder(reference, options.cwd)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
  const base = { name: manifest.name ?? reference, version: manifest.version ?? '0.0.0' }
  const path = fixturePath(folder, manifest, options)
  if (path !== undefined && existsSync(path)) return { ...base, fixture: await loadFixture(path) }
  // A package that is under development has to have what it names; an installed one need not ship its tests.
  if (path !== undefined && (options.fixture !== undefined || !isInstalled(folder)))
    throw new ConnectorError('not-found', `There is no fixture ${path}.`, {
      hint: 'Correct "penstock": { "harness": ... } in package.json, or give --fixture.',
    })
  return {
    ...base,
    fixture: defineFixture(await loadConnector(folder, base.name), () => definitionAlone as never),
    definitionOnly:
      path === undefined
        ? 'The package names no fixture ("penstock": { "harness": ... } in package.json).'
        : 'The package does not ship its fixture.',
  }
}

/** What the suites of all kinds can be built with; checks that need more are skipped. */
const definitionAlone = { config: {}, runs: [] }

const isInstalled = (folder: string): boolean => realpathSync(folder).split(sep).includes('node_modules')

const findFolder = (reference: string, cwd: string): string => {
  const folder = resolve(cwd, reference)
  if (existsSync(join(folder, 'package.json'))) return folder
  for (let current = cwd; ; current = dirname(current)) {
    const installed = join(current, 'node_modules', reference)
    if (existsSync(join(installed, 'package.json'))) return installed
    if (dirname(current) === current) break
  }
  throw new ConnectorError('not-found', `There is no package ${reference} here.`, {
    code: 'NoPackage',
    hint: `Install it (npm install ${reference}), or give the path of its folder.`,
  })
}

const fixturePath = (
  folder: string,
  { penstock }: Manifest,
  { cwd, fixture }: { readonly cwd: string; readonly fixture?: string | undefined },
): string | undefined => {
  if (fixture !== undefined) return resolve(cwd, fixture)
  const named = penstock?.harness
  if (named === undefined) return undefined
  if (typeof named === 'string') return join(folder, named)
  throw new ConnectorError('config', '"penstock": { "harness": ... } of package.json has to be a path.', {
    hint: 'For example "./test/fixture.ts".',
  })
}

const loadFixture = async (path: string): Promise<AnyFixture> => {
  const { default: fixture } = (await load(path)) as { default?: Partial<AnyFixture> }
  if (isConnector(fixture?.connector) && typeof fixture?.open === 'function') return fixture as AnyFixture
  throw new ConnectorError('config', `${path} exports no fixture by default.`, {
    hint: 'export default defineFixture(connector, () => ({ config: ... })), of @penstock/testkit/conformance.',
  })
}

/** The connector of a package: its default export, or the only connector that it exports. */
const loadConnector = async (folder: string, name: string): Promise<AnyConnector> => {
  const loaded = (await load(entryOf(folder, name))) as Readonly<Record<string, unknown>>
  const found = [...new Set([loaded.default, ...Object.values(loaded)])].filter(isConnector)
  const [connector] = found
  if (connector && (found.length === 1 || loaded.default === connector)) return connector
  throw new ConnectorError(
    'config',
    `${name} exports ${found.length === 0 ? 'no connector' : 'several connectors'}.`,
    {
      hint: 'Its default export has to be the connector.',
    },
  )
}

/** By its own name where it has exports, else where packages have their entry. */
const entryOf = (folder: string, name: string): string => {
  try {
    return createRequire(join(folder, 'package.json')).resolve(name)
  } catch {
    return usualEntry(folder, name)
  }
}

const usualEntry = (folder: string, name: string): string => {
  for (const path of ['src/index.ts', 'dist/index.js', 'index.js']) {
    const candidate = join(folder, path)
    if (statSync(candidate, { throwIfNoEntry: false })?.isFile()) return candidate
  }
  throw new ConnectorError('not-found', `${name} has no module that could be loaded.`, {
    hint: 'Build it first.',
  })
}

const load = async (path: string): Promise<unknown> => {
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    throw new ConnectorError('config', `${path} can't be loaded: ${(error as Error).message}`, {
      hint: 'Build it, and install what it imports. TypeScript can be loaded outside of node_modules alone.',
      cause: error,
    })
  }
}

const isConnector = (value: unknown): value is AnyConnector => {
  const { kind, name, config } = (value ?? {}) as Partial<AnyConnector>
  return connectorKinds.some((known) => known === kind) && typeof name === 'string' && config !== undefined
}
