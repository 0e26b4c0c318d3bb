import type { DuckDBConnection } from '@duckdb/node-api'
import {
  type BeginLoadOptions,
  ConnectorError,
  type LoadProgress,
  type LoadResult,
  type StagedFile,
  type TableLoad,
  type TableSchema,
} from '@penstock/core'
import { claimTable } from './bookkeeping.ts'
import { countRows, describeTable, findLoadTarget } from './catalog.ts'
import type { Database } from './database.ts'
import { recordFiles } from './ledger-rows.ts'
import { appendRows } from './modes/append.ts'
import { replaceTable } from './modes/full.ts'
import { mergeRows } from './modes/merge.ts'
import { removeObjects, requireFileColumn } from './modes/remove.ts'
import { type ModeContext, stageOf } from './modes/target.ts'
import { storeRejects } from './rejects.ts'
import { defaultCopyBytes } from './stage/copies.ts'
import { createStage } from './stage/stage.ts'

export interface LoadContext {
  readonly database: Database
  readonly connection: DuckDBConnection
  readonly runId: string
  readonly ordinal: number
  /** TEMP table of this transaction's comparison for the same table, if there was one. */
  readonly comparisonTable: string | undefined
  /** Runs an operation in the transaction's turn, translated and interruptible by the transaction's signal. */
  readonly run: <Result>(
    operation: (signal: AbortSignal) => Promise<Result>,
    options: { table: string; signal?: AbortSignal },
  ) => Promise<Result>
  /** Called when the rows are in their table: an unfinished load is not committed. */
  readonly onFinished: () => void
}

/** Begins to load a table. To be called in the transaction's turn; what it returns takes its own. */
export const beginLoad = async (context: LoadContext, options: BeginLoadOptions): Promise<TableLoad> => {
  const { database, connection, runId, ordinal } = context
  const { catalog, books } = database
  refuseInvalid(options, context.comparisonTable)
  const found = await findLoadTarget(connection, options.table)
  const table = found ?? options.table
  const exists = found !== undefined
  if (options.replaceChanged || options.removeDeleted)
    await requireFileColumn(connection, { catalog, table, exists, lineage: options.lineage ?? [] })
  await claimTable(connection, books, { table, runId })
  const keeps = options.mode !== 'full' && exists
  const stage = await createStage(
    connection,
    { ...options, table, runId },
    {
      existing: keeps ? await describeTable(connection, catalog, table) : undefined,
      stagingFolder: database.staging.path,
      copyBytes: options.copyBytes ?? defaultCopyBytes,
      ordinal,
    },
  )
  let finished = false
  const inTurn = <Result>(operation: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal) =>
    context.run(
      (combined) => {
        if (finished) throw new ConnectorError('internal', `The load of table "${table}" is finished.`)
        return operation(combined)
      },
      { table, ...(signal && { signal }) },
    )

  const finish = async (): Promise<LoadResult> => {
    await stage.seal()
    const mode: ModeContext = { connection, catalog, table, exists, stage }
    const { rowsRead, rowsLoaded, rowsRejected } = stage.counts()
    const staged = stage.schema().columns.length > 0 ? await countRows(connection, stageOf(mode)) : 0
    if (staged !== rowsLoaded || rowsRead !== rowsLoaded + rowsRejected)
      throw new ConnectorError(
        'internal',
        `Table "${table}": ${rowsRead} rows read, ${rowsLoaded} loaded, ${rowsRejected} rejected, ${staged} staged; these do not add up, so nothing was committed.`,
        { code: 'RowCount', place: { table } },
      )
    const removed =
      options.mode === 'full'
        ? 0
        : await removeObjects({
            ...mode,
            books,
            comparisonTable: context.comparisonTable,
            replaceChanged: options.replaceChanged ?? false,
            removeDeleted: options.removeDeleted ?? false,
          })
    const replaced = await applyMode(mode, options)
    await recordFiles(connection, books, {
      table,
      runId,
      filesTable: stage.filesTable,
      mode: options.mode,
      exists,
    })
    const rejectTable = await storeRejects(mode, { runId, replace: options.mode === 'full' })
    await stage.drop()
    finished = true
    context.onFinished()
    return {
      rowsRead,
      rowsLoaded,
      rowsRejected,
      rowsDeleted: removed + replaced,
      schema: (await describeTable(connection, catalog, table)) ?? { columns: [] },
      ...(rejectTable !== undefined && { rejectTable }),
    }
  }

  return Object.freeze({
    addFiles: (files: readonly StagedFile[], { signal }: { signal: AbortSignal }): Promise<LoadProgress> =>
      inTurn((combined) => stage.addFiles(files, { signal: combined }), signal),
    addRows: (
      rows: readonly Readonly<Record<string, unknown>>[],
      schema: TableSchema,
    ): Promise<LoadProgress> => inTurn(() => stage.addRows(rows, schema)),
    full: () => stage.full(),
    finish: () => inTurn(finish),
  })
}

/** Returns how many rows left the table: replaced, or merged over. */
const applyMode = async (mode: ModeContext, options: BeginLoadOptions): Promise<number> => {
  switch (options.mode) {
    case 'full':
      return replaceTable(mode)
    case 'delta':
      await appendRows(mode)
      return 0
    case 'merge':
      return mergeRows(mode, options.key ?? [])
  }
}

const refuseInvalid = (options: BeginLoadOptions, comparisonTable: string | undefined): void => {
  const place = { table: options.table }
  if (options.table.trim() === '' || options.table.includes('\0'))
    throw new ConnectorError('config', 'A table needs a name.', { place })
  if (options.mode === 'merge' && (options.key ?? []).length === 0)
    throw new ConnectorError('config', `Table "${options.table}" can't be merged without key columns.`, {
      code: 'NoKey',
      place,
      hint: 'Name the columns that identify a row.',
    })
  if (options.removeDeleted && comparisonTable === undefined)
    throw new ConnectorError(
      'internal',
      `Table "${options.table}": deleted objects can be removed only after a comparison with the listing.`,
      { place },
    )
}
