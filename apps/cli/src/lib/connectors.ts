import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AnyConnector, ConnectorError, connectorKinds, nearest } from '@penstock/core'

/** A connector that comes with the command line. Its code is loaded when it is used. */
export interface BuiltInConnector {
  readonly name: string
  readonly title: string
  load(): Promise<AnyConnector>
}

export const builtInConnectors: readonly BuiltInConnector[] = [
  {
    name: 'source-s3',
    title: 'Amazon S3 and stores that speak its protocol',
    load: async () => (await import('@penstock/source-s3')).default,
  },
  {
    name: 'source-http',
    title: 'HTTP services with paged JSON',
    load: async () => (await import('@penstock/source-http')).default,
  },
  {
    name: 'destination-s3',
    title: 'Exports to Amazon S3 and stores that speak its protocol',
    load: async () => (await import('@penstock/destination-s3')).default,
  },
  {
    name: 'destination-postgres',
    title: 'Exports to PostgreSQL',
    load: async () => (await import('@penstock/destination-postgres')).default,
  },
  {
    name: 'actions-s3',
    title: 'Amazon S3: upload, download, list, copy, sync and other actions',
    load: async () => (await import('@penstock/actions-s3')).default,
  },
  {
    name: 'zero-copy-glue',
    title: 'Iceberg and Hive tables in AWS Glue, S3 Tables and Iceberg REST, queried in place',
    load: async () => (await import('@penstock/zero-copy-glue')).default,
  },
]

/** The one version of the contract that this release runs. */
const contractVersion = 1

/**
 * The connector that `connector:` of a project file names: a built-in one, a package from the project's node_modules,
 * or a file of the project (`./connectors/issues.ts`). A package runs with the rights of the user, like any
 * dependency.
 */
export const loadConnector = async (reference: string, projectFolder: string): Promise<AnyConnector> => {
  const builtIn = builtInConnectors.find((connector) => connector.name === reference)
  if (builtIn) return builtIn.load()
  const path = await locate(reference, projectFolder)
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    throw new ConnectorError('config', `The connector ${reference} can't be loaded: ${messageOf(error)}.`, {
      code: 'ConnectorBroken',
      cause: error,
    })
  }
  return checkContract(loaded.default, reference)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const locate = async (reference: string, folder: string): Promise<string> => {
  if (/^\.{0,2}\//.test(reference)) {
    const path = resolve(folder, reference)
    if (existsSync(path)) return path
    throw new ConnectorError('config', `There is no connector file ${path}.`, { code: 'NoSuchConnector' })
  }
  const isPackageName = /^(@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*$/.test(reference)
  const path = isPackageName ? await locatePackage(reference, folder) : undefined
  if (path) return path
  const names = builtInConnectors.map((connector) => connector.name)
  const guess = nearest(reference, names)
  const install = isPackageName ? ` A package has to be installed in ${folder}: npm install ${reference}` : ''
  throw new ConnectorError('config', `There is no connector "${reference}".`, {
    code: 'NoSuchConnector',
    hint: guess ? `Did you mean ${guess}?` : `Built in: ${names.join(', ')}.${install}`,
  })
}

/** Main file of an installed package, as an import from the project would find it. */
const locatePackage = async (name: string, folder: string): Promise<string | undefined> => {
  try {
    return createRequire(join(folder, 'package.json')).resolve(name)
  } catch (error) {
    // A package that exports itself to `import` alone can't be resolved as `require` does.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined
  }
  for (let current = folder; ; current = dirname(current)) {
    const root = join(current, 'node_modules', name)
    if (existsSync(join(root, 'package.json'))) {
      const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { exports?: unknown }
      const target = importTarget(manifest.exports)
      return target === undefined ? undefined : join(root, target)
    }
    if (dirname(current) === current) return undefined
  }
}

const importTarget = (exports: unknown): string | undefined => {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const map = exports as Record<string, unknown>
  for (const condition of ['.', 'node', 'import', 'default']) {
    const target = condition in map ? importTarget(map[condition]) : undefined
    if (target !== undefined) return target
  }
  return undefined
}

const checkContract = (value: unknown, reference: string): AnyConnector => {
  const connector = value as Partial<AnyConnector> | null | undefined
  if (typeof connector !== 'object' || connector === null || connector.kind === undefined)
    throw new ConnectorError('config', `${reference} exports no connector as its default.`, {
      code: 'ConnectorBroken',
      hint: 'Its main file has to end in: export default defineSource({ ... })',
    })
  if (connector.specificationVersion !== contractVersion)
    throw new ConnectorError(
      'config',
      `${reference} is written for version ${String(connector.specificationVersion)} of the connector contract; this penstock runs version ${contractVersion}.`,
      { code: 'ContractVersion', hint: 'Update penstock or the connector, whichever is older.' },
    )
  if ((connectorKinds as readonly unknown[]).includes(connector.kind)) return connector as AnyConnector
  throw new ConnectorError(
    'config',
    `${reference} is of the kind "${String(connector.kind)}", which this penstock does not know.`,
    { code: 'ConnectorBroken', hint: `Kinds: ${connectorKinds.join(', ')}.` },
  )
}
