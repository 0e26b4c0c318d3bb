import { type ByteRange, ConnectorError, type FileEntry, type TransferOptions } from '@penstock/core'
import { type ExpectedChecksum, expectedChecksum } from '../checksum/expected.ts'
import type { TransferContext } from './download.ts'
import { fetchRange } from './fetch-range.ts'
import { fetchChecksum, mismatch, type RunningHash, runningHash } from './verify.ts'

/** Bytes of one request of a stream, and requests ahead of the reader: up to 20 MiB of memory a stream. */
const partBytes = 4 << 20
const partsAhead = 4

interface Part {
  readonly chunks: readonly Uint8Array[]
  readonly length: number
  /** Of the answer: only the one part of a small object has it. */
  readonly expected?: ExpectedChecksum | undefined
}

/**
 * Streams a range of the listed version of an object, or all of it, with some requests ahead of the reader. All of it
 * is verified against its checksum or ETag before the last part is given away; a small object is fetched once more
 * when its bytes are wrong, a larger one fails with `data`.
 */
export async function* readObject(
  context: TransferContext,
  entry: FileEntry,
  range: ByteRange | undefined,
  options: TransferOptions,
): AsyncGenerator<Uint8Array> {
  const { start, end } = range ?? { start: 0, end: entry.size }
  assertRange(start, end, entry)
  if (start === end) return
  const stop = new AbortController()
  const signal = AbortSignal.any([context.client.signals(options.signal), stop.signal])
  const settings = { ...options, signal }
  const ranges = split(start, end)
  const whole = context.client.verify && start === 0 && end === entry.size
  try {
    if (ranges.length === 1) {
      yield* (await verifiedPart(context, entry, { start, end }, settings, whole)).chunks
      return
    }
    const checksum = whole ? fetchChecksum(context.client, entry, signal) : Promise.resolve(undefined)
    let hash: RunningHash | undefined
    for await (const part of partsInOrder(context, entry, ranges, settings)) {
      const expected = await checksum
      if (expected) {
        hash ??= await runningHash(context.hashing, expected)
        for (const chunk of part.chunks) hash.update(chunk)
        if (part.last && hash.digest() !== expected.base64) throw mismatch(entry, expected)
      }
      yield* part.chunks
    }
  } finally {
    stop.abort()
  }
}

const assertRange = (start: number, end: number, entry: FileEntry): void => {
  if (
    Number.isSafeInteger(start) &&
    Number.isSafeInteger(end) &&
    start >= 0 &&
    start <= end &&
    end <= entry.size
  )
    return
  throw new ConnectorError(
    'internal',
    `Bytes ${start} to ${end} are not within the ${entry.size} bytes of ${entry.key}.`,
  )
}

const split = (start: number, end: number): ByteRange[] =>
  Array.from({ length: Math.ceil((end - start) / partBytes) }, (_, index) => ({
    start: start + index * partBytes,
    end: Math.min(end, start + (index + 1) * partBytes),
  }))

type Settings = TransferOptions & { readonly signal: AbortSignal }

const fetchPart = async (
  { client }: TransferContext,
  entry: FileEntry,
  range: ByteRange,
  options: Settings,
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

/** A small object is verified before any of it is given away, so that it can be fetched again. */
const verifiedPart = async (
  context: TransferContext,
  entry: FileEntry,
  range: ByteRange,
  options: Settings,
  checksum: boolean,
): Promise<Part> => {
  for (let again = false; ; again = true) {
    const part = await fetchPart(context, entry, range, options, checksum)
    if (!part.expected) return part
    const hash = await runningHash(context.hashing, part.expected)
    for (const chunk of part.chunks) hash.update(chunk)
    if (hash.digest() === part.expected.base64) return part
    options.onBytes?.(-part.length)
    if (again) throw mismatch(entry, part.expected)
  }
}

async function* partsInOrder(
  context: TransferContext,
  entry: FileEntry,
  ranges: readonly ByteRange[],
  options: Settings,
): AsyncGenerator<Part & { readonly last: boolean }> {
  const pending: Promise<Part>[] = []
  let next = 0
  const fill = (): void => {
    while (pending.length < partsAhead && next < ranges.length) {
      const part = fetchPart(context, entry, ranges[next++] as ByteRange, options, false)
      // A failure is thrown where it is awaited; until then it must not end the process.
      part.catch(() => {})
      pending.push(part)
    }
  }
  fill()
  for (;;) {
    const part = pending.shift()
    if (!part) return
    const done = await part
    fill()
    yield { ...done, last: pending.length === 0 }
  }
}
