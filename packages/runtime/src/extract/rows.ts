import {
  ConnectorError,
  cursorFromText,
  cursorToText,
  type EngineTransaction,
  isAfterCursor,
  type ProgressListener,
  type RowTable,
  type TableLoad,
  text,
} from '@penstock/core'
import { z } from 'zod'
import { engineOptions, type TableLoadOutcome } from './files.ts'
import type { LoadRequest } from './request.ts'

export interface RowLoadOptions {
  readonly table: RowTable
  readonly load: LoadRequest
  readonly transaction: EngineTransaction
  readonly signal: AbortSignal
  readonly onProgress: ProgressListener
}

/**
 * Loads a row table inside a transaction that the caller commits. A delta reads from the saved cursor on. Rows at
 * the cursor itself may come again: with a key they are merged, so that none is doubled; without a key the rows at
 * or below the cursor are left out.
 */
export const loadRows = async (options: RowLoadOptions): Promise<TableLoadOutcome | undefined> => {
  const { table, transaction, signal, onProgress } = options
  const { key, cursor } = table.schema
  const incremental = options.load.mode === 'delta' && cursor !== undefined
  const saved = incremental ? await transaction.cursor(table.name) : undefined
  const since: unknown = saved === undefined ? undefined : cursorFromText(saved)
  const load = { ...options.load, key: options.load.key ?? (key && [...key]) }
  const mode = incremental && load.key ? 'merge' : load.mode
  const tableLoad = await transaction.load({ ...engineOptions(table.name, { ...load, mode }), mode })

  const cursorColumn = table.schema.columns.find(({ name }) => name === cursor)
  const isAfter = (value: unknown, other: unknown) => isAfterCursor(cursorColumn?.type ?? text, value, other)
  let highest = since
  let rowsSeen = 0
  for await (const page of table.read({ since, signal })) {
    signal.throwIfAborted()
    const rows = validate(table, page, rowsSeen)
    rowsSeen += rows.length
    const fresh =
      incremental && !load.key && since !== undefined
        ? rows.filter((row) => isAfter(row[cursor], since))
        : rows
    if (cursor) for (const row of fresh) if (isAfter(row[cursor], highest)) highest = row[cursor]
    const progress = await tableLoad.addRows(fresh, table.schema)
    onProgress({
      type: 'progress',
      table: table.name,
      bytes: 0,
      objectsStaged: 0,
      stagedBytes: 0,
      objectsLoaded: 0,
      rows: progress.rows,
      rejected: progress.rejected,
    })
    if (tableLoad.full()) break
  }
  if (incremental && rowsSeen === 0 && saved !== undefined) return undefined
  return finish(tableLoad, table, transaction, highest)
}

const finish = async (
  tableLoad: TableLoad,
  table: RowTable,
  transaction: EngineTransaction,
  highest: unknown,
): Promise<TableLoadOutcome> => {
  const result = await tableLoad.finish()
  if (table.schema.cursor && highest !== undefined)
    await transaction.saveCursor(table.name, cursorToText(highest))
  return { ...result, objects: 0, bytes: 0 }
}

const validate = (table: RowTable, page: readonly unknown[], before: number): Record<string, unknown>[] => {
  const result = z.array(table.row).safeParse(page)
  if (result.success) return result.data as Record<string, unknown>[]
  const issue = result.error.issues[0]
  const [index = 0, ...path] = issue?.path ?? []
  const line = before + Number(index) + 1
  throw new ConnectorError(
    'data',
    `Row ${line} of table "${table.name}" does not fit its schema: ${path.join('.')}: ${issue?.message}.`,
    {
      place: { table: table.name, line, ...(path.length > 0 && { column: path.join('.') }) },
      hint:
        issue?.code === 'too_big' && issue.origin === 'int'
          ? "The connector's authors should declare it with z.bigint(), as it is beyond 2^53: tell them."
          : "The source sends something else than its connector declares: tell the connector's authors.",
    },
  )
}
