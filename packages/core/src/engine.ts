import type { ByteRange, FileEntry } from './files.ts'
import type { FileFormat } from './format.ts'
import type { MountedQuery, MountedQueryOptions, QueryReceipt } from './mount.ts'
import type { LoadMode, RunRecord } from './run.ts'
import type { ExportSelection, OpenExportOptions, TableExport } from './table-export.ts'
import type { LogicalType, TableSchema } from './types.ts'

/** `strict`: every file fits the schema of the first. `evolve`: columns are added and types widened without loss. `freeze`: the user's schema rules. */
export const schemaPolicies = ['strict', 'evolve', 'freeze'] as const
export type SchemaPolicy = (typeof schemaPolicies)[number]

/** Optional columns that tell where a row came from. */
export const lineageColumns = ['_file', '_row', '_modified'] as const
export type LineageColumn = (typeof lineageColumns)[number]

/** How files become the rows of one table. */
export interface LoadOptions {
  /** Target table; `schema.table` is not split: a dot is part of the name. */
  readonly table: string
  readonly mode: LoadMode
  /** Key columns; required for `merge`. */
  readonly key?: readonly string[]
  readonly schemaPolicy: SchemaPolicy
  /** Types that the user fixes, by column name; with `freeze` they are the whole schema, in order. */
  readonly columnTypes?: Readonly<Record<string, LogicalType>>
  /** Every inferred column becomes text. */
  readonly allText?: boolean
  readonly onBadRow: 'fail' | 'reject'
  /** Budget of rejected rows: a count, or a share (0-1) of the rows that were read. Absent: no limit. */
  readonly maxRejects?: { readonly count: number } | { readonly share: number }
  readonly lineage?: readonly LineageColumn[]
  /** Stop after that many rows: a try-out. */
  readonly limitRows?: number
}

/** One file that the engine can read now. */
export interface StagedFile {
  readonly entry: FileEntry
  readonly url: string
  readonly format: FileFormat
  /** Columns that all of its rows share (partitions), as text; the engine types them. */
  readonly constants: Readonly<Record<string, string | null>>
  /**
   * Local file with the object's bytes. Absent for an object larger than the staging ceiling: then `stream` or `ranges`
   * serve. Where there are `bytes`, the file is written when its path is asked for: may throw a `resource` error then.
   */
  readonly path?: string
  /** All of the object's bytes as stored: small objects are in memory, as far as there is room for them. */
  readonly bytes?: Uint8Array
  /** The object's bytes as stored, from the beginning; may be called again. */
  readonly stream?: () => AsyncIterable<Uint8Array>
  /** Without a local copy: any part of the object, and the bytes of staging disk that such parts may take at a time. */
  readonly ranges?: {
    readonly read: (range: ByteRange) => AsyncIterable<Uint8Array>
    readonly stagingBytes: number
  }
}

export interface LoadProgress {
  readonly files: number
  readonly rows: number
  readonly rejected: number
}

export interface LoadResult {
  readonly rowsRead: number
  readonly rowsLoaded: number
  readonly rowsRejected: number
  readonly rowsDeleted: number
  readonly schema: TableSchema
  readonly rejectTable?: string
}

/** Loading of one table inside a transaction. */
export interface TableLoad {
  /**
   * Loads files, in the order given. When it resolves, their local copies are not needed any more.
   * Throws `data` errors that name object, line, column and value. One with the code `MixedLineEnds` is about a CSV
   * file that can be read with the format option `lineEnds: 'mixed'`.
   */
  addFiles(files: readonly StagedFile[], options: { signal: AbortSignal }): Promise<LoadProgress>
  /** Loads rows of a row table, already validated. */
  addRows(rows: readonly Readonly<Record<string, unknown>>[], schema: TableSchema): Promise<LoadProgress>
  /** True once `limitRows` is reached. */
  readonly full: () => boolean
  /**
   * Applies the mode: replaces, appends or merges; removes rows of `removed` and `replaced` entries first.
   * Writes the ledger rows of all files that were added. Nothing is visible before the commit.
   */
  finish(): Promise<LoadResult>
}

export interface LedgerCount {
  readonly objects: number
  readonly bytes: number
}

/** Listing against ledger. Holds no list in memory: entries stream. */
export interface LedgerComparison {
  readonly listed: LedgerCount
  /** Never loaded before under this key. */
  readonly added: LedgerCount
  /** Loaded before, with other bytes. */
  readonly changed: LedgerCount
  /** In the ledger, no longer listed. */
  readonly deleted: LedgerCount
  readonly unchanged: LedgerCount
  /** First `limit` entries of a kind, in key order. */
  sample(kind: 'added' | 'changed' | 'deleted', limit: number): Promise<readonly FileEntry[]>
  /** Entries of these kinds in pages, in key order (UTF-8 bytes). */
  entries(kinds: readonly ('added' | 'changed' | 'unchanged')[]): AsyncIterable<readonly FileEntry[]>
}

export interface BeginLoadOptions extends LoadOptions {
  /** Delta: rows of the former version of a changed file go when its new rows come. Needs the column `_file`. */
  readonly replaceChanged?: boolean
  /** Delta and merge: rows of files that are gone from the listing go too. Needs the column `_file`. */
  readonly removeDeleted?: boolean
  /** Bytes of disk that the engine's own copies of files, decompressed or rewritten, may take at a time; default 128 MiB. */
  readonly copyBytes?: number
}

