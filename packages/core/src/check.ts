import type { ConnectorError } from './errors.ts'

/** One step of a connection's check, in the order in which it ran. */
export interface CheckStep {
  /** Stable id: `credentials`, `bucket`, `list`, `read` ... */
  readonly id: string
  /** What was tried, in the user's words. */
  readonly title: string
  readonly status: 'passed' | 'failed' | 'skipped'
  /** What was found, or why the step was skipped. */
  readonly detail?: string
  readonly error?: ConnectorError
}
