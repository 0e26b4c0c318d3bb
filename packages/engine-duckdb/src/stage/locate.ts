import type { Readable } from 'node:stream'
import type { Dialect } from './dialect.ts'
import { carriageReturn, createQuoting, lineFeed } from './rewrite.ts'

/** Where a record begins, and its text. */
export interface RecordPlace {
  /** Physical line, from 1. */
  readonly line: number
  /** First byte of the record in the decompressed object (in UTF-8 for converted encodings), from 0. */
  readonly byteOffset: number
  /** The record as in the file, without its line end; cut at 32 KiB. */
  readonly raw: string
}

/** Things to find, in the order of the file. */
type Wanted<Item> = AsyncIterator<Item> | Iterator<Item>

export interface LocateOptions<Row, Record> {
  /** CSV: quotes may hold line ends, a header and blank lines are no records. Undefined: one record a line, blank lines are none. */
  readonly dialect: Dialect | undefined
  readonly columnCount: number
  /** Records by number, from 1: those that the reader gave, in the order of the file. */
  readonly rows: Wanted<Row>
  /** Records by the byte at which they begin, that the reader could not parse: they are not counted as rows. */
  readonly offsets: Wanted<Record>
}

const maxRawBytes = 32 * 1024

/** No quote ever opens in one record a line. */
const plainLines = { quote: '', escape: '', delimiter: '\0' } as Dialect

/**
 * Finds records of one text file by number or offset, in one pass over its bytes, and gives each with its place, in
 * the order of the file. Runs only for files that have bad rows: the way of good rows has no JavaScript.
 */
export async function* locateRecords<
  Row extends { readonly row: number },
  Record extends { readonly offset: number },
>(
  bytes: Readable,
  options: LocateOptions<Row, Record>,
): AsyncGenerator<{ readonly wanted: Row | Record; readonly place: RecordPlace }> {
  const { dialect } = options
  const quoting = createQuoting(dialect ?? plainLines)
  const comment = dialect?.comment ? dialect.comment.charCodeAt(0) : -1
  const skipBlank = !dialect || options.columnCount > 1
  const headerLines = dialect?.header ? 1 : 0
  let toSkip = (dialect?.skipLines ?? 0) + headerLines
  let nextRow = await options.rows.next()
  let nextOffset = await options.offsets.next()
  let row = 0
  let position = 0
  let line = 1
  let start = { position: 0, line: 1 }
  let record: number[] = []
  let length = 0
  let firstByte = -1
  let isWanted = false

  /** Whether the record that ends here is asked for. */
  const endRecord = (): 'row' | 'offset' | undefined => {
    if (toSkip > 0) {
      toSkip--
      return undefined
    }
    const isBlank = length === 0 || (length === 1 && firstByte === carriageReturn)
    if ((isBlank && skipBlank) || (comment >= 0 && firstByte === comment)) return undefined
    if (!nextOffset.done && nextOffset.value.offset <= start.position) return 'offset'
    row++
    return !nextRow.done && nextRow.value.row === row ? 'row' : undefined
  }
  const place = (): RecordPlace => ({
    line: start.line,
    byteOffset: start.position,
    raw: Buffer.from(record).toString().replace(/\r$/, ''),
  })
  const beginRecord = (at: number) => {
    start = { position: at, line }
    record = []
    length = 0
    firstByte = -1
    isWanted =
      (!nextRow.done && nextRow.value.row === row + 1) || (!nextOffset.done && nextOffset.value.offset <= at)
    quoting.endLine()
  }
  const found = async function* (end: 'row' | 'offset' | undefined) {
    if (end === 'row') {
      yield { wanted: nextRow.value as Row, place: place() }
      nextRow = await options.rows.next()
    } else if (end === 'offset') {
      yield { wanted: nextOffset.value as Record, place: place() }
      nextOffset = await options.offsets.next()
    }
  }

  beginRecord(0)
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      for (let index = 0; index < chunk.length; index++, position++) {
        const byte = chunk[index] ?? 0
        if (byte === lineFeed) {
          // A record that the reader gave up ends with its line: the reader goes on there. So does a skipped line.
          const isBroken = !nextOffset.done && nextOffset.value.offset === start.position
          line++
          if (!quoting.isQuoted() || isBroken || toSkip > headerLines) {
            const end = endRecord()
            if (end) yield* found(end)
            beginRecord(position + 1)
            continue
          }
        }
        quoting.take(byte)
        if (length++ === 0) firstByte = byte
        if (isWanted && record.length < maxRawBytes) record.push(byte)
      }
      if (nextRow.done && nextOffset.done) return
    }
    if (length > 0) yield* found(endRecord())
  } finally {
    bytes.destroy()
  }
}
