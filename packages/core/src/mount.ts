import type { QueryResult } from './engine.ts'
import type { KeptFiles } from './scan.ts'
import type { CatalogTable, ZeroCopyTable } from './zero-copy.ts'

/** Tables of one connection that SQL may use where they are. */
export interface Mount {
  /** What stands before `namespace.table`; needed in SQL where several connections are mounted. */
  readonly name: string
  /** Throws `not-found` when there is no such table. */
  open(
    table: CatalogTable,
    options: { readonly signal: AbortSignal; readonly kept?: KeptFiles | undefined },
  ): Promise<ZeroCopyTable>
}

/** Ceilings of a query over mounted tables. */
export interface ScanLimits {
  /** Bytes on disk that hold what a query fetched, at most. Default 4 GiB. */
  readonly diskBytes?: number
  /** Requests in flight at most. Default 128. */
  readonly concurrency?: number
}

/** What is kept between queries of what never changes. */
export interface ScanCache {
  readonly folder: string
  /** Bytes at most; what was not used for the longest time goes first. */
  readonly bytes: number
}

export interface ScanProgress {
  /** What goes on: metadata is read, footers are read, columns are fetched, DuckDB runs. */
  readonly step: 'planning' | 'footers' | 'fetching' | 'executing'
  readonly bytes: number
  /** Bytes that are planned, once that is known. */
  readonly bytesPlanned?: number
  readonly requests: number
}

export interface MountedQueryOptions {
  readonly mounts: readonly Mount[]
  readonly signal?: AbortSignal | undefined
  readonly limits?: ScanLimits | undefined
  readonly cache?: ScanCache | undefined
  readonly onProgress?: ((progress: ScanProgress) => void) | undefined
}

/** What one table cost. Bytes are those of data and delete files; metadata is counted apart. */
export interface TableReceipt {
  /** As the query names it. */
  readonly table: string
  readonly columns: readonly string[]
  /** The filter that was used for pruning, in words; absent where there was none. */
  readonly filter?: string
  readonly limit?: number
  readonly manifests: number
  readonly manifestsSkipped: number
  readonly files: number
  readonly filesSkipped: number
  readonly deleteFiles: number
  readonly rowGroups: number
  readonly rowGroupsSkipped: number
  /** Footers and the column chunks that the query needs. */
  readonly bytesNeeded: number
  /** Data files of the table at this version. */
  readonly bytesTotal: number
  /** What was skipped, by reason: `partition`, `bounds`, `statistics`, `bloom filter`, `page index`, `limit`, `order`, `rows`. */
  readonly skipped: Readonly<Record<string, number>>
  /** Answered from metadata alone. */
  readonly fromMetadata?: boolean
  /** The connector gives rows, not files: it alone knows what that costs. */
  readonly asRows?: boolean
  /** What the numbers do not tell, as the connector has it. */
  readonly notes?: readonly string[]
}

/** What a query over mounted tables cost: the sum over its tables. */
export interface QueryReceipt
  extends Omit<TableReceipt, 'table' | 'columns' | 'filter' | 'limit' | 'fromMetadata' | 'asRows' | 'notes'> {
  readonly tables: readonly TableReceipt[]
  /** Data and delete bytes that came over the wire; less than needed where a cache had some. */
  readonly bytesFetched: number
  readonly bytesFromCache: number
  readonly cacheHits: number
  /** Ranged requests for data and delete files. */
  readonly requests: number
  readonly metadataRequests: number
  readonly metadataBytes: number
  /** Times that the query ran again because DuckDB asked for more than was planned. */
  readonly repairs: number
  /** What kept the plan from being better. */
  readonly notes: readonly string[]
}

/** Rows of a query over mounted tables. */
export interface MountedQuery {
  readonly result: QueryResult
  /** Complete once the rows are read. */
  receipt(): QueryReceipt
  /** Ends it without reading the rest; nothing is left of it. Safe to call at any time. */
  close(): Promise<void>
}
