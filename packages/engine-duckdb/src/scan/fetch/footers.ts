import { type ByteRange, ConnectorError, type RangedFile } from '@penstock/core'
import { footerLength, type ParquetFooter, parseFooter, trailerBytes } from '../parquet/footer.ts'
import type { RangeCache } from './cache.ts'
import type { Transport } from './transport.ts'

/*
 * How much of a file's end is read for its footer, whose length only its last 8 bytes tell
 * (https://parquet.apache.org/docs/file-format/): too little costs a second request, so a round of latency; too much
 * costs bytes of each file. A footer takes about 112 bytes a chunk (row groups x columns; measured on one file with
 * statistics), so that 16 KiB hold that of most files up to some 100 chunks.
 * - The first 8 files are read with that; as soon as one footer is known, the largest one known is the measure.
 * - Files that are begun before any is known get 8 KiB: with a hundred of them at once the bytes weigh more. What a query
 *   reads too much by that, at most 128 times 8 KiB, is its price for not waiting a round (a `count` over many files).
 * - Where nearly all of the files seen was needed, the file comes whole, or its tail from the first byte needed. Files
 *   wait a round for that, which is lost where it is not so: those of which few columns are read do not wait.
 */

/** First guess of a footer's size; files of one table are alike, so the largest one seen is the next guess. */
const firstGuessBytes = 16 * 1024
const largestGuessBytes = 1024 ** 2
/** Guess for the files that are begun beside the first ones: many of them, so it is smaller. */
const nextGuessBytes = 8 * 1024
/** Files that are read with the first guess; small ones after them wait, and go by what was seen. */
const scoutCount = 8
/** From this share of needed bytes on, all from the first of them to the end of a file comes in one request. */
const wholeShare = 0.95
/** What files of one table differ by: of their size, added to what the ones seen had. */
const slackShare = 0.01
/** Larger pieces are not read so: they take several requests anyway. */
const wholeBytes = 4 * 1024 ** 2

/** A footer, and the end of the file that came with it. */
export interface FileFooter {
  readonly footer: ParquetFooter
  /** Bytes of the file's end that are at hand. */
  readonly tail: { readonly range: ByteRange; readonly bytes: Uint8Array }
}

export interface FooterOptions {
  readonly transport: Transport
  readonly cache: RangeCache
  readonly onHit: (bytes: number) => void
  /** Whether data may come along with a footer. */
  readonly wholeFiles: boolean
  /** So few columns are read that files hardly come whole: none waits to learn that. */
  readonly fewColumns?: boolean
}

/** Footers of the files of one table. */
export interface Footers {
  /** Reads a footer, with one request in most cases. */
  read(file: RangedFile): Promise<FileFooter>
  /** Learns what is needed of a file: so many bytes, the first of them at `start`. The files of one table are alike. */
  learn(file: RangedFile, needed: number, start: number): void
}

export const createFooters = ({
  transport,
  cache,
  onHit,
  wholeFiles,
  fewColumns,
}: FooterOptions): Footers => {
  let begun = 0
  let seen = 0
  let largest = 0
  const learned = { size: 0, needed: 0, share: 0 }

  /** Share of a file, from its end, that holds all that was needed of any file so far. */
  const tailShare = () => Math.min(1, learned.share + slackShare)

  const tailBytes = ({ size }: RangedFile): number => {
    // A second request would cost more than the rest of a small file.
    if (wholeFiles && size <= firstGuessBytes) return size
    const isDense = wholeFiles && learned.needed > learned.size * tailShare() * wholeShare
    const dense = Math.ceil(size * tailShare())
    if (isDense && dense <= wholeBytes) return dense
    if (seen > 0) return Math.min(size, largest + 256, largestGuessBytes)
    return Math.min(size, begun++ < scoutCount ? firstGuessBytes : nextGuessBytes)
  }

  const read = async (file: RangedFile): Promise<FileFooter> => {
    if (file.size < trailerBytes + 4)
      throw new ConnectorError('data', `${file.url} has ${file.size} bytes and is no Parquet file.`, {
        code: 'CorruptParquet',
        place: { object: file.url },
      })
    // Its length is not known before: the cache keeps the last 8 bytes by themselves.
    const trailerRange = { start: file.size - trailerBytes, end: file.size }
    const trailer = await cache.read(file, trailerRange)
    if (trailer) {
      const range = footerRange(file, trailer)
      const kept = await cache.read(file, range)
      if (kept) {
        onHit(kept.length)
        return finish(file, range, kept)
      }
    }
    const guessed = { start: file.size - tailBytes(file), end: file.size }
    const tail = await transport.read(file, guessed)
    const exact = footerRange(file, tail.subarray(tail.length - trailerBytes))
    const missing = guessed.start - exact.start
    const bytes =
      missing > 0
        ? Buffer.concat([await transport.read(file, { start: exact.start, end: guessed.start }), tail])
        : tail
    const start = Math.min(guessed.start, exact.start)
    const found = finish(file, { start, end: file.size }, bytes)
    await cache.write(file, trailerRange, bytes.subarray(bytes.length - trailerBytes))
    await cache.write(file, exact, bytes.subarray(exact.start - start))
    return found
  }

  const footerRange = (file: RangedFile, trailer: Uint8Array): ByteRange => ({
    start: file.size - trailerBytes - footerLength(trailer, file.url, file.size),
    end: file.size,
  })

  const finish = (file: RangedFile, range: ByteRange, bytes: Uint8Array): FileFooter => {
    const length = footerLength(bytes.subarray(bytes.length - trailerBytes), file.url, file.size)
    const end = bytes.length - trailerBytes
    const footer = parseFooter(bytes.subarray(end - length, end), file.url, file.size)
    seen += 1
    largest = Math.max(largest, footer.bytes)
    return { footer, tail: { range, bytes } }
  }

  const scouts: Promise<unknown>[] = []
  return Object.freeze({
    read: async (file: RangedFile): Promise<FileFooter> => {
      if (scouts.length < scoutCount) {
        const scout = read(file)
        scouts.push(scout.catch(() => {}))
        return scout
      }
      // What a file that may come whole costs in waiting, it saves: its data needs no request of its own.
      const mayComeWhole = wholeFiles && !fewColumns && file.size <= wholeBytes
      if (mayComeWhole && file.size > firstGuessBytes) await Promise.all(scouts)
      return read(file)
    },
    learn: ({ size }: RangedFile, needed: number, start: number) => {
      learned.size += size
      learned.needed += needed
      learned.share = Math.max(learned.share, (size - start) / size)
    },
  })
}