/** What one statement did. */
export interface StatementResult {
  /** Rows that it inserted, updated, deleted or merged. */
  readonly rowsChanged: number
  readonly columns: readonly QueryColumn[]
  /** First rows of a SELECT, at most as many as were asked for. Values as in {@link QueryResult}. */
  readonly rows: readonly (readonly unknown[])[]
}

/** One transaction of the engine: rows, ledger, cursor and run record become visible together or not at all. */
export interface EngineTransaction {
  /** Compares a listing (pages in any order) with what the ledger says was loaded into `table`. */
  compare(table: string, listing: AsyncIterable<readonly FileEntry[]>): Promise<LedgerComparison>
  load(options: BeginLoadOptions): Promise<TableLoad>
  /** Saved cursor of a row table, as JSON text. */
  cursor(table: string): Promise<string | undefined>
  saveCursor(table: string, cursor: string): Promise<void>
  /**
   * Runs the statements of a text in order: SELECT, and what makes and changes tables. Refuses with a `config` error
   * what would leave the transaction, change settings or reach files. Keeps the first `maxRows` rows of each SELECT
   * (default 0).
   */
  execute(sql: string, options?: { readonly maxRows?: number }): Promise<readonly StatementResult[]>
  /** Stores the run record and commits. Throws `conflict` when another writer came first. */
  commit(record: RunRecord): Promise<void>
  /** Safe to call at any time, also after a failure or a commit. */
  rollback(): Promise<void>
}

export interface InferredColumn {
  readonly name: string
  readonly type: LogicalType
  readonly nullable: boolean
  /** The value that forced this type and not a narrower one. */
  readonly evidence?: { readonly object: string; readonly line?: number; readonly value: string }
}

export interface QueryColumn {
  readonly name: string
  readonly type: LogicalType
}

/** Result of a query, streamed in chunks of rows; nothing is held beyond one chunk. */
export interface QueryResult {
  readonly columns: readonly QueryColumn[]
  /** Values as plain JavaScript: int64 and decimals beyond 2^53 as bigint or text, never rounded. */
  rows(): AsyncIterable<readonly (readonly unknown[])[]>
}

export interface EngineCapabilities {
  readonly fileTypes: readonly FileFormat['type'][]
  /** File types that can be read without a local copy: from `stream`, Parquet by `ranges`. */
  readonly streamedFileTypes: readonly FileFormat['type'][]
}

/**
 * Where tables live and SQL runs. `specificationVersion` is raised only when the contract breaks.
 * One engine object = one open database; it is closed by who opened it.
 */
export interface TableEngine {
  readonly specificationVersion: 1
  readonly name: string
  /** What is open, for messages: a path, `:memory:`. */
  readonly location: string
  readonly capabilities: EngineCapabilities
  /** Folder in which the runtime stages files: on the same machine, cleaned when it closes. */
  readonly stagingFolder: string
  tables(): Promise<readonly string[]>
  /** Columns of a table, or undefined where there is none. */
  describe(table: string): Promise<TableSchema | undefined>
  /** Types of the columns of these files, with evidence. Reads nothing beyond what is staged. */
  infer(
    files: readonly StagedFile[],
    options: Pick<LoadOptions, 'schemaPolicy' | 'columnTypes' | 'allText'> & { partial?: boolean },
  ): Promise<readonly InferredColumn[]>
  begin(options: { runId: string; signal: AbortSignal }): Promise<EngineTransaction>
  query(sql: string, options?: { signal?: AbortSignal }): Promise<QueryResult>
  /**
   * Runs one SELECT over the tables of the mounts (`namespace.table`, or `mount.namespace.table`) and those of the
   * engine, moving only the bytes that it needs. From the first such query on, SQL of this engine reads no other file
   * than those that are staged, and changes no setting.
   */
  queryMounted(sql: string, options: MountedQueryOptions): Promise<MountedQuery>
  /** {@link queryMounted} into a local file, written by the engine; it appears when it is complete. */
  copyMounted(
    sql: string,
    path: string,
    options: MountedQueryOptions & { readonly type: 'csv' | 'json' | 'parquet' },
  ): Promise<{ rows: number; bytes: number; receipt: QueryReceipt }>
  /** What {@link queryMounted} would cost: everything is planned, no data is fetched. */
  explainMounted(sql: string, options: MountedQueryOptions): Promise<QueryReceipt>
  /** Writes the result of a query to a local file, in the engine, without passing rows through JavaScript. */
  copyTo(
    sql: string,
    path: string,
    options: { type: 'csv' | 'json' | 'parquet'; signal?: AbortSignal },
  ): Promise<{ rows: number; bytes: number }>
  /**
   * Opens tables and queries for an export, in one read-only snapshot. Throws `not-found` for a table and `config` for
   * a query, a column or a mapping that can't work.
   */
  openExport(streams: readonly ExportSelection[], options: OpenExportOptions): Promise<TableExport>
  /** True when nothing can be kept in the database. */
  readonly readOnly: boolean
  /** What {@link saveExportState} kept under this id. */
  exportState(exportId: string): Promise<string | undefined>
  /** Keeps a text under an export's id, durably when it resolves; undefined removes it. */
  saveExportState(exportId: string, state: string | undefined): Promise<void>
  /** Runs that this database remembers, newest first. */
  runs(options?: { limit?: number; runId?: string }): Promise<readonly RunRecord[]>
  /** Stores the record of a run that committed nothing. Best effort: a read-only database keeps none. */
  recordRun(record: RunRecord): Promise<void>
  close(): Promise<void>
}
