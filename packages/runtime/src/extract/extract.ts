import { randomBytes } from 'node:crypto'
import {
  type AnySource,
  type Connection,
  type ConnectorContext,
  ConnectorError,
  describeType,
  type ErrorRecord,
  type ProgressListener,
  type RunRecord,
  type TableEngine,
  type TableResult,
  toConnectorError,
  withContext,
} from '@penstock/core'
import { loadFiles, type TableLoadOutcome } from './files.ts'
import type { TableRequest } from './request.ts'
import { type ResolvedTable, resolveTables } from './resolve.ts'
import { loadRows } from './rows.ts'
import { createStaging, type Staging } from './staging.ts'

/** Limits that a run keeps whatever the size of its input. The memory limit is the engine's own option. */
export interface Resources {
  /** Ceiling of the staging disk in bytes; default 4 GiB. */
  readonly stagingBytes?: number | undefined
  /** Folder for staging; default: the engine's. */
  readonly stagingFolder?: string | undefined
  /** Requests in flight; default: the connector's. */
  readonly concurrency?: number | undefined
}

export interface ExtractOptions<Connector extends AnySource = AnySource> {
  readonly source: Connection<Connector>
  readonly tables: readonly TableRequest<Connector>[]
  readonly engine: TableEngine
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ProgressListener | undefined
  readonly resources?: Resources | undefined
  readonly clock?: (() => Date) | undefined
  /** What the run history says was run. */
  readonly command?: string | undefined
  readonly pipeline?: string | undefined
  readonly runId?: string | undefined
}

/** Files whose download may be under way; the connector limits the requests below that. */
const filesInFlight = 64

/** The same where the next file is small (256 KiB): some 50 MB of memory at most, and no open file each. */
const smallFilesInFlight = 192

/** Ids sort by time and can be typed: `20260418-093000-5f3a9c`. */
export const createRunId = (now: Date = new Date()): string => {
  const [date, time] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T')
  return `${date}-${time}-${randomBytes(3).toString('hex')}`
}

/**
 * Extracts tables from a source into an engine. Each table is one transaction: its rows and its ledger become
 * visible together, or it stays as it was. A table that fails ends the run; tables before it stay loaded.
 * Throws only for wrong options (`config`) and for what fails before the first table (`auth`, `not-found`);
 * otherwise failures are in the record.
 */
export const extract = async <Connector extends AnySource>(
  options: ExtractOptions<Connector>,
): Promise<RunRecord> => {
  const { source, engine } = options
  const clock = options.clock ?? (() => new Date())
  const signal = options.signal ?? new AbortController().signal
  const onProgress = options.onProgress ?? (() => {})
  const notice = (message: string) => onProgress({ type: 'notice', message })
  const run: RunRecord = {
    runId: options.runId ?? createRunId(clock()),
    command: options.command ?? 'extract',
    connector: source.connector.name,
    ...(source.name !== undefined && { connection: source.name }),
    ...(options.pipeline !== undefined && { pipeline: options.pipeline }),
    status: 'running',
    startedAt: clock().toISOString(),
    tables: [],
  }
  const work = async (context: ConnectorContext): Promise<RunRecord> => {
    const resolved = await resolveTables(source.connector, context, options.tables)
    onProgress({ type: 'run-started', runId: run.runId, tables: resolved.map(({ table }) => table.name) })
    const folder = options.resources?.stagingFolder ?? engine.stagingFolder
    const staging = await createStaging(folder, options.resources?.stagingBytes)
    try {
      return await extractAll({ run, resolved, engine, staging, signal, clock, onProgress })
    } finally {
      await staging.remove()
    }
  }
  const concurrency = options.resources?.concurrency
  try {
    return await withContext(source, work, { signal, clock, notice, concurrency })
  } catch (error) {
    const failed = finished(run, [], clock, toConnectorError(error))
    await engine.recordRun(failed)
    throw error
  }
}

interface RunState {
  readonly run: RunRecord
  readonly resolved: readonly ResolvedTable[]
  readonly engine: TableEngine
  readonly staging: Staging
  readonly signal: AbortSignal
  readonly clock: () => Date
  readonly onProgress: ProgressListener
}

