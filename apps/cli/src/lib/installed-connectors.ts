import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type AnyConnector, ConnectorError, type ErrorRecord, toConnectorError } from '@penstock/core'
import { errorRecord } from '@penstock/runtime'
import { builtInConnectors, loadConnector } from './connectors.ts'

/** Keyword in a package.json that says: this package is a connector. */
const connectorKeyword = 'penstock-connector'

/** A connector that a project can use. */
export interface KnownConnector {
  /** What `connector:` of a connection says: the name of a built-in one, or of a package. */
  readonly reference: string
  readonly origin: 'built-in' | 'installed'
  /** Version of the package. */
  readonly version: string
  /** The connector itself; absent for one that can't be used, which has an error. */
  readonly connector?: AnyConnector
  readonly error?: ErrorRecord
}

interface InstalledPackage {
  readonly name: string
  readonly version: string
}

/**
 * Connectors that come with the command line, and packages with the keyword `penstock-connector` in the node_modules of
 * the project and of the folders above it. Two with one name, and two sets of actions with one topic, which is the
 * first word of their commands, are errors of both that name the other.
 */
export const knownConnectors = async (
  folder: string,
  cli: { readonly version: string; readonly commandIds: readonly string[] },
): Promise<readonly KnownConnector[]> => {
  const builtIn = await Promise.all(
    builtInConnectors.map(async ({ name, load }) => ({
      reference: name,
      origin: 'built-in' as const,
      version: cli.version,
      connector: await load(),
    })),
  )
  const installed = await Promise.all(
    (await installedPackages(folder)).map(async ({ name, version }): Promise<KnownConnector> => {
      const base = { reference: name, origin: 'installed' as const, version }
      try {
        return { ...base, connector: await loadConnector(name, folder) }
      } catch (error) {
        return { ...base, error: errorRecord(toConnectorError(error)) }
      }
    }),
  )
  const all: readonly KnownConnector[] = [...builtIn, ...installed]
  return all.map((known) => {
    const error = conflictOf(known, all, cli.commandIds)
    return error ? { ...known, error: errorRecord(error) } : known
  })
}

/** A built-in connector stays usable: the one that came later has to give way. */
const conflictOf = (
  known: KnownConnector,
  all: readonly KnownConnector[],
  commandIds: readonly string[],
): ConnectorError | undefined => {
  const { connector } = known
  if (!connector || known.origin === 'built-in') return undefined
  const others = all.filter((other) => other !== known && other.connector !== undefined)
  const sameName = others.find((other) => other.connector?.name === connector.name)
  if (sameName)
    return conflict(`${known.reference} and ${nameOf(sameName)} are both called "${connector.name}".`)
  if (connector.kind !== 'actions') return undefined
  const { topic } = connector
  const sameTopic = others.find(
    (other) => other.connector?.kind === 'actions' && other.connector.topic === topic,
  )
  if (sameTopic)
    return conflict(`${known.reference} and ${nameOf(sameTopic)} both have the commands "${topic} ...".`)
  if (commandIds.some((id) => id === topic || id.startsWith(`${topic}:`)))
    return conflict(
      `${known.reference} has the commands "${topic} ...", and penstock has such a command itself.`,
    )
  return undefined
}

const conflict = (message: string): ConnectorError =>
  new ConnectorError('conflict', message, {
    code: 'ConnectorConflict',
    hint: 'Remove one of them, or ask its author for another name.',
  })

const nameOf = ({ origin, reference }: KnownConnector): string =>
  origin === 'built-in' ? `the built-in ${reference}` : reference

/** Packages with the keyword, the nearest of each name, as an import from the project would find them. */
const installedPackages = async (folder: string): Promise<readonly InstalledPackage[]> => {
  const found = new Map<string, InstalledPackage | undefined>()
  for (let current = folder; ; current = dirname(current)) {
    const modules = join(current, 'node_modules')
    for (const name of await packageNames(modules))
      if (!found.has(name)) found.set(name, await connectorPackage(modules, name))
    if (dirname(current) === current) break
  }
  return [...found.values()].filter((entry) => entry !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}

const packageNames = async (modules: string): Promise<readonly string[]> => {
  const names: string[] = []
  for (const name of await foldersIn(modules))
    if (name.startsWith('@'))
      for (const inner of await foldersIn(join(modules, name))) names.push(`${name}/${inner}`)
    else if (!name.startsWith('.')) names.push(name)
  return names
}

const foldersIn = (path: string): Promise<readonly string[]> => readdir(path).catch(() => [])

const connectorPackage = async (modules: string, name: string): Promise<InstalledPackage | undefined> => {
  try {
    const manifest = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')) as {
      version?: unknown
      keywords?: unknown
    }
    const isConnector = Array.isArray(manifest.keywords) && manifest.keywords.includes(connectorKeyword)
    return isConnector ? { name, version: String(manifest.version ?? '') } : undefined
  } catch {
    return undefined // no package: a file, a folder without a manifest
  }
}
