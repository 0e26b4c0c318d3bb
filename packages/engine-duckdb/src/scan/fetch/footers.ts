import { type ByteRange, ConnectorError, type RangedFile } from '@penstock/core'
import { footerLength, type ParquetFooter, parseFooter, trailerBytes } from '../parquet/footer.ts'
import type { RangeCache } from './cache.ts'
import type { Transport } from './transport.ts'

/** First guess of a footer's size; files of one table are alike, so the largest one seen is the next guess. */
const firstGuessBytes = 16 * 1024
const largestGuessBytes = 1024 ** 2
/** Files that are read with the first guess; the next ones wait for them and go by what was seen. */
const scoutCount = 4

/** A footer, and the end of the file that came with it. */
export interface FileFooter {
  readonly footer: ParquetFooter
  /** Bytes of the file's end that are at hand. */
  readonly tail: { readonly range: ByteRange; readonly bytes: Uint8Array }
}

/** Reads the footers of the files of one table, with one request each in most cases. */
export const createFooters = (transport: Transport, cache: RangeCache, onHit: (bytes: number) => void) => {
  let seen = 0
  let largest = 0

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
    const guess = Math.min(
      file.size,
      seen === 0 ? firstGuessBytes : Math.min(largest + 256, largestGuessBytes),
    )
    const guessed = { start: file.size - guess, end: file.size }
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
  return async (file: RangedFile): Promise<FileFooter> => {
    if (scouts.length < scoutCount) {
      const scout = read(file)
      scouts.push(scout.catch(() => {}))
      return scout
    }
    await Promise.all(scouts)
    return read(file)
  }
}
