import type { ErrorRecord, RunRecord } from '@penstock/core'
import type { AlertDelivery } from '../alerts/alerts.ts'
import type { StepKind } from '../project/step-schema.ts'

export type StepStatus =
  | 'waiting'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'skipped'
  | 'cancelled'
  /** Not run: its values are those of an earlier run. */
  | 'reused'

/** What became of one step. Part of `--json` and of the history of pipelines. */
export interface StepRecord {
  readonly id: string
  readonly kind: StepKind
  readonly status: StepStatus
  /** Tries so far, of this run and of those that were interrupted. */
  readonly tries: number
  /** ISO 8601, UTC. */
  readonly startedAt?: string
  readonly finishedAt?: string
  /** Rows that it moved or changed. */
  readonly rows?: number
  /** Rows that were read and did not arrive: rejected, dropped. */
  readonly rowsLost?: number
  /** What `${steps.ID...}` names. Absent where it was too large to be kept. */
  readonly output?: unknown
  readonly error?: ErrorRecord
  /** The failure neither failed nor stopped the run. */
  readonly tolerated?: boolean
}

/** One run of a pipeline. */
export interface PipelineRun {
  readonly runId: string
  readonly pipeline: string
  readonly status: RunRecord['status']
  /** The DuckDB file that it worked on. */
  readonly into?: string
  /** Time that the schedule asked for, where it was a schedule. ISO 8601, UTC. */
  readonly scheduledTime?: string
  readonly startedAt: string
  readonly finishedAt?: string
  /** How often it was begun: more than once when it was interrupted. */
  readonly attempts: number
  readonly steps: readonly StepRecord[]
  /** The first failure that was not tolerated. */
  readonly error?: ErrorRecord
  /** Alerts that were sent, and those that failed. */
  readonly alerts?: readonly AlertDelivery[]
}
