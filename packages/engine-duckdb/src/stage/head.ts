import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { type Compression, ConnectorError, type FileFormat, type StagedFile } from '@penstock/core'

/** Bytes of a file's beginning that its layout is read from; a header may be larger, see {@link readHead}. */
export const headBytes = 256 * 1024

/** The file's bytes as stored, from its local copy or its stream. */
export const storedBytes = (file: StagedFile): Readable => {
  if (file.path !== undefined) return createReadStream(file.path, { highWaterMark: 1 << 20 })
  if (file.stream) return Readable.from(file.stream())
  throw new ConnectorError('internal', `${file.url} has neither a local copy nor a stream.`)
}

/** The file's bytes without compression. A corrupt stream fails with a `data` error that names the object. */
export const plainBytes = (file: StagedFile): Readable => {
  const stored = storedBytes(file)
  const decompress = { none: undefined, gzip: createGunzip, zstd: createZstdDecompress }[
    file.format.compression
  ]
  if (!decompress) return stored
  const plain = decompress()
  stored.on('error', (error) => plain.destroy(error))
  plain.on('close', () => stored.destroy())
  return stored.pipe(plain)
}

/**
 * The first `limit` bytes without compression; with `untilLine`, on until the first line is complete. Fails where the
 * compressed beginning is corrupt; an end that is cut off does not matter here.
 */
export const readHead = async (file: StagedFile, limit = headBytes, untilLine = false): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let length = 0
  const stream = plainBytes(file)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= limit && (!untilLine || length >= 64 * limit || chunk.includes(10))) break
    }
  } catch (error) {
    if (ConnectorError.isInstance(error)) throw error
    if (length === 0) throw corrupt(file, error)
  } finally {
    stream.destroy()
  }
  const head = Buffer.concat(chunks)
  return untilLine ? head : head.subarray(0, limit)
}

export const corrupt = (file: StagedFile, cause: unknown): ConnectorError =>
  new ConnectorError(
    'data',
    `${file.url} is corrupt: ${cause instanceof Error ? cause.message : String(cause)}.`,
    {
      place: { object: file.url },
      hint: `It is no whole ${nameOf(file.format)} file. Upload it again, or leave it out with --exclude.`,
      cause,
    },
  )

export const nameOf = (format: FileFormat): string => {
  const type = { csv: 'CSV', ndjson: 'NDJSON', json: 'JSON', parquet: 'Parquet' }[format.type]
  return format.compression === 'none' ? type : `${format.compression} ${type}`
}

const startsWith = (head: Buffer, ...bytes: number[]) => bytes.every((byte, index) => head[index] === byte)

/** What the first bytes say a file is, where they say it without doubt. */
export const magicOf = (
  head: Buffer,
): Compression | 'parquet' | 'html' | 'zip' | 'orc' | 'avro' | undefined => {
  if (startsWith(head, 0x1f, 0x8b)) return 'gzip'
  if (startsWith(head, 0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  if (startsWith(head, 0x50, 0x41, 0x52, 0x31)) return 'parquet'
  if (startsWith(head, 0x50, 0x4b, 0x03, 0x04)) return 'zip'
  if (head.subarray(0, 3).toString() === 'ORC') return 'orc'
  if (head.subarray(0, 3).toString() === 'Obj') return 'avro'
  return /^\s*<(!doctype html|html)/i.test(head.subarray(0, 200).toString('latin1')) ? 'html' : undefined
}

/** Throws a `data` error when a text file's plain beginning is another format: gzip named .csv, an HTML error page. */
export const refuseOtherFormat = (file: StagedFile, head: Buffer): void => {
  const found = magicOf(head)
  if (!found) return
  throw new ConnectorError(
    'data',
    `${file.url} should be ${nameOf(file.format)}, but its bytes are ${found}.`,
    {
      place: { object: file.url },
      hint:
        found === 'gzip' || found === 'zstd'
          ? `Say so with --compression ${found}, or give the object the suffix .${found === 'gzip' ? 'gz' : 'zst'}.`
          : 'Say the format with --format, or leave the object out with --exclude.',
    },
  )
}
