import { countOf, formatDuration, printable } from '@penstock/command-kit'
import type { PipelineEvent, PipelineRun, ServeEvent, StepRecord } from '@penstock/runtime'

/** One entry of the log: facts for JSON, words for a person. */
export interface LogEntry {
  readonly facts: Readonly<Record<string, unknown>>
  readonly text: string
}

const iso = (time: Date | undefined): string | undefined => time?.toISOString()

/** What `serve` tells about schedules and runs. */
export const serveEntry = (event: ServeEvent): LogEntry => {
  const { type, ...rest } = event
  const entry = (text: string, facts: Readonly<Record<string, unknown>> = rest): LogEntry => ({
    text: printable('pipeline' in event ? `${event.pipeline}: ${text}` : text),
    facts: { event: type, ...facts },
  })
  switch (event.type) {
    case 'serving':
      return entry(`serving ${countOf(event.pipelines, 'schedule')}, Ctrl-C ends it`)
    case 'scheduled':
      return entry(event.next ? `next at ${iso(event.next)}` : 'the schedule is over', {
        pipeline: event.pipeline,
        next: iso(event.next),
      })
    case 'missed':
      return entry(`missed ${countOf(event.count, 'time')} until ${iso(event.until)}, not made up for`, {
        pipeline: event.pipeline,
        count: event.count,
        until: iso(event.until),
      })
    case 'run-started':
      return entry(
        `${event.resumed ? 'goes on with' : 'starts'} run ${event.runId}, due ${iso(event.scheduledTime)}`,
        { ...rest, scheduledTime: iso(event.scheduledTime) },
      )
    case 'run-finished': {
      const outcome = `run ${event.run.runId} ${outcomeOf(event.run)}`
      // An error ends with a full stop of its own.
      const next = event.next ? `${outcome.endsWith('.') ? ' Next' : ', next'} at ${iso(event.next)}` : ''
      return entry(`${outcome}${next}`, {
        pipeline: event.pipeline,
        next: iso(event.next),
        ...runFacts(event.run),
      })
    }
    case 'waiting':
      return entry(`waits: ${event.reason}`)
    case 'given-up':
      return entry(`run ${event.runId} was interrupted ${event.attempts} times and is given up`)
    case 'reloaded':
      return entry(`read penstock.yaml again: ${countOf(event.pipelines, 'schedule')}`)
    case 'reload-failed':
      return entry(`penstock.yaml is wrong now, the former one stays in force: ${event.error.message}`, {
        error: { kind: event.error.kind, message: event.error.message },
      })
    case 'stopping':
      return entry(`stopping, waits for ${event.running.join(', ')}`)
    case 'stopped':
      return entry('stopped')
  }
}

const outcomeOf = (run: PipelineRun): string => {
  const time =
    run.finishedAt === undefined
      ? ''
      : ` in ${formatDuration(Date.parse(run.finishedAt) - Date.parse(run.startedAt))}`
  if (run.status === 'cancelled' || run.status === 'interrupted')
    return 'stopped, the next start goes on with it'
  return run.error ? `${run.status}${time}: ${run.error.message.split('\n')[0]}` : `${run.status}${time}`
}

const runFacts = (run: PipelineRun) => ({
  runId: run.runId,
  status: run.status,
  scheduledTime: run.scheduledTime,
  startedAt: run.startedAt,
  finishedAt: run.finishedAt,
  attempts: run.attempts,
  error: run.error,
  alerts: run.alerts,
})

/** What is worth a line of the log in a run: the end of each step, retries and notices. */
export const runEntry = (pipeline: string, event: PipelineEvent): LogEntry | undefined => {
  const entry = (text: string, facts: Readonly<Record<string, unknown>>): LogEntry => ({
    text: printable(`${pipeline}: ${text}`),
    facts: { event: event.type, pipeline, ...facts },
  })
  switch (event.type) {
    case 'step-finished':
      return entry(stepText(event.step), stepFacts(event.step))
    case 'step-retry':
      return entry(
        `step ${event.step.id} failed (${event.reason}), again in ${formatDuration(event.delayMs)}`,
        { ...stepFacts(event.step), delayMs: event.delayMs, reason: event.reason },
      )
    case 'notice':
      return entry(event.message, { message: event.message })
    default:
      return undefined
  }
}

const stepText = ({ id, status, rows, error, tolerated }: StepRecord): string => {
  const moved = rows === undefined ? '' : `, ${countOf(rows, 'row')}`
  const why = error ? `: ${error.message.split('\n')[0]}${tolerated ? ' The run goes on.' : ''}` : ''
  return `step ${id} ${status}${moved}${why}`
}

const stepFacts = ({ id, kind, status, tries, rows, rowsLost, error, tolerated }: StepRecord) => ({
  step: id,
  kind,
  status,
  tries,
  rows,
  rowsLost,
  error,
  tolerated,
})
