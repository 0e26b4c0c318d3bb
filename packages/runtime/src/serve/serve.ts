import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ConnectorError } from '@penstock/core'
import type { PipelineRun } from '../pipeline/record.ts'
import type { RunPipelineOptions } from '../pipeline/run.ts'
import { prepareStateFolder } from '../project/edit.ts'
import { pipelineHistory } from '../project/history.ts'
import { acquireLock } from '../project/lock.ts'
import type { Project } from '../project/project.ts'
import { nextTime } from '../schedule/times.ts'
import type { ServeEvent } from './events.ts'
import { openServeState, type PipelineState, type ServeState } from './state.ts'
import { takeUp } from './take-up.ts'
import { watchProject } from './watched-project.ts'

/** One run as `serve` asks for it. What fails is in its record; throws the `conflict` of a pipeline that runs already. */
export type ServedRun = (
  project: Project,
  pipeline: string,
  options: RunPipelineOptions & { readonly signal: AbortSignal; readonly stop: AbortSignal },
) => Promise<PipelineRun>

export interface ServeOptions {
  /** The project file. */
  readonly file: string
  /** Runs a pipeline: {@link runPipeline} with the engine and the connections of the program. */
  readonly run: ServedRun
  /** Aborted to end. */
  readonly signal: AbortSignal
  /** What the end does to a step that runs: `cancel` it, or `finish` it first (default cancel). The next start goes on. */
  readonly onStop?: 'cancel' | 'finish'
  /** Run what is due now, and end. */
  readonly once?: boolean
  /** Pipelines that run at once, at most (default 2). Two that work on one database never do. */
  readonly concurrency?: number
  readonly onEvent?: (event: ServeEvent) => void
  readonly clock?: () => Date
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Ms between two looks at the clock and at the project file. */
const lookEvery = 1_000
/** Ms until a pipeline that somebody else runs is looked at again. */
const waitForOther = 5_000
/** Times that a run is begun before it is given up: something in it may kill the process. */
const mostAttempts = 5

/**
 * Runs the schedules of a project until the signal is aborted, or, with `once`, until nothing is due. One instance
 * per project, else `conflict`; one run per pipeline at a time.
 *
 * What is due is on disk before it starts, and is removed from there after its end: whenever the process dies, the
 * next one goes on with that run as the same run, and runs nothing twice. Returns the runs that ended.
 */
export const serve = async (options: ServeOptions): Promise<readonly PipelineRun[]> => {
  const project = await watchProject(options.file)
  const { folder } = project.current()
  const clock = options.clock ?? (() => new Date())
  const lock = await acquireLock(join(await prepareStateFolder(folder), 'serve.lock'), {
    subject: 'The schedules of this project are served',
    code: 'ServeRunning',
    now: clock(),
  })
  try {
    const onEvent = options.onEvent ?? (() => {})
    const state = await openServeState(folder)
    const served: Served = { options, clock, onEvent, state, folder, running: new Map(), ended: [] }
    onEvent({ type: 'serving', pipelines: scheduledOf(project.current()).length })
    await loop(served, project)
    return served.ended
  } finally {
    await lock.release()
  }
}

interface Served {
  readonly options: ServeOptions
  readonly clock: () => Date
  readonly onEvent: (event: ServeEvent) => void
  readonly state: ServeState
  readonly folder: string
  /** Runs under way by pipeline, with the database that each works on. */
  readonly running: Map<string, { readonly done: Promise<void>; readonly database: string | undefined }>
  readonly ended: PipelineRun[]
}

const scheduledOf = (project: Project) =>
  Object.values(project.pipelines).filter(({ schedule }) => schedule !== undefined)

const loop = async (served: Served, watched: Awaited<ReturnType<typeof watchProject>>): Promise<void> => {
  const { options, clock, onEvent, state, running } = served
  const { signal } = options
  while (!signal.aborted) {
    const changed = await watched.refresh()
    if (ConnectorError.isInstance(changed)) onEvent({ type: 'reload-failed', error: changed })
    else if (changed) onEvent({ type: 'reloaded', pipelines: scheduledOf(changed).length })
    const project = watched.current()
    for (const name of state.names()) if (!project.pipelines[name]) await state.set(name, undefined)
    for (const pipeline of Object.values(project.pipelines)) await takeUp(state, pipeline, clock(), onEvent)
    await startPending(served, project)
    if (options.once && running.size === 0 && pendingOf(state).length === 0) break
    await nextLook(served, project)
  }
  if (running.size > 0) {
    onEvent({ type: 'stopping', running: [...running.keys()] })
    await Promise.all([...running.values()].map(({ done }) => done))
  }
  onEvent({ type: 'stopped' })
}

const pendingOf = (state: ServeState): readonly string[] =>
  state.names().filter((name) => state.get(name)?.run !== undefined)

/** Starts the runs that were taken up, now or by a process that died, as far as there is room. */
const startPending = async (served: Served, project: Project): Promise<void> => {
  const { state, running, options } = served
  for (const name of pendingOf(state)) {
    const pending = state.get(name)
    if (!pending?.run || running.has(name)) continue
    const pipeline = project.pipelines[name]
    if (!pipeline) continue
    const databases = [...running.values()].map(({ database }) => database)
    if (running.size >= (options.concurrency ?? 2)) return
    if (pipeline.into !== undefined && databases.includes(pipeline.into)) continue
    const done = runPending(served, project, name, pending).finally(() => running.delete(name))
    running.set(name, { done, database: pipeline.into === ':memory:' ? undefined : pipeline.into })
  }
}

const runPending = async (
  served: Served,
  project: Project,
  name: string,
  pending: PipelineState,
): Promise<void> => {
  const { state, onEvent, clock, folder } = served
  const { runId = '', scheduledTime = '' } = pending.run ?? {}
  const before = await earlierRecord(folder, runId)
  const settle = async (run: PipelineRun | undefined) => {
    const { run: _, ...rest } = state.get(name) ?? pending
    await state.set(name, rest)
    const schedule = project.pipelines[name]?.schedule
    const next = schedule && nextTime(schedule, clock())
    if (run) onEvent({ type: 'run-finished', pipeline: name, run, ...(next ? { next } : {}) })
  }
  // It had ended, and the process died before it could say so.
  if (before?.status === 'succeeded' || before?.status === 'failed') return settle(before)
  if (before && before.attempts >= mostAttempts) {
    onEvent({ type: 'given-up', pipeline: name, runId, attempts: before.attempts })
    return settle(undefined)
  }
  onEvent({
    type: 'run-started',
    pipeline: name,
    runId,
    scheduledTime: new Date(scheduledTime),
    resumed: before !== undefined,
  })
  const run = await runOnce(served, project, name, {
    runId,
    scheduledTime: new Date(scheduledTime),
    ...(before ? { resume: before } : {}),
  })
  if (!run) return
  served.ended.push(run)
  // What the end of this process has interrupted is taken up by the next one.
  if (run.status === 'cancelled' || run.status === 'interrupted')
    return onEvent({ type: 'run-finished', pipeline: name, run })
  await settle(run)
}

const earlierRecord = async (folder: string, runId: string): Promise<PipelineRun | undefined> => {
  try {
    return await pipelineHistory(folder).read(runId)
  } catch (error) {
    if (ConnectorError.isInstance(error) && error.kind === 'not-found') return undefined
    throw error
  }
}

/** Runs it; undefined when it is running elsewhere, which is looked at again later. */
const runOnce = async (
  { options, onEvent }: Served,
  project: Project,
  name: string,
  run: RunPipelineOptions,
): Promise<PipelineRun | undefined> => {
  const never = new AbortController().signal
  const cancel = (options.onStop ?? 'cancel') === 'cancel'
  try {
    return await options.run(project, name, {
      ...run,
      signal: cancel ? options.signal : never,
      stop: options.signal,
    })
  } catch (error) {
    if (!(ConnectorError.isInstance(error) && error.code === 'PipelineRunning')) throw error
    onEvent({ type: 'waiting', pipeline: name, reason: error.message })
    await pause(options, waitForOther)
    return undefined
  }
}

/** Waits for the next due time, the end of a run, a change of the file or the end. */
const nextLook = async (served: Served, project: Project): Promise<void> => {
  const { clock, state, running } = served
  const now = clock()
  const times = scheduledOf(project).flatMap(({ name, schedule }) => {
    const handled = state.get(name)?.handled
    const next = schedule && nextTime(schedule, handled === undefined ? now : new Date(handled))
    return next ? [next.getTime()] : []
  })
  const untilDue = Math.max(50, Math.min(...times, now.getTime() + lookEvery) - now.getTime())
  await Promise.race([pause(served.options, untilDue), ...[...running.values()].map(({ done }) => done)])
}

const pause = async (options: ServeOptions, ms: number): Promise<void> => {
  const sleep = options.sleep ?? ((time, signal) => wait(time, undefined, { signal }))
  await sleep(ms, options.signal).catch(() => {})
}
