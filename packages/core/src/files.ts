/**
 * One version of one file, as plain data: what the ledger remembers. Two entries with the same container, key
 * and version hold the same bytes.
 */
export interface FileEntry {
  /** Bucket, host or folder root. */
  readonly container: string
  readonly key: string
  /** What changes when the bytes do: the ETag without quotes. */
  readonly version: string
  /** Version id of a versioned bucket, where the listing gives one. */
  readonly versionId?: string
  /** Bytes. */
  readonly size: number
  /** Epoch ms of the last modification, as the store tells it. Never the only evidence of newness: it is the start of an upload. */
  readonly modified: number
}

/** Bytes [start, end). */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface TransferOptions {
  readonly signal?: AbortSignal
  /** Called with the count of further bytes that arrived; negative when a failed attempt takes them back. */
  readonly onBytes?: (bytes: number) => void
  /** Called before a wait and a further attempt. */
  readonly onRetry?: (retry: { attempt: number; delayMs: number; reason: string }) => void
}

/** Access to the bytes of one {@link FileEntry}. Never gives bytes of another version: that is a `conflict` error. */
export interface RemoteFile {
  readonly entry: FileEntry
  /** `s3://bucket/key`: for people, and for engines that read URLs themselves. */
  readonly url: string
  /** Streams a range, or all of it. Throws a `network` error when it ends early. */
  read(range?: ByteRange, options?: TransferOptions): AsyncIterable<Uint8Array>
  /**
   * Writes the whole file to a local path (created or truncated), with retries and verification, the fastest way
   * that the store knows. Where absent, the runtime streams `read()`.
   */
  download?(path: string, options?: TransferOptions): Promise<void>
}

/** `key=value/` segments of a key below a prefix, decoded; Hive writes null as `__HIVE_DEFAULT_PARTITION__`. */
export const hivePartitions = (key: string): Record<string, string | null> => {
  const partitions: Record<string, string | null> = {}
  for (const segment of key.split('/').slice(0, -1)) {
    const match = /^([^=]+)=(.*)$/s.exec(segment)
    if (!match) continue
    const [, name = '', value = ''] = match
    partitions[decode(name)] = value === '__HIVE_DEFAULT_PARTITION__' ? null : decode(value)
  }
  return partitions
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
