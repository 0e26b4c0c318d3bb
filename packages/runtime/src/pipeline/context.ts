import type { ActionProgress, Connection, ProgressEvent, RunRecord, TableEngine } from '@penstock/core'
import type { Project } from '../project/project.ts'
import type { ResourceOptions } from '../project/schema.ts'
import type { PipelineRun, StepRecord } from './record.ts'

/** What a run of a pipeline tells while it runs. */
export type PipelineEvent =
  | { readonly type: 'run-started'; readonly run: PipelineRun }
  | { readonly type: 'step-started'; readonly step: StepRecord }
  | {
      readonly type: 'step-retry'
      readonly step: StepRecord
      readonly delayMs: number
      readonly reason: string
    }
  | { readonly type: 'progress'; readonly step: string; readonly event: ProgressEvent }
  /** How far the action of a step is. */
  | { readonly type: 'action-progress'; readonly step: string; readonly progress: ActionProgress }
  /** The record of an extraction or an export that a step has done. */
  | { readonly type: 'recorded'; readonly step: string; readonly record: RunRecord }
  | { readonly type: 'step-finished'; readonly step: StepRecord }
  | { readonly type: 'run-finished'; readonly run: PipelineRun }
  | { readonly type: 'notice'; readonly message: string }

/** What a program gives a pipeline to run with: engines and connections are its own. */
export interface PipelineContext {
  readonly project: Project
  /** A connection of the project, ready for use. */
  readonly openConnection: (name: string) => Promise<Connection>
  /** Opens the database. `contained`: its SQL may reach neither files nor the network. */
  readonly openEngine: (
    path: string,
    options: ResourceOptions & { readonly contained: boolean },
  ) => Promise<TableEngine>
  /** Hides secrets in what is kept, told and passed on to later steps. */
  readonly redact: (value: unknown) => unknown
  /** Told of secrets beside those of connections. */
  readonly addSecrets: (secrets: readonly string[]) => void
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly clock?: () => Date
  /** Cancels the step that runs, and the run. */
  readonly signal?: AbortSignal
  /** Ends the run after the step that runs. It can be continued as the same run. */
  readonly stop?: AbortSignal
  readonly onEvent?: (event: PipelineEvent) => void
}
