import { ConnectorError } from '@penstock/core'
import { describeTable, findLoadTarget, qualifiedTable, qualifiedTemp } from './catalog.ts'
import type { ModeContext } from './modes/target.ts'

/** Name of the table that holds the rejected rows of a table. */
export const rejectTableOf = (table: string): string => `${table}__rejects`

const columns = ['run_id', 'object', 'line', 'byte_offset', 'column_name', 'raw', 'reason', 'rejected_at']
const types = [
  'VARCHAR',
  'VARCHAR',
  'BIGINT',
  'BIGINT',
  'VARCHAR',
  'VARCHAR',
  'VARCHAR',
  'TIMESTAMP WITH TIME ZONE',
]

/**
 * Moves the rejected rows of this load into the reject table; a full load replaces what was in it, so that it tells
 * what is missing from the table as it is. Returns its name when this load rejected rows.
 */
export const storeRejects = async (
  context: ModeContext,
  options: { runId: string; replace: boolean },
): Promise<string | undefined> => {
  const { connection, catalog, table, stage } = context
  const source = stage.rejectsTable()
  const name = rejectTableOf(table)
  const existing = await findLoadTarget(connection, name)
  if (existing !== undefined) {
    const isOurs = await hasRejectColumns(context, existing)
    if (!isOurs && source !== undefined)
      throw new ConnectorError(
        'conflict',
        `Rejected rows of "${table}" go to table "${existing}", but that one has other columns.`,
        { code: 'RejectTable', place: { table: existing }, hint: `Rename or drop the table "${existing}".` },
      )
    if (isOurs && options.replace) await connection.run(`DELETE FROM ${qualifiedTable(catalog, existing)}`)
  }
  if (source === undefined) return undefined
  const target = qualifiedTable(catalog, existing ?? name)
  if (existing === undefined)
    await connection.run(
      `CREATE TABLE ${target} (${columns.map((column, index) => `${column} ${types[index]}`).join(', ')})`,
    )
  const carried = columns.filter((column) => column !== 'run_id' && column !== 'rejected_at')
  await connection.run(
    `INSERT INTO ${target} (run_id, rejected_at, ${carried.join(', ')})
     SELECT $1, now(), ${carried.join(', ')} FROM ${qualifiedTemp(source)}`,
    [options.runId],
  )
  return existing ?? name
}

const hasRejectColumns = async (context: ModeContext, name: string): Promise<boolean> => {
  const schema = await describeTable(context.connection, context.catalog, name)
  const present = new Set(schema?.columns.map((column) => column.name))
  return columns.every((column) => present.has(column))
}
