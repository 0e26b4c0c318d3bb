import {
  ConnectorError,
  type EngineTransaction,
  type FileEntry,
  type FileTable,
  type LedgerComparison,
  type LoadResult,
  type ProgressListener,
  type TableEngine,
} from '@penstock/core'
import { refuseUnknownKey } from './merge-key.ts'
import { pump } from './pump.ts'
import type { LoadRequest } from './request.ts'
import { type Staging, stageFile } from './staging.ts'

export interface FileLoadOptions {
  readonly table: FileTable
  readonly load: LoadRequest
  readonly engine: TableEngine
  readonly transaction: EngineTransaction
  readonly staging: Staging
  readonly filesInFlight: number
  readonly smallFilesInFlight: number
  readonly signal: AbortSignal
  readonly onProgress: ProgressListener
}

export interface TableLoadOutcome extends LoadResult {
  readonly objects: number
  /** Bytes of the loaded objects, as stored. */
  readonly bytes: number
}

/**
 * Loads a file table inside a transaction that the caller commits. Undefined when there is nothing to do: a delta or
 * merge whose listing equals the ledger.
 */
export const loadFiles = async (options: FileLoadOptions): Promise<TableLoadOutcome | undefined> => {
  const { table, load, engine, transaction, staging, signal, onProgress } = options
  const comparison = await transaction.compare(table.name, reportedListing(table, signal, onProgress))
  const kinds = kindsToLoad(load)
  if (load.mode === 'delta' && load.changed === 'error') await refuseChanged(table, comparison)
  const planned = countOf(comparison, kinds)
  const removes = load.mode !== 'full' && load.deleted === 'remove' && comparison.deleted.objects > 0
  onProgress({ type: 'planned', table: table.name, ...planned })
  if (load.mode !== 'full' && planned.objects === 0) {
    // With rows to merge the engine judges the key. Without any a wrong key is no less wrong.
    if (load.mode === 'merge')
      refuseUnknownKey(table.name, load, (await engine.describe(table.name))?.columns ?? [])
    if (!removes) return undefined
  }

  const tableLoad = await transaction.load({
    ...engineOptions(table.name, load),
    replaceChanged: load.mode === 'delta' && load.changed === 'replace',
    removeDeleted: load.mode !== 'full' && load.deleted === 'remove',
    copyBytes: staging.copyBytes,
  })
  const report = createReport(table.name, staging, onProgress)
  const loaded = await pump(comparison.entries(kinds), tableLoad, {
    signal,
    filesInFlight: options.filesInFlight,
    smallFilesInFlight: options.smallFilesInFlight,
    budget: staging.budget,
    stage: (entry, ordinal, stageSignal) =>
      stageFile(table, entry, staging, {
        signal: stageSignal,
        ordinal,
        streamable: (format) => engine.capabilities.streamedFileTypes.includes(format.type),
        onBytes: (bytes) => report({ bytes }),
        onRetry: (retry) => onProgress({ type: 'retry', table: table.name, object: entry.key, ...retry }),
      }),
    onStaged: (objectsStaged) => report({ objectsStaged }),
    onLoaded: ({ files, rows, rejected }) => report({ objectsLoaded: files, rows, rejected }),
  })
  return { ...(await tableLoad.finish()), ...loaded }
}

/** The engine's view of the load options. */
export const engineOptions = (table: string, load: LoadRequest) => ({
  table,
  mode: load.mode,
  schemaPolicy: load.schema,
  allText: load.allText,
  onBadRow: load.onBadRow,
  ...(load.key && { key: load.key }),
  ...(load.columns && { columnTypes: load.columns }),
  ...(load.maxRejects && { maxRejects: load.maxRejects }),
  ...lineageOf(load),
  ...(load.limit !== undefined && { limitRows: load.limit }),
})

/** Replacing and removing rows by object needs to know each row's object, so `_file` comes with them. */
const lineageOf = (load: LoadRequest) => {
  const needsFile = load.mode !== 'full' && (load.changed === 'replace' || load.deleted === 'remove')
  const lineage = [...new Set([...(load.lineage ?? []), ...(needsFile ? ['_file' as const] : [])])]
  return lineage.length > 0 ? { lineage } : {}
}

type Kind = 'added' | 'changed' | 'unchanged'

/** Which objects of a listing a mode loads. */
export const kindsToLoad = (load: LoadRequest): readonly Kind[] =>
  load.mode === 'full' ? ['added', 'changed', 'unchanged'] : ['added', 'changed']

/** Objects and bytes of some kinds together. */
export const countOf = (comparison: LedgerComparison, kinds: readonly Kind[]) => ({
  objects: kinds.reduce((sum, kind) => sum + comparison[kind].objects, 0),
  bytes: kinds.reduce((sum, kind) => sum + comparison[kind].bytes, 0),
})

const refuseChanged = async (table: FileTable, comparison: LedgerComparison): Promise<void> => {
  const { objects } = comparison.changed
  if (objects === 0) return
  const samples = await comparison.sample('changed', 10)
  const list = samples.map((entry) => entry.key).join(', ')
  throw new ConnectorError(
    'conflict',
    `${objects} object(s) of table "${table.name}" were loaded before and have other bytes now: ${list}${objects > samples.length ? ', ...' : ''}.`,
    {
      code: 'ChangedObjects',
      ...(samples[0] && { place: { object: samples[0].key, table: table.name } }),
      hint: 'Say what to do with --changed append or --changed replace, or load everything with --mode full.',
    },
  )
}

/** Passes a listing on and tells how far it is. */
export async function* reportedListing(
  table: FileTable,
  signal: AbortSignal,
  onProgress: ProgressListener,
): AsyncGenerator<readonly FileEntry[]> {
  let objects = 0
  let bytes = 0
  for await (const page of table.list({ signal })) {
    objects += page.length
    bytes += page.reduce((sum, entry) => sum + entry.size, 0)
    onProgress({ type: 'listing', table: table.name, objects, bytes })
    yield page
  }
}

interface Totals {
  bytes: number
  objectsStaged: number
  objectsLoaded: number
  rows: number
  rejected: number
}

/** Progress of a load as running totals: `bytes` adds up, the other counts are totals already. */
const createReport = (table: string, staging: Staging, onProgress: ProgressListener) => {
  const totals: Totals = { bytes: 0, objectsStaged: 0, objectsLoaded: 0, rows: 0, rejected: 0 }
  return (change: Partial<Totals>) => {
    Object.assign(totals, change, { bytes: totals.bytes + (change.bytes ?? 0) })
    onProgress({ type: 'progress', table, stagedBytes: staging.budget.used(), ...totals })
  }
}
