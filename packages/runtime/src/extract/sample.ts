import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, gunzip, zstdDecompress } from 'node:zlib'
import {
  ConnectorError,
  type FileEntry,
  type FileFormat,
  type FileTable,
  type RemoteFile,
  type StagedFile,
} from '@penstock/core'

/** Bytes from the beginning of an object that a plan looks at. */
const sampleBytes = 512 * 1024

/**
 * Stages the beginning of an object, decompressed, for type inference; for Parquet its footer, at its own place in
 * a sparse file. Moves at most about half a MiB (for Parquet: the footer).
 */
export const stageSample = async (
  table: FileTable,
  entry: FileEntry,
  folder: string,
  ordinal: number,
  signal: AbortSignal,
): Promise<StagedFile> => {
  const format = table.format(entry)
  if (!format)
    throw new ConnectorError('data', `The file type of ${entry.key} is not known from its name.`, {
      hint: 'Say it with --format.',
    })
  const remote = table.open(entry)
  const path = join(folder, `sample-${ordinal}.${format.type}`)
  const staged = { entry, url: remote.url, constants: table.constants?.(entry) ?? {}, path }
  if (format.type === 'parquet') {
    await writeParquetFooter(remote, path, signal)
    return { ...staged, format }
  }
  const head = await readRange(remote, 0, Math.min(sampleBytes, entry.size), signal)
  const text = await decompress(head, format.compression)
  await writeFile(path, isPartial(entry) ? withoutCutRecord(text, format.type) : text)
  return { ...staged, format: { ...format, compression: 'none' } }
}

/** Leaves out the last line of a beginning: it may be cut, and a cut number has another type. */
const withoutCutRecord = (text: Buffer, type: FileFormat['type']): Buffer =>
  type === 'json' ? text : text.subarray(0, text.lastIndexOf(10) + 1 || text.length)

/** True when the sample is not the whole object, so that its last record may be cut. */
export const isPartial = (entry: FileEntry): boolean => entry.size > sampleBytes

const decompress = async (bytes: Buffer, compression: 'none' | 'gzip' | 'zstd'): Promise<Buffer> => {
  if (compression === 'none' || bytes.length === 0) return bytes
  // A cut stream is expected here: what can be decompressed is taken.
  return compression === 'gzip'
    ? promisify(gunzip)(bytes, { finishFlush: constants.Z_SYNC_FLUSH })
    : promisify(zstdDecompress)(bytes, { finishFlush: constants.ZSTD_e_flush })
}

const writeParquetFooter = async (remote: RemoteFile, path: string, signal: AbortSignal): Promise<void> => {
  const { size } = remote.entry
  const tail = await readRange(remote, Math.max(0, size - 64 * 1024), size, signal)
  const footerBytes = tail.length >= 8 ? tail.readUInt32LE(tail.length - 8) + 8 : tail.length
  const footer =
    footerBytes <= tail.length ? tail : await readRange(remote, Math.max(0, size - footerBytes), size, signal)
  const file = await open(path, 'w')
  try {
    await file.truncate(size)
    await file.write('PAR1', 0)
    await file.write(footer, 0, footer.length, size - footer.length)
  } finally {
    await file.close()
  }
}

const readRange = async (
  remote: RemoteFile,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<Buffer> => {
  if (end <= start) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of remote.read({ start, end }, { signal })) chunks.push(chunk)
  return Buffer.concat(chunks)
}
