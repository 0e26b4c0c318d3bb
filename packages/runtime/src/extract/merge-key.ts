import { type Column, type FileEntry, type FileTable, findKeyColumn } from '@penstock/core'
import type { LoadRequest } from './request.ts'
import { isPartial } from './sample.ts'

/**
 * Refuses a merge by what is no column, where columns are known at all.
 * @throws {ConnectorError} `config`, with the code `NoKeyColumn`.
 */
export const refuseUnknownKey = (table: string, load: LoadRequest, columns: readonly Column[]): void => {
  if (load.mode !== 'merge' || columns.length === 0) return
  for (const key of load.key ?? []) findKeyColumn(table, columns, key)
}

/**
 * Whether the beginnings of these files show every column that a load of `objects` files can have. Not so where files
 * that were not looked at may add columns, or later lines of one whose beginning is all that was read.
 */
export const showAllColumns = (
  table: FileTable,
  load: LoadRequest,
  sampled: readonly FileEntry[],
  objects: number,
): boolean =>
  (load.schema !== 'evolve' || objects === sampled.length) &&
  !sampled.some((entry) => isPartial(entry) && hasColumnsByLine(table, entry))

const hasColumnsByLine = (table: FileTable, entry: FileEntry): boolean => {
  const type = table.format(entry)?.type
  return type === 'ndjson' || type === 'json'
}
