import {
  advance,
  errorFields,
  initialProgress,
  type ProgressState,
  rateOf,
  remainingOf,
  type TableProgress,
} from '@penstock/command-kit'
import { ConnectorError, type ProgressEvent, type RunRecord, toConnectorError } from '@penstock/core'
import {
  createRunId,
  errorOf,
  type PipelineEvent,
  type PipelineRun,
  type StepRecord,
} from '@penstock/runtime'
import type { ApiError, LiveRun, LiveStep, LiveTable, RunStatus } from '../api.ts'
import { runDetail } from './run-info.ts'

/** Between two messages about a run, in ms: calm for the eye, and cheap. */
const messageEvery = 150
/** Runs that are over and can still be looked at live; the history has all of them. */
const keptRuns = 50
/** Notices of a run that are kept. */
const keptNotices = 100

/** What a run tells while it is at work. */
export interface RunReporter {
  readonly runId: string
  readonly signal: AbortSignal
  readonly onProgress: (event: ProgressEvent) => void
  readonly onPipeline: (event: PipelineEvent) => void
  readonly onNotice: (message: string) => void
}

type RunSubject = Pick<LiveRun, 'title' | 'connection' | 'pipeline' | 'into'>
type Work = (reporter: RunReporter) => Promise<RunRecord | PipelineRun>

/** The runs that this server has started. */
export interface LiveRuns {
  /** Starts a run and comes back at once. */
  start(subject: RunSubject, work: Work): LiveRun
  list(): readonly LiveRun[]
  /** Throws `not-found`. */
  get(id: string): LiveRun
  cancel(id: string): void
  /** Calls `listener` with the run as it is now and after each change; the last call has its end. */
  watch(id: string, listener: (run: LiveRun) => void): () => void
  /** Cancels everything and waits for it to clean up. */
  close(): Promise<void>
}

interface Entry {
  readonly id: string
  readonly subject: RunSubject
  readonly startedAt: string
  readonly controller: AbortController
  readonly listeners: Set<(run: LiveRun) => void>
  progress: ProgressState
  steps: Map<string, StepRecord>
  notices: string[]
  records: RunRecord[]
  status: RunStatus
  error?: ApiError
  finishedAt?: string
  timer?: NodeJS.Timeout
  ended: Promise<void>
}

export const createLiveRuns = (): LiveRuns => {
  const entries = new Map<string, Entry>()
  const entryOf = (id: string): Entry => {
    const entry = entries.get(id)
    if (entry) return entry
    throw new ConnectorError('not-found', `No run ${id} was started here.`, { code: 'NoSuchRun' })
  }
  const tell = (entry: Entry) => {
    clearTimeout(entry.timer)
    delete entry.timer
    const run = snapshot(entry)
    for (const listener of entry.listeners) listener(run)
  }
  const changed = (entry: Entry) => {
    entry.timer ??= setTimeout(() => tell(entry), messageEvery)
  }
  const forget = () => {
    const over = [...entries.values()].filter(({ status }) => status !== 'running')
    for (const { id } of over.slice(0, Math.max(0, over.length - keptRuns))) entries.delete(id)
  }
  return Object.freeze({
    start: (subject: RunSubject, work: Work) => {
      const id = createRunId()
      const entry: Entry = {
        id,
        subject,
        startedAt: new Date().toISOString(),
        controller: new AbortController(),
        listeners: new Set(),
        progress: initialProgress,
        steps: new Map(),
        notices: [],
        records: [],
        status: 'running',
        ended: Promise.resolve(),
      }
      entries.set(id, entry)
      entry.ended = carryOut(entry, work, () => changed(entry)).then(() => {
        tell(entry)
        forget()
      })
      return snapshot(entry)
    },
    list: () => [...entries.values()].map(snapshot).reverse(),
    get: (id: string) => snapshot(entryOf(id)),
    cancel: (id: string) => {
      const entry = entryOf(id)
      stop(entry, 'Cancelled in the web view.')
      changed(entry)
    },
    watch: (id: string, listener: (run: LiveRun) => void) => {
      const entry = entryOf(id)
      entry.listeners.add(listener)
      listener(snapshot(entry))
      return () => void entry.listeners.delete(listener)
    },
    close: async () => {
      for (const entry of entries.values()) stop(entry, 'The web view was stopped.')
      await Promise.all([...entries.values()].map(({ ended }) => ended))
    },
  })
}

