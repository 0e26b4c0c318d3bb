import type { LogicalType, StagedFile } from '@penstock/core'
import type { Dialect } from './dialect.ts'
import type { JsonReader } from './json.ts'
import type { SourceValue } from './proofs.ts'
import type { Rewrite } from './rewrite.ts'

/** One column as the files have it. */
export interface ReadColumn {
  readonly name: string
  readonly value: SourceValue
  /** The type that the file declares (Parquet); then `value.raw` has this type already. */
  readonly declared?: LogicalType
}

/** What reading takes beside the files: a folder for pipes and copies, bytes that the copies may have, and when to stop. */
export interface ReadContext {
  readonly folder: string
  readonly copyBytes: number
  readonly signal: AbortSignal
}

/** A file on its way through one statement. */
export interface InputFile {
  /** Number of the file in this load, from 0. */
  readonly ordinal: number
  readonly file: StagedFile
  /** Rows of the object before this part of it; a file is whole without it. */
  readonly firstRow?: number
}

/** SQL over some files of one layout. */
export interface Source {
  /** Table expression with `file_index`, the position of the file in the list, and what the columns' SQL refers to. */
  readonly from: string
  readonly columns: readonly ReadColumn[]
  /** SQL for why a row is no record that fits the layout at all: a {@link rowFault}, or null. */
  readonly fault?: string
}

/** Reasons of `__bad` that concern a whole row; others are the position of a column. */
export const rowFault = { malformed: -1, unknownKey: -2, ambiguousKey: -3 } as const

export interface SourceOptions {
  /** CSV records that can't be parsed go to tables named by it; without it they are passed over. */
  readonly tag?: string
  /** The paths are of copies without compression. */
  readonly isPlain?: boolean
}

/** Files that one statement can read: the same format, dialect and columns. */
export interface Layout {
  readonly type: 'csv' | 'ndjson' | 'json' | 'parquet'
  /** Equal for files that can be read together. */
  readonly id: string
  readonly names: readonly string[]
  /** Types that the files declare, in the order of `names`. */
  readonly declared?: readonly LogicalType[]
  /** JSON only. */
  readonly json?: JsonReader
  /** JSON only: keys from which each column takes its value, several where the key is spelled in several ways. */
  readonly columnKeys?: readonly (readonly string[])[]
  /** CSV only. */
  readonly dialect?: Dialect
  /** What has to be done to the bytes before they can be read. */
  readonly rewrite?: Rewrite
  /** Bytes of the header with its line end: a file of the same compression that begins with them has this layout. */
  readonly headerBytes?: Buffer
  source(
    paths: readonly string[],
    types: readonly (LogicalType | undefined)[],
    options?: SourceOptions,
  ): Source
}

/** Table of the records that read_csv could not parse, and the one that names its files. */
export const csvErrorTables = (tag: string) => ({
  errors: `__penstock_csv_errors_${tag}`,
  scans: `__penstock_csv_scans_${tag}`,
})
