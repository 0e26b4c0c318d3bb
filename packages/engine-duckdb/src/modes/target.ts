import type { DuckDBConnection } from '@duckdb/node-api'
import { type Column, ConnectorError, describeType, sameType, type TableSchema } from '@penstock/core'
import { describeTable, qualifiedTable } from '../catalog.ts'
import { duckdbType } from '../logical-types.ts'
import { firstRow, quoteIdentifier } from '../sql.ts'
import { fits } from '../stage/lattice.ts'
import type { Stage } from '../stage/types.ts'
import { belongingsOf, hasConstraints, indexesOf, restoreBelongings } from './belongings.ts'

/** What a mode needs to move staged rows into their table. Everything happens in the caller's transaction. */
export interface ModeContext {
  readonly connection: DuckDBConnection
  readonly catalog: string
  /** Table that is loaded; in the existing table's case where there is one. */
  readonly table: string
  /** True where the table is there already. */
  readonly exists: boolean
  readonly stage: Stage
}

export const targetOf = ({ catalog, table }: ModeContext): string => qualifiedTable(catalog, table)
export const stageOf = ({ stage }: ModeContext): string => stage.table

/** Quoted, comma-separated names of the staged user columns. */
export const columnList = (schema: TableSchema, alias?: string): string =>
  schema.columns
    .map(({ name }) => `${alias === undefined ? '' : `${alias}.`}${quoteIdentifier(name)}`)
    .join(', ')

export const sameColumn = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The staging table becomes the table: no row is copied. */
export const renameStage = async (context: ModeContext): Promise<void> => {
  const { connection, stage, table } = context
  for (const column of stage.hiddenColumns)
    await connection.run(`ALTER TABLE ${stageOf(context)} DROP COLUMN ${quoteIdentifier(column)}`)
  await connection.run(`ALTER TABLE ${stageOf(context)} RENAME TO ${quoteIdentifier(table)}`)
}

/**
 * Gives an existing table the columns and types of the staged rows: adds columns (null in old rows), and widens
 * types where the policy let the stage widen them.
 */
export const evolveTarget = async (context: ModeContext): Promise<void> => {
  const { connection, catalog, table, stage } = context
  const existing = (await describeTable(connection, catalog, table))?.columns ?? []
  const added: Column[] = []
  const retyped: Column[] = []
  for (const column of stage.schema().columns) {
    const old = existing.find(({ name }) => sameColumn(name, column.name))
    if (!old) added.push(column)
    else if (sameType(old.type, column.type) || fits(column.type, old.type)) continue
    else if (fits(old.type, column.type) || (await isAllNull(context, old.name)))
      retyped.push({ ...column, name: old.name })
    else throw unfit(table, old, column)
  }
  for (const { name, type } of added)
    await connection.run(
      `ALTER TABLE ${targetOf(context)} ADD COLUMN ${quoteIdentifier(name)} ${duckdbType(type)}`,
    )
  if (retyped.length === 0) return
  if ((await indexesOf(context)).length > 0) return rebuildTarget(context, retyped)
  for (const { name, type } of retyped)
    await connection.run(
      `ALTER TABLE ${targetOf(context)} ALTER COLUMN ${quoteIdentifier(name)} SET DATA TYPE ${duckdbType(type)}`,
    )
}

/** DuckDB changes no type in a table with an index, also when the index is dropped in the same transaction. */
const rebuildTarget = async (context: ModeContext, retyped: readonly Column[]): Promise<void> => {
  const { connection, catalog, table } = context
  const casts = retyped.map(({ name, type }) => {
    const column = quoteIdentifier(name)
    return `CAST(${column} AS ${duckdbType(type)}) AS ${column}`
  })
  if (await hasConstraints(context))
    throw new ConnectorError(
      'conflict',
      `Column "${retyped[0]?.name}" of table "${table}" can't become ${describeType((retyped[0] as Column).type)}: the table has constraints and indexes.`,
      {
        code: 'DependentObject',
        place: { table },
        hint: 'Drop the indexes, or change the type of the column by hand.',
      },
    )
  const belongings = await belongingsOf(context)
  const rebuilt = qualifiedTable(catalog, `${table}__rebuilt`)
  await connection.run(
    `CREATE TABLE ${rebuilt} AS SELECT * REPLACE (${casts.join(', ')}) FROM ${targetOf(context)}`,
  )
  await connection.run(`DROP TABLE ${targetOf(context)}`)
  await connection.run(`ALTER TABLE ${rebuilt} RENAME TO ${quoteIdentifier(table)}`)
  await restoreBelongings(context, belongings)
}

const isAllNull = async (context: ModeContext, column: string): Promise<boolean> => {
  const row = await firstRow(
    context.connection,
    `SELECT 1 FROM ${targetOf(context)} WHERE ${quoteIdentifier(column)} IS NOT NULL LIMIT 1`,
  )
  return row === undefined
}

const unfit = (table: string, old: Column, column: Column): ConnectorError =>
  new ConnectorError(
    'data',
    `Column "${old.name}" of table "${table}" is ${describeType(old.type)}; the new rows have ${describeType(column.type)}, which does not fit.`,
    {
      code: 'ColumnType',
      place: { table, column: old.name },
      hint: 'Load the table anew with mode full, or fix the type of the column.',
    },
  )
