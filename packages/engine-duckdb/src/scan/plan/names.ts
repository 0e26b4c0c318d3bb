import { type CatalogTable, ConnectorError, type Mount, nearest } from '@penstock/core'
import type { TableName } from './statement.ts'

/** A table of a mount that a statement names. */
export interface MountedName extends CatalogTable {
  readonly mount: Mount
  /** As the statement writes it: what DuckDB has to find. The catalog is empty in `namespace.table`. */
  readonly written: TableName
}

export interface ResolvedNames {
  readonly mounted: readonly MountedName[]
  /** Names that belong to the local database, or to nothing. */
  readonly local: readonly TableName[]
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/**
 * Tells tables of the mounts from local ones: `connection.namespace.table`, and `namespace.table` where one connection
 * is mounted. The levels of a nested namespace are written in one quoted name: `"a.b".table`.
 *
 * Throws `config` for a name that several connections could have.
 */
export const resolveNames = (
  names: readonly TableName[],
  mounts: readonly Mount[],
  /** Schemas and catalogs that the local database has, `main` among them. */
  localSchemas: readonly string[],
): ResolvedNames => {
  const mounted = new Map<string, MountedName>()
  const local: TableName[] = []
  for (const written of names) {
    const mount = mountOf(written, mounts, localSchemas)
    if (!mount) {
      local.push(written)
      continue
    }
    const key = JSON.stringify(
      [written.catalog, written.schema, written.table].map((part) => part.toLowerCase()),
    )
    if (!mounted.has(key))
      mounted.set(key, { mount, namespace: written.schema.split('.'), name: written.table, written })
  }
  return { mounted: [...mounted.values()], local }
}

const systemSchemas = ['information_schema', 'pg_catalog', 'main', 'temp', 'system']

const mountOf = (
  { catalog, schema, table }: TableName,
  mounts: readonly Mount[],
  localSchemas: readonly string[],
): Mount | undefined => {
  if (schema === '') return undefined
  if (catalog !== '') {
    const named = mounts.find((mount) => same(mount.name, catalog))
    if (named || [...localSchemas, ...systemSchemas].some((known) => same(known, catalog))) return named
    const names = mounts.map((mount) => mount.name)
    const guess = nearest(catalog, names)
    throw new ConnectorError('not-found', `There is no connection "${catalog}" in this query.`, {
      code: 'NoSuchMount',
      hint: guess ? `Did you mean ${guess}?` : `Mounted: ${names.join(', ')}. Name others with --connection.`,
      place: { table: [catalog, schema, table].join('.') },
    })
  }
  if ([...localSchemas, ...systemSchemas].some((known) => same(known, schema))) return undefined
  const [first, second] = mounts
  if (!second) return first
  throw new ConnectorError('config', `${schema}.${table} does not tell its connection.`, {
    code: 'AmbiguousTable',
    hint: `Write connection.namespace.table, for example ${mounts[0]?.name}.${schema}.${table}.`,
    place: { table: `${schema}.${table}` },
  })
}
