import {
  type AnyDestination,
  type ConnectorContext,
  ConnectorError,
  describeType,
  type ExportLosses,
  type ExportResult,
  type ExportRun,
  type ExportStream,
  type RunRecord,
  type StreamResult,
  type TableExport,
  toConnectorError,
  type WriteResult,
  withContext,
  writeConflicts,
} from '@penstock/core'
import { errorRecord } from '../extract/extract.ts'
import { defaultStagingBytes } from '../extract/staging.ts'
import { type Counted, countedStream } from './counted.ts'
import { lockExport } from './lock.ts'
import { type ExportOptions, exportIdentity, newRun, type PreparedExport, prepareExport } from './prepare.ts'
import type { ExportState } from './state.ts'

/**
 * Exports tables and queries to a destination: either all of its streams are written, or what was there before stays.
 *
 * What the run is about to write is stored before it begins: after a crash, a failure or a stop, the next run of the
 * same export is a retry, with the same commit id, times and cursor windows, and leaves one copy. Cursors are saved
 * when everything is written.
 *
 * Throws for what is wrong before anything is written (`config`, `not-found`, `conflict` when it runs already);
 * a failure while writing is in the record.
 */
export const exportTo = async <Connector extends AnyDestination>(
  given: ExportOptions<Connector>,
): Promise<RunRecord> => {
  const options = given as unknown as ExportOptions
  const { engine, destination } = options
  const clock = options.clock ?? (() => new Date())
  const { runId, now } = newRun(options)
  const started: RunRecord = {
    runId,
    command: options.command ?? 'export',
    connector: destination.connector.name,
    ...(destination.name !== undefined && { connection: destination.name }),
    ...(options.pipeline !== undefined && { pipeline: options.pipeline }),
    status: 'running',
    startedAt: now.toISOString(),
    tables: [],
  }
  const identity = exportIdentity(options)
  let unlock = async () => {}
  try {
    unlock = await lockExport(identity.id, {
      name: identity.name,
      location: engine.location,
      folder: options.projectFolder,
      now,
    })
    const prepared = await prepareExport(options, { runId, now })
    const { done } = prepared.state
    if (done?.runId === runId) return done.record as RunRecord
    let record = await openAndWrite(options, prepared, started, clock)
    for (let tries = 1; isRace(record) && tries < raceTries && !options.signal?.aborted; tries++) {
      options.onProgress?.({ type: 'notice', message: `${record.error?.message} The run is tried again.` })
      record = await openAndWrite(options, await prepareExport(options, { runId, now }), started, clock)
    }
    await engine.recordRun(record)
    return record
  } catch (error) {
    await engine.recordRun(finishedRecord(started, clock, undefined, toConnectorError(error)))
    throw error
  } finally {
    await unlock()
  }
}

/** Tries of a run that another writer gets in the way of. */
const raceTries = 3

const isRace = ({ error }: RunRecord): boolean =>
  error?.kind === 'conflict' && error.code === writeConflicts.race

const openAndWrite = async (
  options: ExportOptions,
  prepared: PreparedExport,
  started: RunRecord,
  clock: () => Date,
): Promise<RunRecord> => {
  const { engine, resources } = options
  const signal = options.signal ?? new AbortController().signal
  const opened = await engine.openExport(prepared.selections, {
    signal,
    stagingBytes: resources?.stagingBytes ?? defaultStagingBytes,
    ...(resources?.stagingFolder !== undefined && { stagingFolder: resources.stagingFolder }),
  })
  try {
    return await withContext(
      options.destination,
      (context) => write({ options, prepared, opened, started, clock, signal, context }),
      {
        signal,
        clock,
        concurrency: resources?.concurrency,
        notice: (message) => options.onProgress?.({ type: 'notice', message }),
      },
    )
  } finally {
    await opened.close()
  }
}

interface Writing {
  readonly options: ExportOptions
  readonly prepared: PreparedExport
  readonly opened: TableExport
  readonly started: RunRecord
  readonly clock: () => Date
  readonly signal: AbortSignal
  readonly context: ConnectorContext
}

const write = async (writing: Writing): Promise<RunRecord> => {
  const { options, prepared, opened, started, clock, signal, context } = writing
  const { connector } = options.destination
  const { run, store, state, exportId } = prepared
  const onProgress = options.onProgress ?? (() => {})
  await connector.checkOptions?.(context, {
    run,
    options: prepared.options,
    streams: opened.streams.map(({ id, name, schema, cursor }) => ({
      id,
      name,
      schema,
      ...(cursor && { cursor }),
    })),
  })
  signal.throwIfAborted()
  onProgress({ type: 'run-started', runId: started.runId, tables: opened.streams.map(({ name }) => name) })
  await store.save(exportId, withIntent(state, prepared, opened))
  const startedAt = clock().getTime()
  const counted = opened.streams.map(countedStream)
  try {
    const result = await connector.write(context, {
      run,
      options: prepared.options,
      streams: counted.map(({ stream }) => stream),
      onProgress: ({ stream, files, bytes, rows }) =>
        onProgress({ type: 'written', table: stream, files, bytes, rows }),
    })
    if (!run.retried || !result.alreadyWritten) refuseLostRows(counted, result)
    const streams: StreamResult[] = []
    for (const entry of counted) {
      const losses = await entry.opened.losses()
      streams.push(writtenResult(entry, result, run.mode, losses, clock().getTime() - startedAt))
    }
    const record = finishedRecord(started, clock, resultOf(prepared, streams, result))
    await store.save(
      exportId,
      completed({ ...state, revision: state.revision + 1 }, run, opened.streams, record),
    )
    for (const stream of streams) onProgress({ type: 'stream-finished', table: stream.name, result: stream })
    return record
  } catch (error) {
    const failure = toConnectorError(signal.aborted ? signal.reason : error)
    if (isNoTry(failure, run.retried, counted)) {
      const { intent: _, ...before } = state
      await store.save(exportId, { ...before, revision: state.revision + 1 })
    }
    const streams = counted.map((entry) => ({
      ...baseResult(entry, run.mode, clock().getTime() - startedAt),
      status: failure.kind === 'cancelled' ? ('cancelled' as const) : ('failed' as const),
      error: errorRecord(failure),
    }))
    return finishedRecord(started, clock, resultOf(prepared, streams, {}), failure)
  }
}

