import type { DuckDBConnection } from '@duckdb/node-api'
import { type Column, ConnectorError, describeType, sameType, type TableSchema } from '@penstock/core'
import { describeTable, qualifiedTable } from '../catalog.ts'
import { duckdbType } from '../logical-types.ts'
import { firstRow, quoteIdentifier } from '../sql.ts'
import { fits } from '../stage/lattice.ts'
import type { Stage } from '../stage/types.ts'
import { dropIndexes, indexesOf, recreateIndexes } from './belongings.ts'

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
export const stageOf = ({ catalog, stage }: ModeContext): string => qualifiedTable(catalog, stage.table)

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
 * types where the policy let the stage widen them. Indexes stand in the way of a type change, so they are made again.
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
  const indexes = await indexesOf(context)
  await dropIndexes(context, indexes)
  for (const { name, type } of retyped)
    await connection.run(
      `ALTER TABLE ${targetOf(context)} ALTER COLUMN ${quoteIdentifier(name)} SET DATA TYPE ${duckdbType(type)}`,
    )
  await recreateIndexes(context, indexes)
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
