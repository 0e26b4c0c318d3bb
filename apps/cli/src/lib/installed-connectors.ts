import { type AnyConnector, type ErrorRecord, toConnectorError } from '@penstock/core'
import { errorRecord } from '@penstock/runtime'
import { type Claimant, conflictOf } from './connector-conflicts.ts'
import { connectorPackages, type InstalledPackage } from './connector-packages.ts'
import { builtInConnectors, loadPackage } from './connectors.ts'

/** A connector that a project can use. */
export interface KnownConnector {
  /** What `connector:` of a connection says: the name of a built-in one, or of a package. */
  readonly reference: string
  /** `installed`: in the project's node_modules. `user`: by `penstock connectors install`. */
  readonly origin: 'built-in' | 'installed' | 'user'
  /** Version of the package. */
  readonly version: string
  /** The connector itself; absent for one that can't be used, which has an error. */
  readonly connector?: AnyConnector
  readonly error?: ErrorRecord
}

/**
 * Connectors that come with the command line, and packages with the keyword `penstock-connector` in the node_modules of
 * the project, of the folders above it, and of this user. Two with one name, and two sets of actions with one topic,
 * which is the first word of their commands, are errors of both that name the other.
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
  const installed = await Promise.all((await connectorPackages(folder)).map(knownPackage))
  const all: readonly KnownConnector[] = [...builtIn, ...installed]
  // A built-in connector stays usable: the one that came later has to give way.
  return all.map((known) => {
    if (known.origin === 'built-in') return known
    const others = all.filter((other) => other !== known).map(claimantOf)
    const error = conflictOf(claimantOf(known), others, cli.commandIds)
    return error ? { ...known, error: errorRecord(error) } : known
  })
}

const knownPackage = async (found: InstalledPackage): Promise<KnownConnector> => {
  const origin = found.place === 'user' ? 'user' : 'installed'
  const base = { reference: found.name, origin, version: found.version } as const
  try {
    return { ...base, connector: await loadPackage(found) }
  } catch (error) {
    return { ...base, error: errorRecord(toConnectorError(error)) }
  }
}

const claimantOf = ({ origin, reference, connector }: KnownConnector): Claimant => ({
  label: origin === 'built-in' ? `the built-in ${reference}` : reference,
  connector: connector && {
    name: connector.name,
    ...(connector.kind === 'actions' ? { topic: connector.topic } : {}),
  },
})
