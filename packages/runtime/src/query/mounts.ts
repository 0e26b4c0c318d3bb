import {
  type AnyZeroCopy,
  type Connection,
  type ConnectorContext,
  ConnectorError,
  type Mount,
  type TableVersion,
  type UseOptions,
  withContext,
} from '@penstock/core'
import { withPushdown } from './pushdown.ts'
import { requireShared } from './shares.ts'

export interface OpenMountsOptions extends UseOptions {
  /** Version at which the tables are read; the current one by default. */
  readonly at?: TableVersion | undefined
}

/** Mounts of connections in use. */
export interface OpenMounts {
  readonly mounts: readonly Mount[]
  /** Runs the clean-ups of the connections. */
  close(): Promise<void>
}

/** Opens the connections of a query; they stay in use until they are closed. */
export const openMounts = async (
  connections: readonly Connection<AnyZeroCopy>[],
  options: OpenMountsOptions = {},
): Promise<OpenMounts> => {
  const names = new Set<string>()
  for (const connection of connections) {
    const name = nameOf(connection)
    if (names.has(name.toLowerCase()))
      throw new ConnectorError('config', `Two connections of this query have the name "${name}".`, {
        hint: 'Name each connection once.',
      })
    names.add(name.toLowerCase())
  }
  const uses: Use[] = []
  const close = async () => {
    await Promise.all(uses.map((use) => use.end()))
  }
  try {
    for (const connection of connections) uses.push(await begin(connection, options))
  } catch (error) {
    await close()
    throw error
  }
  const mounts = uses.map(({ connection, context }) => mountOf(connection, context, options.at))
  return Object.freeze({ mounts, close })
}

const nameOf = ({ name, connector }: Connection): string => name ?? connector.name

interface Use {
  readonly connection: Connection<AnyZeroCopy>
  readonly context: ConnectorContext
  end(): Promise<void>
}

/** Keeps the context of a connection beyond a call. */
const begin = async (connection: Connection<AnyZeroCopy>, options: UseOptions): Promise<Use> => {
  const ready = Promise.withResolvers<ConnectorContext>()
  const ended = Promise.withResolvers<void>()
  const use = withContext(
    connection as Connection,
    async (context) => {
      ready.resolve(context)
      await ended.promise
    },
    options,
  )
  use.catch(ready.reject)
  const context = await ready.promise
  return {
    connection,
    context,
    end: async () => {
      ended.resolve()
      await use
    },
  }
}

const mountOf = (
  { connector, config, ...connection }: Connection<AnyZeroCopy>,
  context: ConnectorContext,
  at: TableVersion | undefined,
): Mount => {
  const name = connection.name ?? connector.name
  return Object.freeze({
    name,
    open: async (table, { kept }) => {
      requireShared(connector, config, table, name)
      if (at && !connector.capabilities.timeTravel)
        throw new ConnectorError('config', `Tables of ${connector.name} have no versions to go back to.`, {
          code: 'NoTimeTravel',
          hint: 'Leave --at away.',
        })
      const opened = await connector.open(context, table, { at, kept, scanFollows: true })
      return withPushdown(opened, connector.capabilities)
    },
  } satisfies Mount)
}
