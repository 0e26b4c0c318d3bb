import { type Readable, Transform } from 'node:stream'
import type { StagedFile } from '@penstock/core'
import type { Dialect } from './dialect.ts'
import { plainBytes } from './head.ts'

/** Changes to the decompressed bytes of a file without which DuckDB can't read it; each call makes them anew. */
export type Rewrite = () => readonly Transform[]

/** What a file of this dialect needs; undefined for most. */
export const rewriteOf = (dialect: Dialect): Rewrite | undefined => {
  const { encoding, hasMixedLineEnds } = dialect
  if (encoding === 'utf-8' && !hasMixedLineEnds) return undefined
  return () => [
    ...(encoding === 'utf-8' ? [] : [toUtf8(encoding)]),
    ...(hasMixedLineEnds ? [toLineFeeds(dialect)] : []),
  ]
}

/** Rewrites text as UTF-8 without a byte order mark: DuckDB reads UTF-16 with a mark not at all. */
const toUtf8 = (encoding: Dialect['encoding']): Transform => {
  const decoder = new TextDecoder(encoding, { fatal: false })
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(decoder.decode(chunk, { stream: true })))
    },
    flush(done) {
      done(null, Buffer.from(decoder.decode()))
    },
  })
}

/** UTF-8's. */
export const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Makes blanks of a byte order mark, so that all other bytes keep their places. */
export const blankMark = (): Transform => {
  let left = byteOrderMark.length
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const blanks = Math.min(left, chunk.length)
      left -= blanks
      done(null, blanks === 0 ? chunk : Buffer.concat([Buffer.alloc(blanks, ' '), chunk.subarray(blanks)]))
    },
  })
}

export const [lineFeed, carriageReturn] = [10, 13]

/** Tells of each byte of delimited text whether it is inside quotes. A quote opens at the beginning of a field alone. */
export const createQuoting = ({ quote, escape: escapeMark, delimiter }: Dialect) => {
  const quoteByte = quote === '' ? -1 : quote.charCodeAt(0)
  const escapeByte = escapeMark === quote || escapeMark === '' ? -1 : escapeMark.charCodeAt(0)
  const delimiterByte = delimiter.charCodeAt(0)
  const isDoubled = escapeMark === quote
  let quoted = false
  let escaped = false
  let mayOpen = true
  return {
    isQuoted: () => quoted,
    /** To be called for each byte that is no line end outside quotes. */
    take: (byte: number) => {
      const isQuote = byte === quoteByte && !escaped
      const closes = isQuote && quoted
      escaped = !escaped && quoted && byte === escapeByte
      if (closes || (isQuote && mayOpen)) quoted = !quoted
      // The second one of a doubled quote opens again what the first one closed.
      mayOpen = (!quoted && byte === delimiterByte) || (closes && isDoubled)
    },
    endLine: () => {
      quoted = false
      escaped = false
      mayOpen = true
    },
  }
}

/** Ends every line with a line feed; what is inside quotes stays. */
const toLineFeeds = (dialect: Dialect): Transform => {
  const quoting = createQuoting(dialect)
  let afterReturn = false
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const out = Buffer.allocUnsafe(chunk.length)
      let length = 0
      for (const byte of chunk) {
        const isSecond = afterReturn && byte === lineFeed
        afterReturn = false
        if (isSecond) continue
        if (!quoting.isQuoted() && (byte === lineFeed || byte === carriageReturn)) {
          out[length++] = lineFeed
          afterReturn = byte === carriageReturn
          quoting.endLine()
        } else {
          out[length++] = byte
          quoting.take(byte)
        }
      }
      done(null, out.subarray(0, length))
    },
  })
}

/** The first line that ends in another way than the first line does. */
export const findOtherLineEnd = async (
  bytes: Readable,
  dialect: Dialect,
): Promise<{ line: number; end: string; firstEnd: string } | undefined> => {
  const quoting = createQuoting(dialect)
  const names = { lf: 'LF', crlf: 'CR LF', cr: 'CR' }
  let first: keyof typeof names | undefined
  let line = 1
  let afterReturn = false
  const endOf = (end: keyof typeof names) => {
    first ??= end
    if (end !== first) return { line, end: names[end], firstEnd: names[first] }
    line++
    return undefined
  }
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>)
      for (const byte of chunk) {
        const wasReturn = afterReturn
        afterReturn = !quoting.isQuoted() && byte === carriageReturn
        const ended = wasReturn
          ? endOf(byte === lineFeed ? 'crlf' : 'cr')
          : byte === lineFeed && !quoting.isQuoted()
            ? endOf('lf')
            : undefined
        if (ended) return ended
        if (afterReturn || (byte === lineFeed && !quoting.isQuoted())) quoting.endLine()
        else {
          if (byte === lineFeed) line++
          quoting.take(byte)
        }
      }
    return afterReturn ? endOf('cr') : undefined
  } finally {
    bytes.destroy()
  }
}

/** The file's bytes as DuckDB is to see them, decompressed. */
export const textBytes = (file: StagedFile, rewrite: Rewrite | undefined, signal: AbortSignal): Readable =>
  (rewrite?.() ?? []).reduce<Readable>(
    (bytes, transform) => {
      bytes.on('error', (error) => transform.destroy(error))
      transform.on('close', () => bytes.destroy())
      return bytes.pipe(transform)
    },
    plainBytes(file, signal),
  )
