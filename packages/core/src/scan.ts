import type { ByteRange, TransferOptions } from './files.ts'
import type { FileFormat } from './format.ts'
import type { ColumnPath, Predicate, Scalar } from './predicate.ts'
import type { LogicalType } from './types.ts'

/** What a query needs of one table. */
export interface ScanRequest {
  /** Columns that are read; nested ones by path where a part of a struct is enough. Empty: only the count of rows. */
  readonly columns: readonly ColumnPath[]
  /** Rows that do not fulfil it may be left out, and need not be. */
  readonly filter?: Predicate
  /** No more rows are needed, whichever they are; only given where no other filter of the query can drop rows. */
  readonly limit?: number
  /** The plan is only shown: it may take more requests to tell what is left out. */
  readonly explain?: boolean
  readonly signal: AbortSignal
}

/** Bytes of a file that never changes: read by range, without asking for its size first. */
export interface RangedFile {
  /** `s3://bucket/key`. */
  readonly url: string
  /** Bytes. */
  readonly size: number
  /**
   * Names the bytes together with url and size, for a cache that outlives the process: an ETag, or the id of a table
   * whose files never change. Absent: what was read is not kept.
   */
  readonly version?: string
  /** Streams a range. Throws a `network` error when it ends early, `not-found` when the file is gone. */
  read(range: ByteRange, options?: TransferOptions): AsyncIterable<Uint8Array>
}

/** Small files that never change, such as manifests, kept between queries. What can't be kept is no error. */
export interface KeptFiles {
  /** `name` says which bytes they are, for good: a path is not enough where another file may come to its place. */
  read(name: string): Promise<Uint8Array | undefined>
  write(name: string, bytes: Uint8Array): Promise<void>
}

/** How a column of the table comes from a file. */
export type ColumnSource =
  /**
   * The field with this id. Only the file itself tells what it holds: one without any field ids is read by the first
   * of `names` that it has, and one that lacks the field has `absent` (null by default) in all rows.
   */
  | {
      readonly from: 'field-id'
      readonly id: number
      readonly names?: readonly string[]
      readonly absent?: Scalar | null
    }
  /** The column of this name: files without field ids. */
  | { readonly from: 'name'; readonly name: string }
  /** Position among the fields of delimited text, from 0. */
  | { readonly from: 'position'; readonly index: number }
  /** The same value in all rows: an identity partition, a default, or null for a column that the file lacks. */
  | { readonly from: 'constant'; readonly value: Scalar | null }

export interface ScanColumn {
  readonly name: string
  /** Type in the table; the file's own may be narrower. */
  readonly type: LogicalType
  readonly source: ColumnSource
  /** Fields of a struct, the element of a list (`element`), key and value of a map (`key`, `value`). */
  readonly children?: readonly ScanColumn[]
}

/** Rows of a data file that are deleted. */
export type ScanDelete =
  /** Positions from 0, as a sorted list without duplicates, made when it is needed: may be large. */
  | { readonly kind: 'positions'; load(options: { signal: AbortSignal }): Promise<BigUint64Array> }
  /** A file of (path, position) rows; `dataPath` is how it names this data file. */
  | { readonly kind: 'position-file'; readonly file: ScanFile; readonly dataPath: string }
  /** Rows that equal one of this file in these columns; null equals null. Columns by name in `file.columns`. */
  | { readonly kind: 'equality'; readonly file: ScanFile; readonly columns: readonly ScanColumn[] }

/** A value of a decoded row: a struct by the names of its fields, a map as pairs of key and value. */
export type DecodedValue =
  | Scalar
  | null
  | readonly DecodedValue[]
  | { readonly [field: string]: DecodedValue }

/** One file of a scan. */
export interface ScanFile {
  readonly file: RangedFile
  readonly format: FileFormat | { readonly type: 'avro'; readonly compression: 'none' }
  /** Rows as the metadata tells; undefined where it does not. */
  readonly rows?: number
  /** In the order of the request, then those that deletes need. */
  readonly columns: readonly ScanColumn[]
  readonly deletes: readonly ScanDelete[]
  /**
   * Reads the file as pages of rows with the values of `columns`, all rows in the file's order (positions of deletes
   * count them). Only for formats that an engine can't be expected to read: Avro.
   */
  readonly decode?: (options: {
    readonly signal: AbortSignal
  }) => AsyncIterable<readonly (readonly DecodedValue[])[]>
  /** False when no row of it can fail the filter, by metadata alone. */
  readonly residual: boolean
}

/** What the planning of a scan did: part of the receipt. */
export interface ScanReceipt {
  /** Manifests that were read, and those that were passed over. */
  readonly manifests: number
  readonly manifestsSkipped: number
  /** Files of the scan, and those that it leaves out. */
  readonly files: number
  readonly filesSkipped: number
  readonly deleteFiles: number
  /** Bytes of all data files of the table at this version. */
  readonly bytesTotal: number
  /** Requests and bytes of metadata that were read for the plan. */
  readonly metadataRequests: number
  readonly metadataBytes: number
  /** Why something was skipped, by reason: `partition`, `bounds`, `null count` ... */
  readonly skipped: Readonly<Record<string, number>>
  /** What the numbers do not tell, in a sentence each. */
  readonly notes?: readonly string[]
}

/** Exact values that the metadata knows without reading a data file; only where no row is deleted or filtered. */
export interface ExactAggregates {
  readonly rows: bigint
  /** Smallest and largest value by column, where the bounds are exact and the column has values. */
  readonly bounds: Readonly<Record<string, { readonly min: Scalar; readonly max: Scalar }>>
}

export type Scan =
  | {
      readonly kind: 'files'
      /** All files, or as many as the limit needs. */
      readonly files: readonly ScanFile[]
      readonly receipt: ScanReceipt
      readonly exact?: ExactAggregates
      /**
       * Where there is a limit, and only the files themselves tell their rows: the scan of all files, for the case that
       * these have too few.
       */
      readonly more?: () => Promise<Extract<Scan, { readonly kind: 'files' }>>
    }
  /** Pages of plain objects, by column name: from a source that has no files. */
  | { readonly kind: 'rows'; rows(): AsyncIterable<readonly Readonly<Record<string, unknown>>[]> }
