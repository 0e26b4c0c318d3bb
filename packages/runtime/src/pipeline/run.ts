import { join } from 'node:path'
import { ConnectorError, nearest, toConnectorError } from '@penstock/core'
import { type RunAlerts, runAlerts } from '../alerts/alerts.ts'
import { createRunId, errorRecord } from '../extract/extract.ts'
import { prepareStateFolder } from '../project/edit.ts'
import { acquireLock } from '../project/lock.ts'
import type { OpenedPipeline } from '../project/pipeline.ts'
import { pipelineNamed } from '../project/project.ts'
import type { OpenedStep } from '../project/steps.ts'
import { reasonToSkip } from './condition.ts'
import type { PipelineContext } from './context.ts'
import { createEngines, type Engines } from './engines.ts'
import { createJournal, type Journal } from './journal.ts'
import { plainData } from './outcome.ts'
import type { PipelineRun, StepRecord } from './record.ts'
import { runStep } from './run-step.ts'
import { tryStep } from './try-step.ts'

export interface RunPipelineOptions {
  /** Id of the run (default: a new one). */
  readonly runId?: string
  readonly scheduledTime?: Date
  /** A run that was interrupted: it goes on as the same run. What its steps did stays done. */
  readonly resume?: PipelineRun
  /** Begins with this step; the steps before it keep the values that they had in `values`. */
  readonly from?: { readonly step: string; readonly values: PipelineRun | undefined }
}

/**
 * Runs a pipeline: its steps in order, each on its condition. One run per pipeline at a time, else `conflict`. A
 * failure of a step is in the record; throws only for what is wrong before the first one.
 */
export const runPipeline = async (
  pipeline: OpenedPipeline,
  context: PipelineContext,
  options: RunPipelineOptions = {},
): Promise<PipelineRun> => {
  const clock = context.clock ?? (() => new Date())
  const { folder } = context.project
  const state = await prepareStateFolder(folder)
  const lock = await acquireLock(join(state, 'locks', `pipeline-${pipeline.name}.lock`), {
    subject: `Pipeline ${pipeline.name} is running`,
    code: 'PipelineRunning',
    now: clock(),
  })
  const engines = createEngines(pipeline, context)
  const alerts = alertsOf(context, pipeline.name)
  try {
    const started = startedRun(pipeline, options, clock())
    return await runSteps({ pipeline, context, clock, engines, alerts, started })
  } finally {
    await engines.close()
    await lock.release()
  }
}

/**
 * The record of a run that could not begin, because its configuration is wrong: it is kept, and told, like one that
 * failed.
 */
export const recordFailedStart = async (
  name: string,
  thrown: unknown,
  context: PipelineContext,
  options: Pick<RunPipelineOptions, 'runId' | 'scheduledTime' | 'resume'>,
): Promise<PipelineRun> => {
  const now = (context.clock ?? (() => new Date()))()
  const { resume } = options
  const scheduledTime = resume?.scheduledTime ?? options.scheduledTime?.toISOString()
  const alerts = alertsOf(context, name)
  const journal = createJournal(
    context,
    {
      runId: resume?.runId ?? options.runId ?? createRunId(now),
      pipeline: name,
      status: 'failed',
      ...(scheduledTime === undefined ? {} : { scheduledTime }),
      startedAt: resume?.startedAt ?? now.toISOString(),
      finishedAt: now.toISOString(),
      attempts: (resume?.attempts ?? 0) + 1,
      steps: resume?.steps ?? [],
      error: context.redact(errorRecord(toConnectorError(thrown))) as NonNullable<PipelineRun['error']>,
    },
    alerts.changed,
  )
  alerts.finished(journal.run())
  await journal.change({ alerts: await alerts.settle() })
  return journal.run()
}

const alertsOf = (context: PipelineContext, name: string): RunAlerts =>
  runAlerts({
    alerts: [...context.project.alerts, ...pipelineNamed(context.project, name).alerts],
    folder: context.project.folder,
    env: context.env ?? process.env,
    clock: context.clock ?? (() => new Date()),
    redact: context.redact,
    addSecrets: context.addSecrets,
    notice: (message) => context.onEvent?.({ type: 'notice', message }),
  })

const startedRun = (pipeline: OpenedPipeline, options: RunPipelineOptions, now: Date): PipelineRun => {
  const { resume, from } = options
  const begin = from === undefined ? 0 : pipeline.steps.findIndex(({ id }) => id === from.step)
  if (begin < 0) throw unknownStep(pipeline, from?.step ?? '')
  if (begin > 0 && pipeline.into === ':memory:')
    throw new ConnectorError('config', 'A pipeline in memory has to begin with its first step.', {
      hint: 'Its tables are gone with every run. Give into a file.',
    })
  const runId = resume?.runId ?? options.runId ?? createRunId(now)
  const scheduledTime = resume?.scheduledTime ?? options.scheduledTime?.toISOString()
  return {
    runId,
    pipeline: pipeline.name,
    status: 'running',
    ...(pipeline.into === undefined ? {} : { into: pipeline.into }),
    ...(scheduledTime === undefined ? {} : { scheduledTime }),
    startedAt: resume?.startedAt ?? now.toISOString(),
    attempts: (resume?.attempts ?? 0) + 1,
    steps: pipeline.steps.map((step, index) => {
      const waiting: StepRecord = { id: step.id, kind: step.kind, status: 'waiting', tries: 0 }
      if (index < begin) return { ...waiting, status: 'reused', ...outputOf(from?.values, step) }
      return doneBefore(pipeline, resume, step) ?? waiting
    }),
  }
}

