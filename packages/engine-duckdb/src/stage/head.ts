import { closeSync, createReadStream, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { addAbortSignal, PassThrough, Readable } from 'node:stream'
import { createGunzip, gunzipSync, constants as zlib } from 'node:zlib'
import { type Compression, ConnectorError, type FileFormat, type StagedFile } from '@penstock/core'
import { unzstd, unzstdSync } from './zstd.ts'

/** Bytes of a file's beginning that its layout is read from; a header may be larger, see {@link readHead}. */
export const headBytes = 256 * 1024

/** Longest header line. */
const maxHeadBytes = 16 * 1024 ** 2

/** Whether there is no local copy of a file, on disk or in memory. Does not write that of one that is in memory. */
export const isStreamed = (file: StagedFile): boolean => file.bytes === undefined && file.path === undefined

/** The bytes of a file that is in memory. */
const inMemory = ({ bytes }: StagedFile): Buffer | undefined =>
  bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The file's bytes as stored, from its local copy or its stream. */
const storedBytes = (file: StagedFile): Readable => {
  const bytes = inMemory(file)
  if (bytes) return Readable.from(bytes, { objectMode: false })
  if (file.path !== undefined) return createReadStream(file.path, { highWaterMark: 1 << 20 })
  if (file.stream) return fromIterable(file.stream())
  throw new ConnectorError('internal', `${file.url} has neither a local copy nor a stream.`)
}

/** Unlike `Readable.from`, it can be destroyed while the iterable gives no answer. */
const fromIterable = (iterable: AsyncIterable<Uint8Array>): Readable => {
  const iterator = iterable[Symbol.asyncIterator]()
  return new Readable({
    highWaterMark: 1 << 20,
    read() {
      iterator.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      iterator.return?.().catch(() => {})
      done(error)
    },
  })
}

/** Who reads a stream is told its error; one that comes after the reader left must not end the process. */
const quietAtEnd = <Stream extends Readable>(stream: Stream): Stream => stream.on('error', () => {})

/** Of what is decompressed at a time: Node's 16 KiB cost twice the time. */
const chunkSize = 1 << 18

/**
 * The file's bytes without compression. Fails with a `data` error that names the object where it is cut off, or corrupt
 * by its checksum, and with whatever the stream fails with.
 */
export const plainBytes = (file: StagedFile, signal: AbortSignal): Readable => {
  const stored = quietAtEnd(addAbortSignal(signal, storedBytes(file)))
  const { compression } = file.format
  if (compression === 'none') return stored
  const decompress =
    compression === 'gzip'
      ? stored.pipe(createGunzip({ chunkSize }))
      : Readable.from(unzstd(stored), { objectMode: false, highWaterMark: chunkSize })
  const plain = quietAtEnd(new PassThrough({ highWaterMark: 1 << 20 }))
  decompress.on('error', (error) => plain.destroy(stored.errored ?? corrupt(file, error)))
  stored.on('error', (error) => plain.destroy(error))
  plain.on('close', () => {
    stored.destroy()
    decompress.destroy()
  })
  return decompress.pipe(plain)
}

/**
 * The first bytes without compression, at least `headBytes` of them where there are so many, and at least one line.
 * An end that is cut off does not matter here.
 */
export const readHead = async (file: StagedFile, signal: AbortSignal): Promise<Buffer> => {
  const quick = quickHead(file)
  if (quick && (quick.isWhole || (quick.head.length >= headBytes && quick.head.includes(10))))
    return quick.head
  const chunks: Buffer[] = []
  let length = 0
  const stream = plainBytes(file, signal)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      const isEnough = length >= headBytes && chunks.some((part) => part.includes(10))
      if (isEnough || length >= maxHeadBytes) break
    }
  } catch (error) {
    if (length === 0 || !ConnectorError.isInstance(error) || error.kind !== 'data') throw error
  } finally {
    stream.destroy()
  }
  return Buffer.concat(chunks)
}

/** The beginning of a local file, without streams: many small files are looked at in a moment. */
const quickHead = (file: StagedFile): { head: Buffer; isWhole: boolean } | undefined => {
  if (isStreamed(file)) return undefined
  const stored = storedPart(file, headBytes)
  const isWhole = stored.length < headBytes
  const { compression } = file.format
  if (compression === 'none') return { head: stored, isWhole }
  if (stored.length === 0) return undefined
  try {
    const head =
      compression === 'gzip'
        ? gunzipSync(stored, { finishFlush: isWhole ? zlib.Z_FINISH : zlib.Z_SYNC_FLUSH, maxOutputLength })
        : isWhole && unzstdSync(stored, maxOutputLength)
    return head ? { head, isWhole } : undefined
  } catch {
    // Larger than it looks, or corrupt: the stream tells.
    return undefined
  }
}

/** Bound of what {@link quickHead} unpacks. */
const maxOutputLength = 16 * headBytes

/**
 * That many bytes of the beginning of a local file without compression, fewer where there are not so many. Undefined
 * where they can't be had at once.
 */
export const firstPlainBytes = (file: StagedFile, count: number): Buffer | undefined => {
  const { compression } = file.format
  if (isStreamed(file)) return undefined
  if (compression === 'none') return storedPart(file, count)
  try {
    if (compression === 'zstd') return smallBytes(file, maxOutputLength)?.subarray(0, count)
    const options = { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength }
    return gunzipSync(storedPart(file, count + 512), options).subarray(0, count)
  } catch {
    return undefined
  }
}

/**
 * All bytes of a small local file without compression, without streams: asking for each of many files takes longer than
 * reading it. Undefined where it is larger than `maxBytes`, stored or decompressed, or corrupt.
 */
export const smallBytes = (file: StagedFile, maxBytes: number): Buffer | undefined => {
  const stored = inMemory(file) ?? readFileSync(file.path ?? '')
  if (stored.length > maxBytes) return undefined
  try {
    switch (file.format.compression) {
      case 'none':
        return stored
      case 'gzip':
        return gunzipSync(stored, { maxOutputLength: maxBytes })
      case 'zstd':
        return unzstdSync(stored, maxBytes)
    }
  } catch {
    return undefined
  }
}

/** Bytes as stored from the beginning, or with a negative count from the end, of a file with a local copy. */
export const storedPart = (file: StagedFile, count: number): Buffer => {
  const bytes = inMemory(file)
  if (bytes) return count < 0 ? bytes.subarray(count) : bytes.subarray(0, count)
  const descriptor = openSync(file.path ?? '', 'r')
  try {
    const start = count < 0 ? Math.max(0, fstatSync(descriptor).size + count) : 0
    const buffer = Buffer.allocUnsafe(Math.abs(count))
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, start))
  } finally {
    closeSync(descriptor)
  }
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

const nameOf = (format: FileFormat): string => {
  const type = { csv: 'CSV', ndjson: 'NDJSON', json: 'JSON', parquet: 'Parquet' }[format.type]
  return format.compression === 'none' ? type : `${format.compression} ${type}`
}

const startsWith = (head: Buffer, ...bytes: number[]) => bytes.every((byte, index) => head[index] === byte)

/** What the first bytes say a file is, where they say it without doubt. */
const magicOf = (head: Buffer): Compression | 'parquet' | 'html' | 'zip' | 'orc' | 'avro' | undefined => {
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
