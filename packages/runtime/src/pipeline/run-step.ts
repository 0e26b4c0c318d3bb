import {
  type ActionContext,
  type ActionProgress,
  type AnyAction,
  type Connection,
  ConnectorError,
  connectionOfKind,
  type ExportResult,
  type ProgressListener,
  parse,
  type RunRecord,
  revealAll,
  type TableEngine,
  type TableResult,
  withContext,
} from '@penstock/core'
import { exportTo } from '../export/export.ts'
import { createRunId, extract } from '../extract/extract.ts'
import type { OpenedPipeline } from '../project/pipeline.ts'
import { recordRun } from '../project/record-run.ts'
import { resourcesOf } from '../project/resources.ts'
import type { OpenedStep } from '../project/steps.ts'
import type { RunValues } from '../project/values.ts'
import type { PipelineContext } from './context.ts'
import { errorOf, plainData, type StepOutcome } from './outcome.ts'

/** One try of a step. */
export interface StepTry {
  readonly pipeline: OpenedPipeline
  readonly context: PipelineContext
  readonly runId: string
  readonly scheduledTime: string | undefined
  /** True when an earlier try may have done something. */
  readonly retried: boolean
  readonly values: RunValues
  readonly clock: () => Date
  readonly signal: AbortSignal
  readonly onProgress: ProgressListener
  readonly onAction: (progress: ActionProgress) => void
  /** Gives the database for the time of `use`. */
  readonly withEngine: <Result>(
    contained: boolean,
    use: (engine: TableEngine) => Promise<Result>,
  ) => Promise<Result>
}

type StepOf<Kind extends OpenedStep['kind']> = Extract<OpenedStep, { readonly kind: Kind }>

/** Does the work of a step once. Throws what went wrong. */
export const runStep = (step: OpenedStep, attempt: StepTry): Promise<StepOutcome> => {
  switch (step.kind) {
    case 'extract':
      return runExtract(step, attempt)
    case 'sql':
      return runSql(step, attempt)
    case 'export':
      return runExport(step, attempt)
    case 'action':
      return runAction(step, attempt)
  }
}

const runExtract = async (step: StepOf<'extract'>, attempt: StepTry): Promise<StepOutcome> => {
  const { context, pipeline, clock, signal, onProgress } = attempt
  const groups = await step.input(attempt.values)
  const connections = await Promise.all(groups.map((group) => context.openConnection(group.connection)))
  const tables = await attempt.withEngine(false, async (engine) => {
    const results: TableResult[] = []
    for (const [index, group] of groups.entries()) {
      const connection = connections[index]
      if (!connection) continue
      const source = connectionOfKind(connection, 'source')
      const started = startedRecord(attempt, connection)
      const work = () =>
        extract({
          source,
          tables: group.tables,
          engine,
          signal,
          clock,
          onProgress,
          resources: resourcesOf(pipeline.resources),
          command: 'run',
          pipeline: pipeline.name,
          runId: started.runId,
        })
      const record = await recordRun(started, work, historyOf(attempt))
      context.onEvent?.({ type: 'recorded', step: step.id, record })
      const error = errorOf(record)
      if (error) throw error
      results.push(...record.tables)
    }
    return results
  })
  const sum = (field: keyof typeof counts) => tables.reduce((total, table) => total + table[field], 0)
  const totals = Object.fromEntries(countFields.map((field) => [field, sum(field)])) as typeof counts
  return {
    output: {
      ...totals,
      tables: tables.map((table) => ({
        name: table.name,
        status: table.status,
        ...Object.fromEntries(countFields.map((field) => [field, table[field]])),
      })),
    },
    rows: totals.rowsLoaded,
    rowsLost: totals.rowsRejected,
  }
}

const counts = { objects: 0, bytes: 0, rowsRead: 0, rowsLoaded: 0, rowsRejected: 0, rowsDeleted: 0 }
const countFields = Object.keys(counts) as (keyof typeof counts)[]

const startedRecord = ({ pipeline, clock }: StepTry, connection: Connection): RunRecord => ({
  runId: createRunId(clock()),
  command: 'run',
  connector: connection.connector.name,
  ...(connection.name === undefined ? {} : { connection: connection.name }),
  pipeline: pipeline.name,
  status: 'running',
  startedAt: clock().toISOString(),
  tables: [],
})

const historyOf = ({ context }: StepTry) => ({
  folder: context.project.folder,
  redact: context.redact,
  onProblem: (message: string) => context.onEvent?.({ type: 'notice', message }),
})

/** Rows of the last SELECT that later steps can refer to. */
const keptRows = 100

/**
 * Runs the statements in one transaction, which also keeps a record under this run and step: a step that was
 * committed before its process died does not run again.
 */
