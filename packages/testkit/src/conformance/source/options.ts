import type { AnySource, ConnectionInput } from '@penstock/core'
import type { ConformanceOptions } from '../options.ts'

/** What the suite has to know of a source. */
export interface SourceOptions<Connector extends AnySource = AnySource>
  extends ConformanceOptions<Connector> {
  /** Selections that name tables which `tables` does not give, as the connector's `selection` schema takes them. */
  readonly selections?: readonly unknown[]
  /** Overwrites files that were listed, so that what their entries name is gone: for tables of files. */
  readonly change?: () => Promise<void>
  /** Adds something to every table on the other side: later rows, further files. */
  readonly grow?: () => Promise<void>
  /** A configuration whose tables have no rows. */
  readonly empty?: ConnectionInput<Connector>
  /** Rows as they are on the other side, by table: what a full read has to give to the letter. */
  readonly expected?: Readonly<Record<string, readonly object[]>>
  /** A configuration with a table of many pages; only its first 50 pages are read. */
  readonly large?: ConnectionInput<Connector>
  /** Requests that a read may send before its second page is asked for (default 3). */
  readonly requestsAhead?: number
}
