import { columnList, evolveTarget, type ModeContext, renameStage, stageOf, targetOf } from './target.ts'

/** Appends the staged rows, by column name. */
export const appendRows = async (context: ModeContext): Promise<void> => {
  const { exists, stage } = context
  if (stage.schema().columns.length === 0) return
  if (!exists) return renameStage(context)
  await evolveTarget(context)
  await insertFrom(context, stageOf(context))
}

/** Inserts the user columns of staged rows into the existing table, by name; the table's other columns become null. */
export const insertFrom = async (context: ModeContext, source: string): Promise<void> => {
  const columns = columnList(context.stage.schema())
  await context.connection.run(
    `INSERT INTO ${targetOf(context)} (${columns}) SELECT ${columns} FROM ${source}`,
  )
}
