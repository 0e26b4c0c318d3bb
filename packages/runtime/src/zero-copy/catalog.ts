import {
  type CatalogTable,
  type CatalogTableDetails,
  type CatalogTableSummary,
  type Connection,
  ConnectorError,
  connectionOfKind,
  type NamespaceSummary,
  nearest,
  type TableSchema,
  type TableVersion,
  type UseOptions,
  withContext,
} from '@penstock/core'
import { isShared, isSharedNamespace, requireShared } from '../query/shares.ts'
import { tableLabel } from './table-name.ts'

/** Whether the connection was given it: all, where its configuration names no shares. */
interface Shared {
  readonly shared: boolean
}

export type ListedNamespace = NamespaceSummary & Shared
export type ListedTable = CatalogTableSummary & Shared

/** Namespaces of a catalog. Throws for a connection of another kind, and for a missing permission. */
export const listNamespaces = async (
  connection: Connection,
  options: UseOptions = {},
): Promise<ListedNamespace[]> => {
  const { connector, config } = connectionOfKind(connection, 'zero-copy')
  const shares = connector.shares?.(config)
  return withContext(
    connection,
    async (context) => {
      const found: ListedNamespace[] = []
      for await (const listed of await connector.namespaces(context))
        found.push({
          ...listed,
          shared: isSharedNamespace(shares, listed.namespace),
        })
      return found
    },
    options,
  )
}

/** Tables of a namespace, or of all of them; of a connection with shares, those of its namespaces. */
export const listCatalogTables = async (
  connection: Connection,
  options: UseOptions & { readonly namespace?: readonly string[] | undefined } = {},
): Promise<ListedTable[]> => {
  const { namespace, ...use } = options
  const { connector, config } = connectionOfKind(connection, 'zero-copy')
  const shares = connector.shares?.(config)
  return withContext(
    connection,
    async (context) => {
      const namespaces = namespace ? [namespace] : shares?.map((share) => share.namespace)
      const found: ListedTable[] = []
      const add = async (place: readonly string[]): Promise<void> => {
        for await (const table of await connector.tables(context, { namespace: place }))
          found.push({ ...table, shared: isShared(shares, table) })
      }
      if (namespaces) for (const place of namespaces) await add(place)
      else for await (const listed of await connector.namespaces(context)) await add(listed.namespace)
      return found
    },
    use,
  )
}

export interface DescribedTable extends CatalogTable {
  readonly schema: TableSchema
  /** Absent where the connector tells none. */
  readonly details?: CatalogTableDetails
}

/** Schema, partitions and versions of a table. Throws `not-found` when there is no such table or version. */
export const describeTable = async (
  connection: Connection,
  table: CatalogTable,
  options: UseOptions & { readonly at?: TableVersion | undefined } = {},
): Promise<DescribedTable> => {
  const { at, ...use } = options
  const { connector, config, name: named } = connectionOfKind(connection, 'zero-copy')
  requireShared(connector, config, table, named ?? connector.name)
  if (at && !connector.capabilities.timeTravel)
    throw new ConnectorError('config', `Tables of ${connector.name} have no versions.`, {
      code: 'NoTimeTravel',
    })
  return withContext(
    connection,
    async (context) => {
      const open = await connector.open(context, table, { at })
      const details = await open.details?.({ signal: context.signal })
      return {
        namespace: open.namespace,
        name: open.name,
        schema: open.schema,
        ...(details === undefined ? {} : { details }),
      }
    },
    use,
  )
}

/** Checks that a namespace, and tables of it, are there. Throws `not-found` that names the nearest. */
export const requireTables = async (
  connection: Connection,
  namespace: readonly string[],
  names: readonly string[],
  options: UseOptions = {},
): Promise<readonly ListedTable[]> => {
  const listed = await listCatalogTables(connection, { ...options, namespace })
  return names.map((name) => {
    const table = listed.find((candidate) => candidate.name === name)
    if (table) return table
    const guess = nearest(
      name,
      listed.map((candidate) => candidate.name),
    )
    throw new ConnectorError(
      'not-found',
      `There is no table ${tableLabel({ namespace, name })} in the catalog.`,
      {
        code: 'NoSuchTable',
        hint: guess
          ? `Did you mean ${guess}?`
          : `Tables of ${namespace.join('.')}: ${listed.length}; see penstock tables.`,
      },
    )
  })
}
