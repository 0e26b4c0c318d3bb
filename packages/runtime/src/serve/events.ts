import type { ConnectorError } from '@penstock/core'
import type { PipelineRun } from '../pipeline/record.ts'

/** What `serve` tells. */
export type ServeEvent =
  | { readonly type: 'serving'; readonly pipelines: number }
  /** A schedule is followed from now on. */
  | { readonly type: 'scheduled'; readonly pipeline: string; readonly next?: Date }
  /** Due times that passed and are not made up for. */
  | { readonly type: 'missed'; readonly pipeline: string; readonly count: number; readonly until: Date }
  | {
      readonly type: 'run-started'
      readonly pipeline: string
      readonly runId: string
      readonly scheduledTime: Date
      /** True for a run that was interrupted and goes on. */
      readonly resumed: boolean
    }
  | {
      readonly type: 'run-finished'
      readonly pipeline: string
      readonly run: PipelineRun
      readonly next?: Date
    }
  /** The run could not begin and is tried again. */
  | { readonly type: 'waiting'; readonly pipeline: string; readonly reason: string }
  /** A run that was interrupted too often. */
  | {
      readonly type: 'given-up'
      readonly pipeline: string
      readonly runId: string
      readonly attempts: number
    }
  | { readonly type: 'reloaded'; readonly pipelines: number }
  | { readonly type: 'reload-failed'; readonly error: ConnectorError }
  | { readonly type: 'stopping'; readonly running: readonly string[] }
  | { readonly type: 'stopped' }
