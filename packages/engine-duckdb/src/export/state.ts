import type { DuckDBConnection } from '@duckdb/node-api'
import type { Bookkeeping } from '../bookkeeping.ts'
import { firstRow, quoteText } from '../sql.ts'

/** What an export keeps under its id; undefined where there is nothing. Books of an older Penstock have no such table. */
export const selectExportState = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  exportId: string,
): Promise<string | undefined> => {
  const known = await firstRow(
    connection,
    `SELECT 1 FROM duckdb_tables() WHERE database_name = current_database()
       AND schema_name = '_penstock' AND table_name = 'exports'`,
  )
  if (!known) return undefined
  const row = await firstRow(
    connection,
    `SELECT state FROM ${books.exports} WHERE export_id = ${quoteText(exportId)}`,
  )
  return row && String(row[0])
}

/** Keeps it, in a transaction that is on disk when this resolves. */
export const storeExportState = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  exportId: string,
  state: string | undefined,
): Promise<void> => {
  await connection.run('BEGIN')
  try {
    await connection.run(
      `CREATE TABLE IF NOT EXISTS ${books.exports} (
         export_id VARCHAR PRIMARY KEY, state VARCHAR NOT NULL, saved_at TIMESTAMP WITH TIME ZONE NOT NULL)`,
    )
    if (state === undefined)
      await connection.run(`DELETE FROM ${books.exports} WHERE export_id = $1`, [exportId])
    else
      await connection.run(`INSERT OR REPLACE INTO ${books.exports} VALUES ($1, $2, now())`, [
        exportId,
        state,
      ])
    await connection.run('COMMIT')
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {})
    throw error
  }
}
