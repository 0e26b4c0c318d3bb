import { ConnectorError, describeType, sameType } from '@penstock/core'
import { countRows, describeTable } from '../catalog.ts'
import { insertFrom } from './append.ts'
import { belongingsOf, hasConstraints, restoreBelongings } from './belongings.ts'
import { type ModeContext, renameStage, sameColumn, stageOf, targetOf } from './target.ts'

/**
 * Replaces the table by the staged rows: the staging table takes its name. Indexes and comments are made again.
 * Two cases keep the table and replace its rows alone: a load without any column (no object, no header), and a table
 * that users gave constraints or defaults. Returns how many rows went.
 */
export const replaceTable = async (context: ModeContext): Promise<number> => {
  const { connection, exists, stage } = context
  const hasColumns = stage.schema().columns.length > 0
  if (!exists) {
    if (hasColumns) await renameStage(context)
    return 0
  }
  const before = await countRows(connection, targetOf(context))
  if (!hasColumns) {
    await connection.run(`DELETE FROM ${targetOf(context)}`)
    return before
  }
  if (await hasConstraints(context)) {
    await refuseOtherColumns(context)
    await connection.run(`DELETE FROM ${targetOf(context)}`)
    await insertFrom(context, stageOf(context))
    return before
  }
  const belongings = await belongingsOf(context)
  await connection.run(`DROP TABLE ${targetOf(context)}`)
  await renameStage(context)
  await restoreBelongings(context, belongings)
  return before
}

/** A table with constraints is a user's design: it is filled, not redesigned. */
const refuseOtherColumns = async (context: ModeContext): Promise<void> => {
  const { connection, catalog, table, stage } = context
  const existing = (await describeTable(connection, catalog, table))?.columns ?? []
  for (const column of stage.schema().columns) {
    const old = existing.find(({ name }) => sameColumn(name, column.name))
    if (old && sameType(old.type, column.type)) continue
    throw new ConnectorError(
      'conflict',
      old
        ? `Table "${table}" has constraints, and its column "${old.name}" is ${describeType(old.type)}, not ${describeType(column.type)}.`
        : `Table "${table}" has constraints, and no column "${column.name}".`,
      {
        code: 'ConstrainedTable',
        place: { table, column: column.name },
        hint: 'Fix the column types to those of the table, change the table, or drop it first.',
      },
    )
  }
}
