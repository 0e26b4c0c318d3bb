import { ConnectorError } from '@penstock/core'
import { targetSchema } from '../catalog.ts'
import { firstRow, quoteIdentifier, quoteText, rowsOf } from '../sql.ts'
import { type ModeContext, sameColumn, targetOf } from './target.ts'

interface Index {
  readonly name: string
  readonly sql: string
}

/** What users added to a table, and a table that replaces it is to have again. */
export interface Belongings {
  readonly indexes: readonly Index[]
  readonly comment: string | undefined
  readonly columnComments: readonly (readonly [column: string, comment: string])[]
}

const ofTable = (context: ModeContext): string =>
  `database_name = current_database() AND schema_name = ${quoteText(targetSchema)} AND table_name = ${quoteText(context.table)}`

/** Indexes made with CREATE INDEX, as the SQL that makes them again. */
export const indexesOf = async (context: ModeContext): Promise<readonly Index[]> => {
  const rows = await rowsOf(
    context.connection,
    `SELECT index_name, sql FROM duckdb_indexes() WHERE ${ofTable(context)} AND sql IS NOT NULL`,
  )
  return rows.map(([name, sql]) => ({ name: String(name), sql: String(sql) }))
}

export const belongingsOf = async (context: ModeContext): Promise<Belongings> => {
  const comment = await firstRow(
    context.connection,
    `SELECT comment FROM duckdb_tables() WHERE ${ofTable(context)} AND comment IS NOT NULL`,
  )
  const columns = await rowsOf(
    context.connection,
    `SELECT column_name, comment FROM duckdb_columns() WHERE ${ofTable(context)} AND comment IS NOT NULL`,
  )
  return {
    indexes: await indexesOf(context),
    comment: comment && String(comment[0]),
    columnComments: columns.map(([name, text]) => [String(name), String(text)] as const),
  }
}

/** Whether users gave the table keys, checks, NOT NULL or defaults, which a table made from files does not have. */
export const hasConstraints = async (context: ModeContext): Promise<boolean> => {
  const row = await firstRow(
    context.connection,
    `SELECT 1 FROM duckdb_constraints() WHERE ${ofTable(context)}
     UNION ALL SELECT 1 FROM duckdb_columns() WHERE ${ofTable(context)} AND column_default IS NOT NULL LIMIT 1`,
  )
  return row !== undefined
}

const recreateIndexes = async (context: ModeContext, indexes: readonly Index[]): Promise<void> => {
  for (const { name, sql } of indexes)
    try {
      await context.connection.run(sql)
    } catch (error) {
      throw new ConnectorError(
        'conflict',
        `Index "${name}" of table "${context.table}" can't be made on the new rows: ${(error as Error).message}`,
        {
          code: 'DependentObject',
          place: { table: context.table },
          hint: `Drop the index "${name}", or correct the data.`,
          cause: error,
        },
      )
    }
}

/** Gives the table that took another's place what belonged to that one. Comments of columns that are gone go too. */
export const restoreBelongings = async (context: ModeContext, belongings: Belongings): Promise<void> => {
  const { connection, stage } = context
  await recreateIndexes(context, belongings.indexes)
  if (belongings.comment !== undefined)
    await connection.run(`COMMENT ON TABLE ${targetOf(context)} IS ${quoteText(belongings.comment)}`)
  for (const [column, comment] of belongings.columnComments)
    if (stage.schema().columns.some(({ name }) => sameColumn(name, column)))
      await connection.run(
        `COMMENT ON COLUMN ${targetOf(context)}.${quoteIdentifier(column)} IS ${quoteText(comment)}`,
      )
}