const extractAll = async (state: RunState): Promise<RunRecord> => {
  const results: TableResult[] = []
  let committed: RunRecord | undefined
  for (const [index, resolved] of state.resolved.entries()) {
    const isLast = index === state.resolved.length - 1
    const recordWith = (result: TableResult) =>
      isLast
        ? finished(state.run, [...results, result], state.clock)
        : { ...state.run, tables: [...results, result] }
    let outcome = await extractTable(state, resolved, recordWith)
    const { error } = outcome
    const again = error && withMixedLineEnds(resolved, error)
    if (again) {
      state.onProgress({
        type: 'notice',
        message: `${error.message} The table is loaded again with that in mind.`,
      })
      outcome = await extractTable(state, again, recordWith)
    }
    results.push(outcome.result)
    committed = outcome.record
    state.onProgress({ type: 'table-finished', table: outcome.result.name, result: outcome.result })
    if (outcome.error) {
      const failed = finished(state.run, results, state.clock, outcome.error)
      await state.engine.recordRun(failed)
      return failed
    }
  }
  if (committed && committed.status !== 'running') return committed
  const record = finished(state.run, results, state.clock)
  await state.engine.recordRun(record)
  return record
}

interface TableOutcome {
  readonly result: TableResult
  /** The run record that was committed with the rows. */
  readonly record?: RunRecord
  readonly error?: ConnectorError
}

/**
 * The table with line ends that differ within a file, after a load that failed by them: the engine reads such files in
 * a slower way, which it can't change to within a transaction that failed.
 */
const withMixedLineEnds = (
  { table, load }: ResolvedTable,
  { code }: ConnectorError,
): ResolvedTable | undefined => {
  if (code !== 'MixedLineEnds' || table.kind !== 'files') return undefined
  const format: typeof table.format = (entry) => {
    const given = table.format(entry)
    return given?.type === 'csv' ? { ...given, lineEnds: 'mixed' } : given
  }
  return { table: { ...table, format }, load }
}

const extractTable = async (
  state: RunState,
  { table, load }: ResolvedTable,
  recordWith: (result: TableResult) => RunRecord,
): Promise<TableOutcome> => {
  const { engine, signal, clock, staging, onProgress } = state
  const started = clock().getTime()
  const base = { ...nothing, name: table.name, mode: load.mode }
  const duration = () => ({ durationMs: clock().getTime() - started })
  const transaction = await engine
    .begin({ runId: state.run.runId, signal })
    .catch((error: unknown) => toConnectorError(error))
  if (ConnectorError.isInstance(transaction))
    return { result: { ...base, ...failure(transaction), ...duration() }, error: transaction }
  try {
    signal.throwIfAborted()
    const inFlight = { filesInFlight, smallFilesInFlight }
    const common = { load, engine, transaction, staging, ...inFlight, signal, onProgress }
    const outcome =
      table.kind === 'files' ? await loadFiles({ ...common, table }) : await loadRows({ ...common, table })
    if (!outcome) {
      const columns = columnsOf((await engine.describe(table.name))?.columns ?? [])
      return { result: { ...base, status: 'unchanged', columns, ...duration() } }
    }
    signal.throwIfAborted()
    const result: TableResult = { ...base, status: 'succeeded', ...countsOf(outcome), ...duration() }
    const record = recordWith(result)
    await transaction.commit(record)
    return { result, record }
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error
    const translated = toConnectorError(reason)
    return { result: { ...base, ...failure(translated), ...duration() }, error: translated }
  } finally {
    await transaction.rollback()
  }
}

const nothing = {
  objects: 0,
  bytes: 0,
  rowsRead: 0,
  rowsLoaded: 0,
  rowsRejected: 0,
  rowsDeleted: 0,
  columns: [],
}

const columnsOf = (columns: TableLoadOutcome['schema']['columns']) =>
  columns.map(({ name, type }) => ({ name, type: describeType(type) }))

const countsOf = ({ schema, rejectTable, ...outcome }: TableLoadOutcome) => ({
  objects: outcome.objects,
  bytes: outcome.bytes,
  rowsRead: outcome.rowsRead,
  rowsLoaded: outcome.rowsLoaded,
  rowsRejected: outcome.rowsRejected,
  rowsDeleted: outcome.rowsDeleted,
  columns: columnsOf(schema.columns),
  ...(rejectTable !== undefined && { rejectTable }),
})

const failure = (error: ConnectorError): Pick<TableResult, 'status' | 'error'> => ({
  status: error.kind === 'cancelled' ? 'cancelled' : 'failed',
  error: errorRecord(error),
})

/** The error as plain data, without its cause. */
export const errorRecord = (error: ConnectorError): ErrorRecord => ({
  kind: error.kind,
  message: error.message,
  ...(error.hint !== undefined && { hint: error.hint }),
  ...(error.code !== undefined && { code: error.code }),
  ...(error.place !== undefined && { place: error.place }),
})

const finished = (
  run: RunRecord,
  tables: readonly TableResult[],
  clock: () => Date,
  error?: ConnectorError,
): RunRecord => ({
  ...run,
  status: error ? (error.kind === 'cancelled' ? 'cancelled' : 'failed') : 'succeeded',
  finishedAt: clock().toISOString(),
  tables,
  ...(error && { error: errorRecord(error) }),
})
