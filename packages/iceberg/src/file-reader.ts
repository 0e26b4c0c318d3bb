import type { RangedFile } from '@penstock/core'

/**
 * Reads files of a table by the path that its metadata gives, `s3://bucket/key`. The package does no input or output
 * of its own, so caches, retries and credentials are the reader's. Its errors pass through untouched.
 */
export interface FileReader {
  /** All bytes of a small file: metadata, manifest list, manifest. `onKept` is called where no request was needed. */
  read(
    path: string,
    options: { readonly signal: AbortSignal; readonly onKept?: () => void },
  ): Promise<Uint8Array>
  /** A file of which ranges are read; nothing is asked for before that. `size` is what the metadata tells, in bytes. */
  open(path: string, size: number): RangedFile
}

/** The bytes of a range in one piece. */
export const readRange = async (
  file: RangedFile,
  range: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const bytes = new Uint8Array(range.end - range.start)
  let filled = 0
  for await (const chunk of file.read(range, { signal })) {
    bytes.set(chunk.subarray(0, bytes.length - filled), filled)
    filled += chunk.length
  }
  return filled < bytes.length ? bytes.subarray(0, filled) : bytes
}