const unknownStep = (pipeline: OpenedPipeline, id: string): ConnectorError => {
  const ids = pipeline.steps.map((step) => step.id)
  const guess = nearest(id, ids)
  return new ConnectorError('config', `Pipeline ${pipeline.name} has no step "${id}".`, {
    code: 'NoSuchStep',
    hint: guess ? `Did you mean ${guess}?` : `Steps: ${ids.join(', ')}.`,
  })
}

const outputOf = (run: PipelineRun | undefined, step: OpenedStep): Pick<StepRecord, 'output'> => {
  const record = run?.steps.find(({ id, kind }) => id === step.id && kind === step.kind)
  return record?.output === undefined ? {} : { output: record.output }
}

/** What an interrupted run has behind it. In memory nothing stays. */
const doneBefore = (
  pipeline: OpenedPipeline,
  resume: PipelineRun | undefined,
  step: OpenedStep,
): StepRecord | undefined => {
  const record = resume?.steps.find(({ id, kind }) => id === step.id && kind === step.kind)
  if (!record) return undefined
  const final = ['succeeded', 'failed', 'skipped', 'reused'].includes(record.status)
  if (final && pipeline.into !== ':memory:') return record
  return { id: record.id, kind: record.kind, status: 'waiting', tries: record.tries }
}

interface RunState {
  readonly pipeline: OpenedPipeline
  readonly context: PipelineContext
  readonly clock: () => Date
  readonly engines: Engines
  readonly alerts: RunAlerts
  readonly started: PipelineRun
}

const runSteps = async (state: RunState): Promise<PipelineRun> => {
  const { pipeline, context, clock, alerts } = state
  const signal = context.signal ?? new AbortController().signal
  const journal = createJournal(context, state.started, alerts.changed)
  await journal.change({})
  alerts.started(journal.run())
  context.onEvent?.({ type: 'run-started', run: journal.run() })
  let stopped = false
  for (const [index, step] of pipeline.steps.entries()) {
    if (journal.step(index).status !== 'waiting') continue
    if (context.stop?.aborted && !signal.aborted) {
      stopped = true
      break
    }
    if (signal.aborted) {
      await journal.changeStep(index, { status: 'cancelled' })
      continue
    }
    const reason = reasonToSkip(step.condition, journal.run().steps.slice(0, index))
    if (reason === undefined) await oneStep(state, journal, step, index, signal)
    else await journal.changeStep(index, { status: 'skipped' })
    context.onEvent?.({ type: 'step-finished', step: journal.step(index) })
  }
  const failed = journal.run().steps.find((step) => step.status === 'failed' && !step.tolerated)
  const cancelled = journal.run().steps.find((step) => step.status === 'cancelled')
  const error = signal.aborted ? errorRecord(toConnectorError(signal.reason)) : failed?.error
  await journal.change({
    status: stopped
      ? 'interrupted'
      : signal.aborted && cancelled
        ? 'cancelled'
        : failed
          ? 'failed'
          : 'succeeded',
    ...(stopped ? {} : { finishedAt: clock().toISOString() }),
    ...(error && (failed || cancelled) ? { error } : {}),
  })
  alerts.finished(journal.run())
  const deliveries = await alerts.settle()
  if (deliveries.length > 0) await journal.change({ alerts: deliveries })
  context.onEvent?.({ type: 'run-finished', run: journal.run() })
  return journal.run()
}

const oneStep = async (
  state: RunState,
  journal: Journal,
  step: OpenedStep,
  index: number,
  signal: AbortSignal,
): Promise<void> => {
  const { pipeline, context, clock, engines, started } = state
  const before = journal.step(index).tries
  try {
    const outcome = await tryStep(
      step,
      (both, number) =>
        runStep(step, {
          pipeline,
          context,
          runId: started.runId,
          scheduledTime: started.scheduledTime,
          retried: before + number > 1,
          values: journal.values(),
          clock,
          signal: both,
          onProgress: (event) => context.onEvent?.({ type: 'progress', step: step.id, event }),
          onAction: (progress) => context.onEvent?.({ type: 'action-progress', step: step.id, progress }),
          withEngine: engines.withEngine,
        }),
      {
        signal,
        onTry: async (number) => {
          const startedAt = journal.step(index).startedAt ?? clock().toISOString()
          await journal.changeStep(index, { status: 'running', tries: before + number, startedAt })
          if (number === 1) context.onEvent?.({ type: 'step-started', step: journal.step(index) })
        },
        onRetry: (_number, error) =>
          context.onEvent?.({
            type: 'step-retry',
            step: journal.step(index),
            delayMs: step.retries.delay,
            reason: error.message.split('\n', 1)[0] ?? '',
          }),
      },
    )
    await journal.changeStep(index, {
      status: 'succeeded',
      finishedAt: clock().toISOString(),
      output: context.redact(plainData(outcome.output)),
      ...(outcome.rows === undefined ? {} : { rows: outcome.rows }),
      ...(outcome.rowsLost === undefined ? {} : { rowsLost: outcome.rowsLost }),
    })
  } catch (thrown) {
    const error = toConnectorError(thrown)
    await journal.changeStep(index, {
      status: signal.aborted ? 'cancelled' : 'failed',
      finishedAt: clock().toISOString(),
      error: context.redact(errorRecord(error)) as NonNullable<StepRecord['error']>,
      ...(step.continueOnError ? { tolerated: true } : {}),
    })
  }
}
