import type { ByteRange } from '@penstock/core'

/** What {@link FileReader} takes beside the path. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads files of a table by the path that its metadata gives, `s3://bucket/key`. The package does no input or output
 * of its own. Errors of the reader pass through untouched.
 */
export interface FileReader {
  /** All bytes of a small file: metadata, manifest list, manifest. */
  read(path: string, options?: ReadOptions): Promise<Uint8Array>
  /** Exactly the bytes of the range, for a deletion vector within a Puffin file. */
  readRange(path: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array>
}