const stop = ({ controller, status }: Entry, message: string): void => {
  if (status === 'running' && !controller.signal.aborted)
    controller.abort(new ConnectorError('cancelled', message, { code: 'Interrupted' }))
}

const carryOut = async (entry: Entry, work: Work, changed: () => void): Promise<void> => {
  const onProgress = (event: ProgressEvent) => {
    entry.progress = advance(entry.progress, event, Date.now())
    if (event.type === 'notice')
      notice(event.table === undefined ? event.message : `${event.table}: ${event.message}`)
    changed()
  }
  const notice = (message: string) => {
    if (entry.notices.length < keptNotices) entry.notices.push(message)
    changed()
  }
  const onPipeline = (event: PipelineEvent) => {
    if (event.type === 'progress') return onProgress(event.event)
    if (event.type === 'notice') return notice(event.message)
    if (event.type === 'run-started') for (const step of event.run.steps) entry.steps.set(step.id, step)
    if (event.type === 'recorded') entry.records.push(event.record)
    if (event.type === 'step-retry') notice(`${event.step.id} failed and is tried again: ${event.reason}`)
    if ('step' in event && typeof event.step === 'object') entry.steps.set(event.step.id, event.step)
    changed()
  }
  try {
    const { signal } = entry.controller
    const run = await work({ runId: entry.id, signal, onProgress, onPipeline, onNotice: notice })
    const error = errorOf(run)
    entry.status = run.status
    if (error) entry.error = errorFields(error)
    if ('steps' in run) for (const step of run.steps) entry.steps.set(step.id, step)
    else entry.records.push(run)
  } catch (thrown) {
    const error = toConnectorError(entry.controller.signal.aborted ? entry.controller.signal.reason : thrown)
    entry.status = error.kind === 'cancelled' ? 'cancelled' : 'failed'
    entry.error = errorFields(error)
  }
  entry.finishedAt = new Date().toISOString()
}

const snapshot = (entry: Entry): LiveRun => ({
  id: entry.id,
  ...entry.subject,
  status: entry.status,
  cancelling: entry.status === 'running' && entry.controller.signal.aborted,
  startedAt: entry.startedAt,
  ...(entry.finishedAt === undefined ? {} : { finishedAt: entry.finishedAt }),
  tables: [...entry.progress.tables.values()].map((table) => liveTable(entry.progress, table)),
  steps: [...entry.steps.values()].map(liveStep),
  notices: [...entry.notices],
  records: entry.records.map(runDetail),
  ...(entry.error ? { error: entry.error } : {}),
})

const liveTable = (state: ProgressState, table: TableProgress): LiveTable => {
  const { listedObjects: _objects, listedBytes: _bytes, objectsLoaded, ...counts } = table
  const rate = table.phase === 'finished' ? undefined : rateOf(state, table.name)
  const remainingMs = remainingOf(table, rate)
  return {
    ...counts,
    objects: table.phase === 'listing' ? table.listedObjects : objectsLoaded,
    ...(rate === undefined ? {} : { rate }),
    ...(remainingMs === undefined ? {} : { remainingMs }),
  }
}

const liveStep = ({ id, kind, status, rows, startedAt, finishedAt, error }: StepRecord): LiveStep => ({
  id,
  kind,
  status,
  ...(rows === undefined ? {} : { rows }),
  ...(startedAt === undefined ? {} : { startedAt }),
  ...(finishedAt === undefined ? {} : { finishedAt }),
  ...(error ? { error } : {}),
})
