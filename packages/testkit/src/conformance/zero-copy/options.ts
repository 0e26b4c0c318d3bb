import type { AnyZeroCopy, CatalogTable, Scan, ZeroCopyTable } from '@penstock/core'
import type { ConformanceOptions } from '../options.ts'

export type Row = Readonly<Record<string, unknown>>
export type FileScan = Extract<Scan, { readonly kind: 'files' }>

/** What the suite has to know of a zero-copy connector. */
export interface ZeroCopyOptions<Connector extends AnyZeroCopy = AnyZeroCopy>
  extends ConformanceOptions<Connector> {
  /** Tables that are read; default: all that the catalog lists and that can be read. Small ones: each is read often. */
  readonly tables?: readonly CatalogTable[]
  /** Rows as they are on the other side, by `namespace.table`, with the values that a scan gives. */
  readonly expected?: Readonly<Record<string, readonly object[]>>
  /**
   * Reads the columns of a scan of files, deleted rows left out, as an engine does: for connectors whose scans give
   * files. Values as plain JavaScript; what is not a number, text or boolean in the form of core's `Scalar`.
   */
  readonly readFiles?: (
    scan: FileScan,
    request: {
      readonly table: ZeroCopyTable
      readonly columns: readonly string[]
      readonly signal: AbortSignal
    },
  ) => Promise<readonly Row[]>
  /** A configuration whose identity may see nothing: an error has to say so, not an empty list. */
  readonly forbidden?: unknown
}
