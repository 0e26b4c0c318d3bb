import { type ByteRange, ConnectorError, type FileEntry, type TransferOptions } from '@penstock/core'
import { fetchRange } from './fetch-range.ts'
import { fetchPart, type Part, type PartOptions, type TransferContext, verifiedPart } from './part.ts'
import { fetchChecksum, mismatch, type RunningHash, runningHash } from './verify.ts'

/** Bytes of one request of a stream, and requests ahead of the reader: up to 20 MiB of memory a stream. */
const partBytes = 4 << 20
const partsAhead = 4

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
  const whole = context.client.verify && start === 0 && end === entry.size
  const connection = context.client.signals(options.signal)
  const ranges = split(start, end)
  if (ranges.length === 1 && !whole && end - start >= drainedBytes) {
    yield await rangeBytes(context, entry, { start, end }, { ...options, signal: connection })
    return
  }
  if (ranges.length === 1) {
    yield* (await verifiedPart(context, entry, { start, end }, { ...options, signal: connection }, whole))
      .chunks
    return
  }
  const stop = new AbortController()
  const signal = AbortSignal.any([connection, stop.signal])
  try {
    const checksum = whole ? fetchChecksum(context.client, entry, signal) : Promise.resolve(undefined)
    // A failure is thrown where it is awaited; until then it must not end the process.
    checksum.catch(() => {})
    let hash: RunningHash | undefined
    for await (const part of partsInOrder(context, entry, ranges, { ...options, signal })) {
      const expected = await checksum
      if (expected) {
        hash ??= runningHash(expected)
        for (const chunk of part.chunks) hash.update(chunk)
        if (part.last && hash.digest() !== expected.base64) throw mismatch(entry, expected)
      }
      yield* part.chunks
    }
  } finally {
    stop.abort()
  }
}

/** From here on that memory, 1 MiB for each connection, costs less than it saves. */
const drainedBytes = 512 << 10

/** A range in one piece: read by way of memory that is used again, which takes half the time of a stream of chunks. */
const rangeBytes = async (
  { client }: TransferContext,
  entry: FileEntry,
  range: ByteRange,
  options: PartOptions,
): Promise<Uint8Array> => {
  const bytes = Buffer.allocUnsafe(range.end - range.start)
  let filled = 0
  const sink = (chunk: Uint8Array): void => {
    bytes.set(chunk, filled)
    filled += chunk.length
  }
  await fetchRange(client, entry, range, { ...options, keepsNone: true, sink })
  return bytes
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

async function* partsInOrder(
  context: TransferContext,
  entry: FileEntry,
  ranges: readonly ByteRange[],
  options: PartOptions,
): AsyncGenerator<Part & { readonly last: boolean }> {
  const pending: Promise<Part>[] = []
  let next = 0
  const fill = (): void => {
    while (pending.length < partsAhead && next < ranges.length) {
      const part = fetchPart(context.client, entry, ranges[next++] as ByteRange, options, false)
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
