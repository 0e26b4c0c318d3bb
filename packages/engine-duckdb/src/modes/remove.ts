import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError } from '@penstock/core'
import { type Bookkeeping, tableKey } from '../bookkeeping.ts'
import { countRows, describeTable, findTable, qualifiedTable, qualifiedTemp } from '../catalog.ts'
import { rejectTableOf } from '../rejects.ts'
import { firstRow, quoteText } from '../sql.ts'
import { type ModeContext, sameColumn, targetOf } from './target.ts'

/** Column that tells which object a row came from. */
const fileLineage = '_file'

export interface RemoveContext extends ModeContext {
  readonly books: Bookkeeping
  /** TEMP table of the comparison with the listing; needed for `deleted`. */
  readonly comparisonTable: string | undefined
  readonly replaceChanged: boolean
  readonly removeDeleted: boolean
}

/** Throws `config` when the table can't tell which rows came from which object. */
export const requireFileColumn = async (
  connection: DuckDBConnection,
  options: { catalog: string; table: string; exists: boolean; lineage: readonly string[] },
): Promise<void> => {
  const columns = options.exists
    ? (await describeTable(connection, options.catalog, options.table))?.columns
    : undefined
  const present = columns ? columns.some(({ name }) => sameColumn(name, fileLineage)) : true
  if (present && options.lineage.includes(fileLineage)) return
  throw new ConnectorError(
    'config',
    present
      ? `Rows of changed or deleted objects can be removed only with the lineage column ${fileLineage}.`
      : `Table "${options.table}" has no column ${fileLineage}, so the rows of an object that changed or went can't be found in it.`,
    {
      code: 'NoFileColumn',
      place: { table: options.table, column: fileLineage },
      hint: `Load the table once with mode full and the lineage column ${fileLineage}.`,
    },
  )
}

/**
 * Deletes the rows, ledger rows and rejects of objects that are gone from the listing, and of former versions of
 * the objects that this load brings. Returns how many rows of the table went.
 */
export const removeObjects = async (context: RemoveContext): Promise<number> => {
  const { connection, books, stage, catalog, table } = context
  const sources: string[] = []
  if (context.removeDeleted && context.comparisonTable !== undefined)
    sources.push(`SELECT container, key, url FROM ${context.comparisonTable} WHERE kind = 'deleted'`)
  if (context.replaceChanged)
    sources.push(
      `SELECT ledger.container, ledger.key, ledger.url FROM ${books.ledger} AS ledger
       JOIN ${qualifiedTemp(stage.filesTable)} AS files
         ON files.container = ledger.container AND files.key = ledger.key
       WHERE ledger.table_name = ${quoteText(tableKey(table))}`,
    )
  if (sources.length === 0) return 0
  const gone = qualifiedTemp(`${stage.filesTable}_gone`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${gone} AS ${sources.join(' UNION ')}`)
  try {
    if ((await countRows(connection, gone)) === 0) return 0
    const removed = context.exists
      ? (
          await connection.run(
            `DELETE FROM ${targetOf(context)} WHERE "${fileLineage}" IN (SELECT url FROM ${gone})`,
          )
        ).rowsChanged
      : 0
    if (context.exists) await refuseUnknownRows(context, gone, removed)
    await connection.run(
      `DELETE FROM ${books.ledger} AS ledger WHERE table_name = ${quoteText(tableKey(table))}
         AND EXISTS (SELECT 1 FROM ${gone} AS gone
                     WHERE gone.container = ledger.container AND gone.key = ledger.key)`,
    )
    const rejects = await findTable(connection, rejectTableOf(table))
    if (rejects?.kind === 'table')
      await connection.run(
        `DELETE FROM ${qualifiedTable(catalog, rejects.name)} WHERE object IN (SELECT url FROM ${gone})`,
      )
    return removed
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${gone}`).catch(() => {})
  }
}

/** Rows that were loaded before the table had lineage can't be told apart: some of them belong to these objects. */
const refuseUnknownRows = async (context: RemoveContext, gone: string, removed: number): Promise<void> => {
  const { connection, books, table } = context
  const unknown = await firstRow(
    connection,
    `SELECT 1 FROM ${targetOf(context)} WHERE "${fileLineage}" IS NULL LIMIT 1`,
  )
  if (!unknown) return
  const expected = await firstRow(
    connection,
    `SELECT coalesce(sum(rows), 0)::BIGINT FROM ${books.ledger} AS ledger
     WHERE table_name = ${quoteText(tableKey(table))} AND EXISTS (
       SELECT 1 FROM ${gone} AS gone WHERE gone.container = ledger.container AND gone.key = ledger.key)`,
  )
  if (removed >= Number(expected?.[0])) return
  throw new ConnectorError(
    'config',
    `Rows of table "${table}" were loaded without the lineage column ${fileLineage}, so those of the objects that changed or went can't be found.`,
    {
      code: 'NoFileColumn',
      place: { table, column: fileLineage },
      hint: `Load the table once with mode full and the lineage column ${fileLineage}.`,
    },
  )
}
