import type { ExportCursor, ExportMode, WrittenFile } from './destination.ts'
import type { ErrorKind, ErrorPlace } from './errors.ts'
import type { Column } from './types.ts'

export const loadModes = ['full', 'delta', 'merge'] as const
/** `full` replaces the table, `delta` appends what was not loaded before, `merge` upserts by key. */
export type LoadMode = (typeof loadModes)[number]

export interface ErrorRecord {
  readonly kind: ErrorKind
  readonly message: string
  readonly hint?: string
  readonly code?: string
  readonly place?: ErrorPlace
}

/** What a run did to one table. Part of `--json` and of the run history. */
export interface TableResult {
  readonly name: string
  readonly mode: LoadMode
  readonly status: 'succeeded' | 'failed' | 'unchanged' | 'cancelled'
  /** Objects that were loaded. */
  readonly objects: number
  /** Bytes of the objects that were loaded, as stored. */
  readonly bytes: number
  /** `rowsRead = rowsLoaded + rowsRejected`, always. */
  readonly rowsRead: number
  readonly rowsLoaded: number
  readonly rowsRejected: number
  /** Rows that left the table: replaced, removed or merged over. */
  readonly rowsDeleted: number
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Table that holds the rejected rows, when there are any. */
  readonly rejectTable?: string
  readonly durationMs: number
  readonly error?: ErrorRecord
}

/** What an export did to one stream. Part of `--json` and of the run history. */
export interface StreamResult {
  readonly name: string
  readonly mode: ExportMode
  readonly status: 'succeeded' | 'failed' | 'cancelled'
  readonly files: number
  /** Bytes of the files as stored. */
  readonly bytes: number
  /** Rows in the files. */
  readonly rows: number
  /** Rows that lacked a mandatory column. */
  readonly rowsDropped: number
  /** Rows that lost to a later one of the same key. */
  readonly rowsDeduplicated: number
  /** Rows with a null cursor, left out of an incremental export. */
  readonly rowsSkipped: number
  readonly cursor?: ExportCursor
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** What was written, in order; at most the first 1,000. */
  readonly written: readonly WrittenFile[]
  readonly durationMs: number
  readonly error?: ErrorRecord
}

/** One run: kept in the database that it wrote to, and in the project's history. */
export interface RunRecord {
  readonly runId: string
  readonly command: string
  readonly connection?: string
  readonly connector: string
  readonly pipeline?: string
  readonly status: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted'
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly finishedAt?: string
  /** What an extraction loaded; empty for an export. */
  readonly tables: readonly TableResult[]
  /** What an export wrote; absent for an extraction. */
  readonly export?: ExportResult
  /** What a step of SQL gave: plain data. */
  readonly output?: unknown
  readonly error?: ErrorRecord
}

export interface ExportResult {
  readonly exportId: string
  readonly name: string
  /** Run id of the first try: files are named after it. */
  readonly commitId: string
  /** True when an earlier try with this commit id was completed by this run. */
  readonly retried: boolean
  readonly mode: ExportMode
  readonly streams: readonly StreamResult[]
  readonly manifest?: string
  /** What an overwrite removed. */
  readonly removed: number
}

export type { Column }
