import { countRows } from '../catalog.ts'
import { indexesOf, type ModeContext, recreateIndexes, renameStage, targetOf } from './target.ts'

/**
 * Replaces the table by the staged rows. A load that brought no column (no object, no header) empties the table and
 * keeps its columns. User-made indexes are made again. Returns how many rows went.
 */
export const replaceTable = async (context: ModeContext): Promise<number> => {
  const { connection, exists, stage } = context
  const hasColumns = stage.schema().columns.length > 0
  const before = exists ? await countRows(connection, targetOf(context)) : 0
  if (!hasColumns) {
    if (exists) await connection.run(`DELETE FROM ${targetOf(context)}`)
    return before
  }
  const indexes = exists ? await indexesOf(context) : []
  if (exists) await connection.run(`DROP TABLE ${targetOf(context)}`)
  await renameStage(context)
  await recreateIndexes(context, indexes)
  return before
}
