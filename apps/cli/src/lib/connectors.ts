import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AnyConnector, ConnectorError, nearest } from '@penstock/core'
import { refuseConflicts } from './connector-conflicts.ts'
import { loadModule } from './connector-module.ts'
import { connectorPackages, findPackage, type InstalledPackage, mainFileOf } from './connector-packages.ts'

/** A connector that comes with the command line. Its code is loaded when it is used. */
export interface BuiltInConnector {
  readonly name: string
  readonly title: string
  /** First word of its commands, of actions. */
  readonly topic?: string
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
    topic: 's3',
    title: 'Amazon S3: upload, download, list, copy, sync and other actions',
    load: async () => (await import('@penstock/actions-s3')).default,
  },
  {
    name: 'zero-copy-glue',
    title: 'Iceberg and Hive tables in AWS Glue, S3 Tables and Iceberg REST, queried in place',
    load: async () => (await import('@penstock/zero-copy-glue')).default,
  },
]

/** What of the built-in connectors can be in conflict, without loading them. */
const builtInNames = builtInConnectors.map(({ name, topic }) => ({
  label: `the built-in ${name}`,
  connector: { name, ...(topic === undefined ? {} : { topic }) },
}))

const isPath = (reference: string): boolean => /^\.{0,2}\//.test(reference)
const isPackageName = (reference: string): boolean =>
  /^(@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*$/.test(reference)

/**
 * The connector that `connector:` of a project file names: a built-in one, a package from the project's node_modules or
 * from `penstock connectors install`, or a file of the project (`./connectors/issues.ts`). A package runs with the
 * rights of the user, like any dependency. One whose name or commands another one has is refused.
 */
export const loadConnector = async (reference: string, projectFolder: string): Promise<AnyConnector> => {
  const builtIn = builtInConnectors.find((connector) => connector.name === reference)
  if (builtIn) return builtIn.load()
  if (isPath(reference)) {
    const path = resolve(projectFolder, reference)
    if (existsSync(path)) return loadModule(path, reference)
    throw new ConnectorError('config', `There is no connector file ${path}.`, { code: 'NoSuchConnector' })
  }
  const found = isPackageName(reference) ? await findPackage(reference, projectFolder) : undefined
  if (!found) throw noSuchConnector(reference, projectFolder)
  const connector = await loadPackage(found)
  const others = (await connectorPackages(projectFolder)).filter(({ name }) => name !== reference)
  const loaded = await Promise.all(
    others.map(async (other) => ({
      label: other.name,
      // What is wrong with another package is no matter here.
      connector: await loadPackage(other).catch(() => undefined),
    })),
  )
  refuseConflicts({ label: reference, connector }, [...builtInNames, ...loaded])
  return connector
}

/** The connector of an installed package. */
export const loadPackage = async (found: InstalledPackage): Promise<AnyConnector> => {
  const path = mainFileOf(found)
  if (path !== undefined) return loadModule(path, found.name, found)
  throw new ConnectorError('config', `The package ${found.name} has nothing to import.`, {
    code: 'ConnectorBroken',
    hint: `It is in ${found.root}. Was it built?`,
  })
}

const noSuchConnector = (reference: string, folder: string): ConnectorError => {
  const names = builtInConnectors.map((connector) => connector.name)
  const guess = nearest(reference, names)
  const install = isPackageName(reference)
    ? ` A package has to be installed, in ${folder} (npm install ${reference}) or for all projects (penstock connectors install ${reference}).`
    : ''
  return new ConnectorError('config', `There is no connector "${reference}".`, {
    code: 'NoSuchConnector',
    hint: guess ? `Did you mean ${guess}?` : `Built in: ${names.join(', ')}.${install}`,
  })
}
