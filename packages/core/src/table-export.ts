import type { ExportStream } from './destination.ts'

/** What of a table or query is exported, and under which names. Applied in this order: window, mandatory, dedupe, columns. */
export interface ExportMapping {
  /** Columns in the order of the files (default: all). Names of the table or query. */
  readonly columns?: readonly string[]
  /** New names by old ones. */
  readonly rename?: Readonly<Record<string, string>>
  /** Rows with a null in one of these columns are dropped and counted. */
  readonly mandatory?: readonly string[]
  /**
   * One row per key, the one with the highest `latest` (null is lowest). Ties are decided by the other columns, in
   * their order, so that the same rows always give the same winner. A row with a null in its key has no key and stays.
   */
  readonly dedupe?: { readonly key: readonly string[]; readonly latest: string }
  /** Columns that identify a row at the destination: the key of the stream's schema, under the new names. */
  readonly key?: readonly string[]
}

/** A cursor column and the window of it that is exported. */
export interface ExportWindow {
  readonly column: string
  /** Rows beyond this value; absent: all rows, those with a null cursor among them. */
  readonly after?: string
  /** Rows up to this value, where an earlier try has fixed it (default: the highest one in the snapshot). */
  readonly to?: string
}

/** One stream to open: a table or a SELECT. */
export interface ExportSelection extends ExportMapping {
  /** Stable between runs: a uuid. */
  readonly id: string
  readonly name: string
  readonly from: { readonly table: string } | { readonly sql: string }
  readonly window?: ExportWindow
}

/** Rows of a stream that did not leave, and why. */
export interface ExportLosses {
  /** Lacked a mandatory column. */
  readonly dropped: number
  /** Lost to a later row of the same key. */
  readonly deduplicated: number
  /** Had a null cursor, so that nobody can tell whether they are new; only after the first, full export. */
  readonly nullCursors: number
}

/** What can be told of a stream without writing it. */
export interface ExportEstimate {
  readonly rows: number
  /** Bytes as plain text, from a sample of the rows. */
  readonly bytes: number
}

export interface OpenedStream extends ExportStream {
  /** Runs the query once, for counting alone. */
  estimate(): Promise<ExportEstimate>
  /** Counts what is left out; a pass over the data where the mapping leaves anything out. */
  losses(): Promise<ExportLosses>
}

/** Streams of one snapshot: they show the database as it was when it was opened, whatever is written meanwhile. */
export interface TableExport {
  readonly streams: readonly OpenedStream[]
  /** Ends the snapshot and removes every local file that is left. Safe to call at any time. */
  close(): Promise<void>
}

export interface OpenExportOptions {
  readonly signal: AbortSignal
  /** Folder for parts on their way (default: the engine's staging folder). */
  readonly stagingFolder?: string
  /** Ceiling in bytes of what lies there at any time. */
  readonly stagingBytes?: number
}
