import { ConnectorError, findKeyColumn } from '@penstock/core'
import { countRows, qualifiedTable, qualifiedTemp } from '../catalog.ts'
import { firstRow, quoteIdentifier } from '../sql.ts'
import { insertFrom } from './append.ts'
import { evolveTarget, type ModeContext, renameStage, stageOf } from './target.ts'

const fileColumn = quoteIdentifier('__file')

/**
 * Upserts the staged rows by key. Among the rows of this load the newest object wins (last modified, then key
 * order), in it the last row; a row of this load wins over one that is in the table. Returns how many rows were
 * merged over: `rows before + rows loaded - merged over = rows after`.
 */
export const mergeRows = async (context: ModeContext, key: readonly string[]): Promise<number> => {
  const { connection, exists, stage, catalog } = context
  const { columns } = stage.schema()
  const staged = stageOf(context)
  if (columns.length === 0) return 0
  const keyNames = key.map((name) => quoteIdentifier(findKeyColumn(context.table, columns, name).name))
  await refuseNullKeys(context, key, keyNames)

  const before = await countRows(connection, staged)
  await dropDuplicates(context, keyNames)
  const winners = await countRows(connection, staged)
  if (!exists) {
    await renameStage(context)
    return before - winners
  }
  await evolveTarget(context)
  const existing = qualifiedTable(catalog, context.table)
  const deleted = await connection.run(
    `DELETE FROM ${existing} AS existing WHERE EXISTS (
       SELECT 1 FROM ${staged} AS incoming
       WHERE ${keyNames.map((name) => `incoming.${name} = existing.${name}`).join(' AND ')})`,
  )
  await insertFrom(context, staged)
  return before - winners + deleted.rowsChanged
}

/** Deletes the staged rows that a later one of the same key replaces. Most loads have none: one aggregate tells. */
const dropDuplicates = async (context: ModeContext, keyNames: readonly string[]): Promise<void> => {
  const { connection, stage } = context
  const staged = stageOf(context)
  const names = keyNames.join(', ')
  const duplicate = await firstRow(
    connection,
    `SELECT 1 FROM ${staged} GROUP BY ${names} HAVING count(*) > 1 LIMIT 1`,
  )
  if (!duplicate) return
  const rowNumber = stage.hiddenColumns.includes('__row')
    ? `staged.${quoteIdentifier('__row')}`
    : 'staged.rowid'
  await connection.run(
    `DELETE FROM ${staged} WHERE rowid IN (
       SELECT staged.rowid FROM ${staged} AS staged
       LEFT JOIN ${qualifiedTemp(stage.filesTable)} AS files ON files.ordinal = staged.${fileColumn}
       QUALIFY row_number() OVER (
         PARTITION BY ${keyNames.map((name) => `staged.${name}`).join(', ')}
         ORDER BY files.modified DESC NULLS LAST, staged.${fileColumn} DESC, ${rowNumber} DESC) > 1)`,
  )
}

const refuseNullKeys = async (
  context: ModeContext,
  key: readonly string[],
  keyNames: readonly string[],
): Promise<void> => {
  const { connection, stage, table } = context
  const nulls = await firstRow(
    connection,
    `SELECT count(*), min(files.url), ${keyNames.map((name) => `count(staged.${name}) < count(*)`).join(', ')}
     FROM ${stageOf(context)} AS staged
     LEFT JOIN ${qualifiedTemp(stage.filesTable)} AS files ON files.ordinal = staged.${fileColumn}
     WHERE ${keyNames.map((name) => `staged.${name} IS NULL`).join(' OR ')}`,
  )
  const [count, url, ...isNull] = nulls ?? []
  if (!Number(count)) return
  const column = key[isNull.indexOf(true)] ?? key[0]
  throw new ConnectorError(
    'data',
    `${Number(count)} row(s) for table "${table}" have no key: "${column}" is empty${url ? `, first in ${String(url)}` : ''}.`,
    {
      code: 'NullKey',
      place: { table, ...(column !== undefined && { column }), ...(url ? { object: String(url) } : {}) },
      hint: 'Merge by columns that every row has, or load with mode delta.',
    },
  )
}
