import type { BeginLoadOptions, LoadProgress, StagedFile, TableSchema } from '@penstock/core'

export interface StageOptions extends BeginLoadOptions {
  readonly runId: string
}

export interface StageContext {
  /** Columns of the table that rows will be added to; undefined where there is none, or where it is replaced. */
  readonly existing: TableSchema | undefined
  /** Local folder for named pipes and converted files; it exists. */
  readonly stagingFolder: string
  /** Bytes that converted files may have at a time. */
  readonly copyBytes: number
  /** Suffix that tells the tables of this load from those of others in the same transaction. */
  readonly ordinal: number
}

export interface StageCounts {
  readonly rowsRead: number
  readonly rowsLoaded: number
  readonly rowsRejected: number
}

/** Rows on their way into a table. Lives inside the caller's transaction; nothing of it is visible before its commit. */
export interface Stage {
  /**
   * Qualified name of the staging table, made with the first file or by `materialize`: a table of the database that can
   * take the place of the loaded one, or a TEMP table where rows go into one that is there.
   */
  readonly table: string
  /** Columns of the staging table that no user sees: ordinal of the file and number of the row in it. */
  readonly hiddenColumns: readonly string[]
  /**
   * TEMP table, one row per added file: ordinal UINTEGER, url, container, key, version, version_id VARCHAR, size,
   * modified BIGINT (bytes, epoch ms), rows, rejected BIGINT.
   */
  readonly filesTable: string
  /** TEMP table of this load's rejected rows: file UINTEGER, then the columns of `<table>__rejects`; undefined when nothing was rejected. */
  readonly rejectsTable: () => string | undefined
  addFiles(files: readonly StagedFile[], options: { signal: AbortSignal }): Promise<LoadProgress>
  addRows(rows: readonly Readonly<Record<string, unknown>>[], schema: TableSchema): Promise<LoadProgress>
  /** Columns of the rows, without the hidden ones. Final once no file will be added. */
  schema(): TableSchema
  /** True once `limitRows` is reached. */
  full(): boolean
  counts(): StageCounts
  /**
   * Ends the loading: makes the table if no file did, checks the reject budget against all rows, fills in the counts of
   * `filesTable`.
   */
  seal(): Promise<void>
  /** Makes sure that the staging table exists, with the columns of `schema()`; for a load without any file or row. */
  materialize(): Promise<void>
  /** Drops what is left of the stage. The staging table itself may be gone: renamed by the caller. */
  drop(): Promise<void>
}

export interface InferOptions {
  readonly schemaPolicy: BeginLoadOptions['schemaPolicy']
  readonly columnTypes?: BeginLoadOptions['columnTypes']
  readonly allText?: boolean
  /** The files are only the beginning of their objects: an incomplete last record is ignored. */
  readonly partial?: boolean
  readonly stagingFolder: string
  readonly signal?: AbortSignal
}
