import type { DuckDBConnection } from '@duckdb/node-api'
import type { TableSchema } from '@penstock/core'
import { columnsOf } from '../logical-types.ts'
import { quoteQualified, quoteText, rowsOf } from '../sql.ts'
import type { PlanTable } from './plan/planner.ts'
import type { TableName } from './plan/statement.ts'

/** Names that are the local database's: its catalog, and its schemas. No macro of the database takes part. */
export const localSchemas = async (
  connection: DuckDBConnection,
  catalog: string,
): Promise<readonly string[]> => {
  const rows = await rowsOf(
    connection,
    `SELECT schema_name FROM system.main.duckdb_schemas() WHERE database_name = ${quoteText(catalog)}`,
  )
  return [catalog, ...rows.flat().map(String)]
}

/**
 * Those of the names that are tables or views of the local database, with their columns. A name that is none of them is
 * a common table expression, or DuckDB will say that there is no such table.
 */
export const localTables = async (
  connection: DuckDBConnection,
  catalog: string,
  names: readonly TableName[],
): Promise<readonly PlanTable[]> => {
  const found = new Map<string, PlanTable>()
  for (const written of names) {
    const name = placeOf(written, catalog)
    if (!name || found.has(JSON.stringify(name))) continue
    const schema = await schemaOf(connection, name)
    if (schema) found.set(JSON.stringify(name), { name, schema })
  }
  return [...found.values()]
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** `table`, `schema.table`, `catalog.table` and `catalog.schema.table` all name a table of the local database. */
const placeOf = (written: TableName, catalog: string): PlanTable['name'] | undefined => {
  const { schema, table } = written
  if (written.catalog !== '') return same(written.catalog, catalog) ? [catalog, schema, table] : undefined
  if (schema === '' || same(schema, catalog)) return [catalog, 'main', table]
  return [catalog, schema, table]
}

const schemaOf = async (
  connection: DuckDBConnection,
  name: PlanTable['name'],
): Promise<TableSchema | undefined> => {
  try {
    return { columns: await columnsOf(connection, `FROM ${quoteQualified(...name)}`) }
  } catch {
    return undefined
  }
}
