import type { WriteRequest } from '@penstock/core'
import type { S3Context } from '../config.ts'
import type { RunNames } from '../names.ts'
import type { Author } from '../objects.ts'
import type { S3ExportOptions } from '../options.ts'
import type { Begin, State } from '../state/documents.ts'
import type { HeldLease } from '../state/lease.ts'
import type { Store } from '../state/store.ts'
import type { HoldLimits } from './staged.ts'

/** One try of a run, while it writes. */
export interface Try {
  readonly context: S3Context
  readonly request: WriteRequest<S3ExportOptions>
  readonly store: Store
  readonly lease: HeldLease
  readonly author: Author
  readonly names: RunNames
  readonly manifestKey: string | undefined
  /** Runs that are in the bucket. */
  readonly runs: State['runs']
  /** Keys of former runs that this one may replace; none when it appends. */
  readonly own: ReadonlySet<string>
  readonly begin: Begin
  /** Uploads that were begun: ids, and their keys. */
  readonly uploads: Map<string, string>
  /** Aborts with the run, and when the lease is lost. */
  readonly signal: AbortSignal
  readonly hold: HoldLimits | undefined
}
