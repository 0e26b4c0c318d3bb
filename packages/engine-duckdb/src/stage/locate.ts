import type { Readable } from 'node:stream'
import type { Dialect } from './dialect.ts'

/** Where a record begins, and its text. */
export interface RecordPlace {
  /** Physical line, from 1. */
  readonly line: number
  /** First byte of the record in the decompressed object (in UTF-8 for converted encodings), from 0. */
  readonly byteOffset: number
  /** The record as in the file, without its line end; cut at 32 KiB. */
  readonly raw: string
}

export interface LocateOptions {
  /** CSV: quotes may hold line ends, a header and blank lines are no records. Undefined: one record a line, blank lines are none. */
  readonly dialect: Dialect | undefined
  readonly columnCount: number
  /** Numbers of records to find, from 1, ascending: those that the reader gave, in the order of the file. */
  readonly rows: readonly number[]
  /** Bytes at which records begin that the reader could not parse, ascending: they are found, and not counted as rows. */
  readonly offsets: readonly number[]
}

const maxRawBytes = 32 * 1024
const [lineFeed, carriageReturn] = [10, 13]

/**
 * Finds records of one text file by number or offset, in one pass over its bytes. Runs only for files that have bad
 * rows: the way of good rows has no JavaScript.
 */
export const locateRecords = async (
  bytes: Readable,
  options: LocateOptions,
): Promise<{ rows: Map<number, RecordPlace>; offsets: Map<number, RecordPlace> }> => {
  const { dialect } = options
  const quote = dialect && dialect.quote !== '' ? dialect.quote.charCodeAt(0) : -1
  const escapeByte = dialect && dialect.escape !== dialect.quote ? dialect.escape.charCodeAt(0) : -1
  const delimiter = dialect?.delimiter.charCodeAt(0) ?? -1
  const comment = dialect?.comment ? dialect.comment.charCodeAt(0) : -1
  const skipBlank = !dialect || options.columnCount > 1
  const rows = new Map<number, RecordPlace>()
  const offsets = new Map<number, RecordPlace>()
  let toSkip = (dialect?.skipLines ?? 0) + (dialect?.header ? 1 : 0)
  let nextRow = 0
  let nextOffset = 0
  let row = 0
  let position = 0
  let line = 1
  let start = { position: 0, line: 1 }
  let record: number[] = []
  let length = 0
  let firstByte = -1
  let isWanted = false
  let quoted = false
  let escaped = false
  let atField = true

  const endRecord = () => {
    const isBlank = length === 0
    const isComment = comment >= 0 && firstByte === comment
    if (toSkip > 0) {
      if (!(isBlank && skipBlank && toSkip === 1 && dialect?.header)) toSkip--
    } else if (!(isBlank && skipBlank) && !isComment) {
      const place = () => ({
        line: start.line,
        byteOffset: start.position,
        raw: Buffer.from(record).toString().replace(/\r$/, ''),
      })
      const wanted = options.offsets[nextOffset]
      if (wanted !== undefined && wanted <= start.position) {
        offsets.set(wanted, place())
        nextOffset++
      } else {
        row++
        if (row === options.rows[nextRow]) {
          rows.set(row, place())
          nextRow++
        }
      }
    }
    record = []
    length = 0
    firstByte = -1
    atField = true
    quoted = false
  }
  const beginRecord = (at: number) => {
    start = { position: at, line }
    const offset = options.offsets[nextOffset]
    isWanted = options.rows[nextRow] === row + 1 || (offset !== undefined && offset <= at)
  }
  beginRecord(0)

  const done = () => nextRow >= options.rows.length && nextOffset >= options.offsets.length
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    for (let index = 0; index < chunk.length; index++, position++) {
      const byte = chunk[index] ?? 0
      // A record that the reader gave up ends with its line: the reader goes on there.
      const isBroken = options.offsets[nextOffset] === start.position
      if (byte === lineFeed && (!quoted || isBroken)) {
        if (length === 1 && firstByte === carriageReturn) length = 0
        endRecord()
        line++
        beginRecord(position + 1)
        continue
      }
      if (byte === lineFeed) line++
      if (escaped) escaped = false
      else if (quoted && byte === escapeByte) escaped = true
      else if (byte === quote && (quoted || atField)) quoted = !quoted
      atField = !quoted && byte === delimiter
      if (length++ === 0) firstByte = byte
      if (isWanted && record.length < maxRawBytes) record.push(byte)
    }
    if (done()) break
  }
  if (length > 0) endRecord()
  bytes.destroy()
  return { rows, offsets }
}
