import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, type LoadMode } from '@penstock/core'
import { type Bookkeeping, tableKey } from './bookkeeping.ts'
import { qualifiedTemp } from './catalog.ts'
import { firstRow, quoteText } from './sql.ts'

export interface LoadedFiles {
  readonly table: string
  readonly runId: string
  /** TEMP table of the files that were added. */
  readonly filesTable: string
  readonly mode: LoadMode
  /** Whether the table was there before: the ledger of one that was dropped is void. */
  readonly exists: boolean
}

/**
 * Writes a ledger row for every file of a load. The ledger holds exactly the object versions whose rows are in the
 * table; `current` marks the last loaded version of an object, which is what a listing is compared with.
 */
export const recordFiles = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  loaded: LoadedFiles,
): Promise<void> => {
  const key = quoteText(tableKey(loaded.table))
  const files = qualifiedTemp(loaded.filesTable)
  const sameObject = `table_name = ${key} AND EXISTS (
     SELECT 1 FROM ${files} AS files WHERE files.container = ledger.container AND files.key = ledger.key)`
  if (loaded.mode === 'full' || !loaded.exists)
    await connection.run(`DELETE FROM ${books.ledger} WHERE table_name = ${key}`)
  else {
    if (loaded.mode === 'delta') await refuseTwice(connection, books, loaded)
    // Merged rows of a former version are overwritten by key, so that its ledger row has nothing to stand for.
    await connection.run(
      loaded.mode === 'merge'
        ? `DELETE FROM ${books.ledger} AS ledger WHERE ${sameObject}`
        : `UPDATE ${books.ledger} AS ledger SET current = false WHERE current AND ${sameObject}`,
    )
  }
  await connection.run(
    `INSERT INTO ${books.ledger}
       (table_name, container, key, version, version_id, size, modified, url, rows, rejected, current, run_id, loaded_at)
     SELECT ${key}, container, key, version, version_id, size, modified, url, rows, rejected, true, $1, now()
     FROM ${files}`,
    [loaded.runId],
  )
  if (loaded.mode === 'full' || !loaded.exists) await dropCursor(connection, books, loaded.table)
}

/** The rows of an object version are appended once. */
const refuseTwice = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  loaded: LoadedFiles,
): Promise<void> => {
  const twice = await firstRow(
    connection,
    `SELECT files.url FROM ${qualifiedTemp(loaded.filesTable)} AS files
     JOIN ${books.ledger} AS ledger USING (container, key, version)
     WHERE ledger.table_name = ${quoteText(tableKey(loaded.table))} AND ledger.current LIMIT 1`,
  )
  if (twice)
    throw new ConnectorError(
      'conflict',
      `${String(twice[0])} is in table "${loaded.table}" already, in the same version.`,
      {
        code: 'LoadedTwice',
        place: { table: loaded.table, object: String(twice[0]) },
        hint: 'Load the table anew with mode full.',
      },
    )
}

/** A cursor tells up to where the former rows went; the new rows save their own. */
const dropCursor = async (connection: DuckDBConnection, books: Bookkeeping, table: string): Promise<void> => {
  await connection.run(`DELETE FROM ${books.cursors} WHERE table_name = ${quoteText(tableKey(table))}`)
}
