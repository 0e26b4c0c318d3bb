import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { type Duplex, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import type { ExportFormat } from '@penstock/core'

type TextFormat = Exclude<ExportFormat, { type: 'parquet' }>

/** What happens to the UTF-8 that DuckDB writes, chunk by chunk; empty for plain UTF-8. */
const transforms = (format: TextFormat, begins: boolean): Duplex[] => [
  ...(format.type === 'csv' && format.encoding === 'utf-16' ? [utf16(begins)] : []),
  ...(format.compression === 'gzip' ? [createGzip()] : []),
  ...(format.compression === 'zstd' ? [createZstdCompress()] : []),
]

/** UTF-8 to UTF-16, little endian, with a byte order mark at the beginning of a file. */
const utf16 = (begins: boolean): Transform => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let mark = begins ? '\ufeff' : ''
  const encode = (text: string) => {
    const encoded = Buffer.from(mark + text, 'utf16le')
    mark = ''
    return encoded
  }
  return new Transform({
    transform: (chunk: Uint8Array, _encoding, done) =>
      done(null, encode(decoder.decode(chunk, { stream: true }))),
    flush: (done) => done(null, encode(decoder.decode())),
  })
}

export const isPlain = (format: TextFormat): boolean => transforms(format, true).length === 0

/** A text file that grows by batches of rows that DuckDB wrote. */
export interface TextPart {
  /** Takes over a batch file, which is gone when it resolves. The first one of plain text may be the file itself. */
  add(batch: string): Promise<void>
  /** Completes the file; its size in bytes. */
  finish(): Promise<number>
  /** Gives up the file. */
  abandon(): Promise<void>
}

const readOptions = { highWaterMark: 1024 ** 2 }

/** One compressor for the whole file: every reader of gzip and zstd takes it. */
export const textPart = (format: TextFormat, path: string): TextPart => {
  const chain = transforms(format, true)
  const [encoder] = chain
  if (!encoder) return plainPart(path)
  const written = pipeline([...chain, createWriteStream(path)])
  written.catch(() => {})
  return Object.freeze({
    add: async (batch: string) => {
      for await (const chunk of createReadStream(batch, readOptions))
        if (!encoder.write(chunk)) await Promise.race([once(encoder, 'drain'), written])
      await rm(batch)
    },
    finish: async () => {
      encoder.end()
      await written
      return (await stat(path)).size
    },
    abandon: async () => {
      encoder.destroy()
      await written.catch(() => {})
      await rm(path, { force: true })
    },
  })
}

const plainPart = (path: string): TextPart => {
  let begun = false
  return Object.freeze({
    add: async (batch: string) => {
      if (begun) await appendFile(batch, path)
      else if (batch !== path) await rename(batch, path)
      begun = true
    },
    finish: async () => (await stat(path)).size,
    abandon: () => rm(path, { force: true }),
  })
}

const appendFile = async (from: string, to: string): Promise<void> => {
  await pipeline(createReadStream(from, readOptions), createWriteStream(to, { flags: 'a' }))
  await rm(from)
}

/**
 * A part whose size is known after each batch, compression included: every batch is a gzip member or zstd frame of
 * its own, which concatenate to a file that both formats define (RFC 1952 section 2.2, RFC 8878 section 3.1).
 */
export const encodeBatch = async (format: TextFormat, batch: string, begins: boolean): Promise<string> => {
  if (isPlain(format)) return batch
  const encoded = `${batch}.encoded`
  await pipeline([
    createReadStream(batch, readOptions),
    ...transforms(format, begins),
    createWriteStream(encoded),
  ])
  await rm(batch)
  return encoded
}

/** Like {@link textPart}, of batches that {@link encodeBatch} has encoded. */
export const memberPart = plainPart
