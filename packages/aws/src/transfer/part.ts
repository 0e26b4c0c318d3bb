import type { ByteRange, FileEntry, TransferOptions } from '@penstock/core'
import { type ExpectedChecksum, expectedChecksum } from '../checksum/expected.ts'
import type { Hashing } from '../checksum/hashing.ts'
import type { S3Client } from '../s3/client.ts'
import { fetchRange } from './fetch-range.ts'
import { mismatch, runningHash } from './verify.ts'
import type { Writers } from './writers.ts'

export interface TransferContext {
  readonly client: S3Client
  readonly hashing: Hashing
  readonly writers: Writers
  /** Requests in flight at most, over all objects. */
  readonly concurrency: number
}

export type PartOptions = TransferOptions & { readonly signal: AbortSignal }

/** A range of an object in memory. */
export interface Part {
  readonly chunks: readonly Uint8Array[]
  /** Bytes. */
  readonly length: number
  /** Of the answer: only the one part of a small object has it. */
  readonly expected?: ExpectedChecksum | undefined
}

export const fetchPart = async (
  client: S3Client,
  entry: FileEntry,
  range: ByteRange,
  options: PartOptions,
  checksum: boolean,
): Promise<Part> => {
  const chunks: Uint8Array[] = []
  let expected: ExpectedChecksum | undefined
  await fetchRange(client, entry, range, {
    ...options,
    checksum,
    onHeaders: (headers) => {
      if (checksum) expected = expectedChecksum(headers, entry.version)
    },
    sink: (chunk) => void chunks.push(chunk),
  })
  return { chunks, length: range.end - range.start, expected }
}

/**
 * Fetches a small object and verifies it before any of it is used. Wrong bytes are fetched once more, then it is a
 * `data` error.
 */
export const verifiedPart = async (
  { client }: TransferContext,
  entry: FileEntry,
  range: ByteRange,
  options: PartOptions,
  checksum: boolean,
): Promise<Part> => {
  for (let again = false; ; again = true) {
    const part = await fetchPart(client, entry, range, options, checksum)
    if (!part.expected) return part
    const hash = runningHash(part.expected)
    for (const chunk of part.chunks) hash.update(chunk)
    if (hash.digest() === part.expected.base64) return part
    options.onBytes?.(-part.length)
    if (again) throw mismatch(entry, part.expected)
  }
}
