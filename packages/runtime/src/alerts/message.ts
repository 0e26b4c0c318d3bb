import { basename } from 'node:path'
import type { ErrorKind, ErrorPlace, ErrorRecord } from '@penstock/core'
import type { PipelineRun } from '../pipeline/record.ts'
import type { AlertEvent } from './alert-schema.ts'

/** What an alert says about a step. */
interface AlertStep {
  readonly id: string
  readonly kind: string
  readonly status: string
  readonly tries: number
  readonly rows?: number
  readonly rowsLost?: number
}

/** What went wrong, without what rows hold: an error about data names its place, and not the value. */
interface AlertError {
  readonly kind: ErrorKind
  readonly code?: string
  readonly message?: string
  readonly hint?: string
  readonly place?: Omit<ErrorPlace, 'value'>
}

/** One event as webhooks and commands get it, in JSON. `text` is what Slack shows. */
export interface AlertMessage {
  readonly text: string
  readonly event: AlertEvent
  readonly project: string
  readonly pipeline: string
  readonly runId: string
  readonly status: string
  readonly scheduledTime?: string
  readonly startedAt: string
  readonly finishedAt?: string
  readonly durationMs?: number
  readonly rows: number
  readonly rowsLost: number
  readonly steps: readonly AlertStep[]
  readonly error?: AlertError
}

/** The message of an event. Nothing in it comes from a row. */
export const alertMessage = (
  event: AlertEvent,
  run: PipelineRun,
  { folder, reason }: { folder: string; reason: string },
): AlertMessage => {
  const sum = (field: 'rows' | 'rowsLost') => run.steps.reduce((total, step) => total + (step[field] ?? 0), 0)
  return {
    text: `${run.pipeline}: ${reason}`,
    event,
    project: basename(folder),
    pipeline: run.pipeline,
    runId: run.runId,
    status: run.status,
    ...(run.scheduledTime === undefined ? {} : { scheduledTime: run.scheduledTime }),
    startedAt: run.startedAt,
    ...(run.finishedAt === undefined
      ? {}
      : { finishedAt: run.finishedAt, durationMs: Date.parse(run.finishedAt) - Date.parse(run.startedAt) }),
    rows: sum('rows'),
    rowsLost: sum('rowsLost'),
    steps: run.steps.map(({ id, kind, status, tries, rows, rowsLost }) => ({
      id,
      kind,
      status,
      tries,
      ...(rows === undefined ? {} : { rows }),
      ...(rowsLost === undefined ? {} : { rowsLost }),
    })),
    ...(run.error === undefined ? {} : { error: alertError(run.error, mayQuoteRows(run)) }),
  }
}

const failedStep = (run: PipelineRun) =>
  run.steps.find(({ status, tolerated }) => status === 'failed' && !tolerated)

/** An error about data may quote it, and one of SQL a value of an earlier step that stands in the statement. */
const mayQuoteRows = (run: PipelineRun): boolean =>
  run.error?.kind === 'data' || run.error?.kind === 'internal' || failedStep(run)?.kind === 'sql'

const alertError = ({ kind, code, message, hint, place }: ErrorRecord, secretive: boolean): AlertError => {
  const { value: _, ...where } = place ?? {}
  return {
    kind,
    ...(code === undefined ? {} : { code }),
    ...(secretive ? {} : { message, ...(hint === undefined ? {} : { hint }) }),
    ...(Object.keys(where).length === 0 ? {} : { place: where }),
  }
}

/** The failure of a run in one line: the step, and the message where it can't quote a row. */
export const failureReason = (run: PipelineRun): string => {
  const step = failedStep(run)
  const where = step ? ` in step ${step.id}` : ''
  const { error } = run
  if (!error) return `${run.status}${where}`
  const what = mayQuoteRows(run) ? `an error of the kind ${error.kind}` : error.message.split('\n')[0]
  return `failed${where}: ${what}`
}