const runSql = async (step: StepOf<'sql'>, attempt: StepTry): Promise<StepOutcome> => {
  const texts = await step.input(attempt.values)
  const runId = `${attempt.runId}.${step.id}`
  return attempt.withEngine(true, async (engine) => {
    if (attempt.retried) {
      const committed = (await engine.runs({ runId })).find(({ status }) => status === 'succeeded')
      if (committed) return outcomeOfSql(committed.output)
    }
    const transaction = await engine.begin({ runId, signal: attempt.signal })
    try {
      const startedAt = attempt.clock().toISOString()
      const results = []
      for (const text of texts) results.push(...(await transaction.execute(text, { maxRows: keptRows })))
      const last = results.findLast(({ columns }) => columns.length > 0)
      const output = {
        statements: results.length,
        rowsChanged: results.reduce((total, { rowsChanged }) => total + rowsChanged, 0),
        rows: (last?.rows ?? []).map((row) =>
          Object.fromEntries((last?.columns ?? []).map(({ name }, index) => [name, row[index]])),
        ),
      }
      const plain = attempt.context.redact(plainData(output))
      await transaction.commit({
        runId,
        command: 'run',
        connector: 'sql',
        pipeline: attempt.pipeline.name,
        status: 'succeeded',
        startedAt,
        finishedAt: attempt.clock().toISOString(),
        tables: [],
        output: plain,
      })
      return outcomeOfSql(plain)
    } finally {
      await transaction.rollback()
    }
  })
}

/** A statement that makes a table does not tell its rows. */
const outcomeOfSql = (output: unknown): StepOutcome => {
  const { rowsChanged = 0 } = (output ?? {}) as { rowsChanged?: number }
  return rowsChanged > 0 ? { output, rows: rowsChanged } : { output }
}

/**
 * The run id is that of the pipeline's run and the step: a retry of the step, also after a restart, writes the same
 * files, and finds out where they were complete already.
 */
const runExport = async (step: StepOf<'export'>, attempt: StepTry): Promise<StepOutcome> => {
  const { context, pipeline, clock, signal, onProgress, scheduledTime } = attempt
  const { name, mode, streams, options } = await step.input(attempt.values)
  const destination = connectionOfKind(await context.openConnection(step.connection), 'destination')
  const started: RunRecord = {
    ...startedRecord(attempt, destination),
    runId: `${attempt.runId}.${step.id}`,
  }
  const record = await attempt.withEngine(false, (engine) =>
    recordRun(
      started,
      () =>
        exportTo({
          destination,
          streams,
          engine,
          mode,
          options,
          name,
          projectFolder: context.project.folder,
          scheduledTime: scheduledTime === undefined ? undefined : new Date(scheduledTime),
          signal,
          onProgress,
          resources: resourcesOf(pipeline.resources),
          clock,
          command: 'run',
          pipeline: pipeline.name,
          runId: started.runId,
        }),
      historyOf(attempt),
    ),
  )
  context.onEvent?.({ type: 'recorded', step: step.id, record })
  const error = errorOf(record)
  if (error) throw error
  return outcomeOfExport(record.export)
}

const outcomeOfExport = (result: ExportResult | undefined): StepOutcome => {
  const streams = result?.streams ?? []
  const sum = (field: 'rows' | 'bytes' | 'rowsDropped' | 'rowsSkipped') =>
    streams.reduce((total, stream) => total + stream[field], 0)
  return {
    output: {
      rows: sum('rows'),
      bytes: sum('bytes'),
      files: streams.flatMap(({ written }) => written.map(({ name, ...file }) => ({ key: name, ...file }))),
      manifest: result?.manifest,
    },
    rows: sum('rows'),
    rowsLost: sum('rowsDropped') + sum('rowsSkipped'),
  }
}

const runAction = async (step: StepOf<'action'>, attempt: StepTry): Promise<StepOutcome> => {
  const { context, clock, signal, onProgress, onAction } = attempt
  const connection = connectionOfKind(await context.openConnection(step.connection), 'actions')
  const action = connection.connector.actions[step.action] as AnyAction | undefined
  if (!action)
    throw new ConnectorError('config', `${connection.connector.name} has no action "${step.action}".`)
  const input: unknown = parse(action.input, await step.input(attempt.values), `step ${step.id}`)
  context.addSecrets(revealAll(input))
  const output: unknown = await withContext(
    connection,
    (base) => {
      const own: ActionContext = { ...base, onProgress: onAction }
      return action.run(own, input)
    },
    {
      signal,
      clock,
      concurrency: attempt.pipeline.resources.concurrency,
      notice: (message) => onProgress({ type: 'notice', message }),
    },
  )
  return { output }
}