/**
 * Whether the next run is a new one, with times of its own. Without a row nothing was written: wrong credentials must not
 * fix them. And where a name is taken, the same name would be the next time.
 */
const isNoTry = (failure: ConnectorError, retried: boolean, streams: readonly Counted[]): boolean =>
  (failure.kind === 'conflict' && failure.code === writeConflicts.nameTaken) ||
  (!retried && !streams.some(({ handedOut }) => handedOut().begun))

const writtenResult = (
  entry: Counted,
  result: WriteResult,
  mode: StreamResult['mode'],
  losses: ExportLosses,
  durationMs: number,
): StreamResult => {
  const written = result.files.filter((file) => file.stream === entry.stream.name)
  return {
    ...baseResult(entry, mode, durationMs),
    files: written.length,
    bytes: written.reduce((sum, { size }) => sum + size, 0),
    rows: written.reduce((sum, { rows }) => sum + rows, 0),
    rowsDropped: losses.dropped,
    rowsDeduplicated: losses.deduplicated,
    rowsSkipped: losses.nullCursors,
    written: written.slice(0, writtenInRecord),
  }
}

/** Files that a record names; the counts are of all. */
const writtenInRecord = 1_000

const withIntent = (state: ExportState, { run }: PreparedExport, opened: TableExport): ExportState => ({
  ...state,
  intent: {
    commitId: run.commitId,
    mode: run.mode,
    loadTime: run.loadTime.toISOString(),
    ...(run.scheduledTime && { scheduledTime: run.scheduledTime.toISOString() }),
    windows: Object.fromEntries(
      opened.streams.flatMap(({ id, cursor }) => (cursor ? [[id, { ...cursor }]] : [])),
    ),
  },
})

/** The state after everything was written: the intent is done, the cursors have moved. */
const completed = (
  { version, revision, cursors }: ExportState,
  { commitId, loadTime }: ExportRun,
  streams: readonly ExportStream[],
  record: RunRecord,
): ExportState => ({
  version,
  done: { runId: record.runId, record, loadTime: loadTime.toISOString() },
  revision,
  cursors: {
    ...cursors,
    ...Object.fromEntries(
      streams.flatMap(({ id, cursor }) => {
        const value = cursor?.to ?? cursor?.after
        return cursor && value !== undefined ? [[id, { column: cursor.column, value, commitId }]] : []
      }),
    ),
  },
})

/** Every row that the engine handed out has to be in a file that the destination names. */
const refuseLostRows = (streams: readonly Counted[], result: WriteResult): void => {
  for (const { stream, handedOut } of streams) {
    const written = result.files
      .filter((file) => file.stream === stream.name)
      .reduce((sum, { rows }) => sum + rows, 0)
    const { rows, complete } = handedOut()
    if (complete && rows === written) continue
    throw new ConnectorError(
      'internal',
      complete
        ? `The destination wrote ${written} rows of "${stream.name}"; there are ${rows}.`
        : `The destination did not read "${stream.name}" to its end.`,
      { code: 'RowCount', place: { table: stream.name } },
    )
  }
}

const baseResult = ({ stream }: Counted, mode: StreamResult['mode'], durationMs: number): StreamResult => ({
  name: stream.name,
  mode,
  status: 'succeeded',
  files: 0,
  bytes: 0,
  rows: 0,
  rowsDropped: 0,
  rowsDeduplicated: 0,
  rowsSkipped: 0,
  ...(stream.cursor && { cursor: stream.cursor }),
  columns: stream.schema.columns.map(({ name, type }) => ({ name, type: describeType(type) })),
  written: [],
  durationMs,
})

const resultOf = (
  { exportId, run }: PreparedExport,
  streams: readonly StreamResult[],
  { manifest, removed }: Partial<WriteResult>,
): ExportResult => ({
  exportId,
  name: run.exportName,
  commitId: run.commitId,
  retried: run.retried,
  mode: run.mode,
  streams,
  ...(manifest !== undefined && { manifest }),
  removed: removed?.length ?? 0,
})

const finishedRecord = (
  started: RunRecord,
  clock: () => Date,
  result: ExportResult | undefined,
  error?: ConnectorError,
): RunRecord => ({
  ...started,
  status: error ? (error.kind === 'cancelled' ? 'cancelled' : 'failed') : 'succeeded',
  finishedAt: clock().toISOString(),
  ...(result && { export: result }),
  ...(error && { error: errorRecord(error) }),
})
