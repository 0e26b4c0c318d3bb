import type { StreamResult, TableResult } from './run.ts'

/** What a long step tells while it runs. All counts are totals so far, not differences. */
export type ProgressEvent =
  | { readonly type: 'run-started'; readonly runId: string; readonly tables: readonly string[] }
  | { readonly type: 'listing'; readonly table: string; readonly objects: number; readonly bytes: number }
  | { readonly type: 'planned'; readonly table: string; readonly objects: number; readonly bytes: number }
  | {
      readonly type: 'progress'
      readonly table: string
      /** Bytes that arrived, of all that were planned. */
      readonly bytes: number
      readonly objectsStaged: number
      /** Bytes on the staging disk now. */
      readonly stagedBytes: number
      readonly objectsLoaded: number
      readonly rows: number
      readonly rejected: number
    }
  | {
      readonly type: 'retry'
      readonly table: string
      readonly object: string
      readonly attempt: number
      readonly delayMs: number
      readonly reason: string
    }
  | { readonly type: 'notice'; readonly table?: string; readonly message: string }
  | {
      readonly type: 'written'
      /** Stream of an export; its totals so far. */
      readonly table: string
      readonly files: number
      readonly bytes: number
      readonly rows: number
    }
  | { readonly type: 'stream-finished'; readonly table: string; readonly result: StreamResult }
  | { readonly type: 'table-finished'; readonly table: string; readonly result: TableResult }

export type ProgressListener = (event: ProgressEvent) => void
