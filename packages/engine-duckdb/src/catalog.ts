import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, type TableSchema } from '@penstock/core'
import { tableKey } from './bookkeeping.ts'
import { columnsOf } from './logical-types.ts'
import { firstRow, quoteQualified, quoteText, rowsOf } from './sql.ts'

/** Schema that tables are loaded into. */
export const targetSchema = 'main'

/** The table's qualified name: never a temporary table of the same name. */
export const qualifiedTable = (catalog: string, table: string): string =>
  quoteQualified(catalog, targetSchema, table)

/** A TEMP table's qualified name. */
export const qualifiedTemp = (table: string): string => quoteQualified('temp', 'main', table)

/** Tables of the database in name order, without the books and without views. */
export const selectTables = async (connection: DuckDBConnection): Promise<readonly string[]> => {
  const rows = await rowsOf(
    connection,
    `SELECT table_name FROM duckdb_tables()
     WHERE database_name = current_database() AND schema_name = ${quoteText(targetSchema)} AND NOT internal
     ORDER BY table_name`,
  )
  return rows.map(([name]) => String(name))
}

export type TableState = { readonly kind: 'table' | 'view'; readonly name: string } | undefined

/** What has this name, in the case in which it was made; undefined where there is nothing. */
export const findTable = async (connection: DuckDBConnection, table: string): Promise<TableState> => {
  const rows = await rowsOf(
    connection,
    `SELECT 'table', table_name FROM duckdb_tables()
     WHERE database_name = current_database() AND schema_name = ${quoteText(targetSchema)}
       AND (table_name = ${quoteText(table)} OR lower(table_name) = lower(${quoteText(table)}))
     UNION ALL
     SELECT 'view', view_name FROM duckdb_views()
     WHERE database_name = current_database() AND schema_name = ${quoteText(targetSchema)}
       AND (view_name = ${quoteText(table)} OR lower(view_name) = lower(${quoteText(table)}))`,
  )
  // lower() folds all of Unicode, DuckDB's catalog only ASCII.
  const found = rows.find(([, name]) => tableKey(String(name)) === tableKey(table))
  return found && { kind: found[0] as 'table' | 'view', name: String(found[1]) }
}

/** Throws `conflict` where the name belongs to a view, which no load replaces. */
export const findLoadTarget = async (
  connection: DuckDBConnection,
  table: string,
): Promise<string | undefined> => {
  const found = await findTable(connection, table)
  if (found?.kind === 'view')
    throw new ConnectorError('conflict', `"${table}" is a view; rows are loaded into tables alone.`, {
      code: 'TargetIsView',
      place: { table },
      hint: 'Choose another table name, or drop the view.',
    })
  return found?.name
}

/** Columns of a table or view, or undefined where there is none. */
export const describeTable = async (
  connection: DuckDBConnection,
  catalog: string,
  table: string,
): Promise<TableSchema | undefined> => {
  const found = await findTable(connection, table)
  if (!found) return undefined
  const columns = await columnsOf(connection, `FROM ${qualifiedTable(catalog, found.name)}`)
  const required = await rowsOf(
    connection,
    `SELECT column_name FROM duckdb_columns()
     WHERE database_name = current_database() AND schema_name = ${quoteText(targetSchema)}
       AND table_name = ${quoteText(found.name)} AND NOT is_nullable`,
  )
  const names = new Set(required.map(([name]) => String(name)))
  return { columns: columns.map((column) => ({ ...column, nullable: !names.has(column.name) })) }
}

/** Rows of a table. DuckDB answers from its statistics. */
export const countRows = async (connection: DuckDBConnection, qualified: string): Promise<number> =>
  Number((await firstRow(connection, `SELECT count(*) FROM ${qualified}`))?.[0] ?? 0)
