import { type FileHandle, open } from 'node:fs/promises'
import { type ByteRange, ConnectorError } from '@penstock/core'
import { safeCause } from '../errors/safe-cause.ts'
import type { S3Client } from '../s3/client.ts'
import type { LocalFileSource } from '../s3/write-access.ts'
import { createDigester, memoryPayload, type Payload, sliceBytes } from './bytes.ts'
import { spareMemoryOf } from './spare-memory.ts'

/** Ranges up to this size are read into memory once; of longer ones the page cache holds what is read twice. */
const memoryBytes = 16 << 20

/** A local file that is uploaded. */
export interface LocalSource {
  readonly start: number
  readonly end: number
  /** Bytes [start, end), counted from the start of the file. Throws `conflict` when the file is another one by now. */
  payload(range: ByteRange, verify: boolean): Promise<Payload>
  /** Throws `conflict` when the file was written to since it was opened. */
  assertUnchanged(): Promise<void>
  close(): Promise<void>
}

export const unreadable = (path: string, error: unknown): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  const { code = 'EIO' } = error as NodeJS.ErrnoException
  const missing = code === 'ENOENT' || code === 'ENOTDIR'
  return new ConnectorError(
    missing ? 'not-found' : 'resource',
    missing ? `There is no file ${path}.` : `${path} could not be read (${code}).`,
    {
      code,
      hint: missing ? 'Check the path.' : 'Check the rights of the file, and its disk.',
      cause: safeCause(error),
    },
  )
}

export const changed = (path: string): ConnectorError =>
  new ConnectorError('conflict', `${path} changed while it was uploaded.`, {
    code: 'SourceChanged',
    hint: 'Nothing was written. Upload it again when nobody writes to it any more.',
  })

/** Opens a local file. Throws `not-found`, or `config` for what is no file, or has fewer bytes. */
export const openSource = async (
  { path, start = 0, end }: LocalFileSource,
  client: S3Client,
): Promise<LocalSource> => {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error)
  })
  try {
    const before = await file.stat({ bigint: true })
    const size = Number(before.size)
    const last = end ?? size
    if (!before.isFile())
      throw new ConnectorError('config', `${path} is no file.`, {
        code: 'NotAFile',
        hint: 'Give a file, or pipe what a device or command writes.',
      })
    if (start < 0 || start > last || last > size)
      throw new ConnectorError('config', `Bytes ${start} to ${last} are not within the ${size} of ${path}.`, {
        code: 'InvalidRange',
      })

    const assertUnchanged = async (): Promise<void> => {
      const now = await file.stat({ bigint: true })
      if (now.size !== before.size || now.mtimeNs !== before.mtimeNs) throw changed(path)
    }

    const payload = payloadReader(file, path, client, assertUnchanged)

    return Object.freeze({ start, end: last, payload, assertUnchanged, close: () => file.close() })
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Reads ranges of a file; `afterRead` sees that what was read is still there. */
export const payloadReader = (
  file: FileHandle,
  path: string,
  client: S3Client,
  afterRead = async (): Promise<void> => {},
): LocalSource['payload'] => {
  const memory = spareMemoryOf(client)
  const read = (range: ByteRange, sliceSize: number) => readSlices(file, path, range, sliceSize)
  return async (range, verify) => {
    const length = range.end - range.start
    if (length <= memoryBytes) {
      const buffer = memory.take(length)
      const bytes = buffer.subarray(0, length)
      await fill(file, path, bytes, range.start)
      await afterRead()
      return { ...memoryPayload([bytes], verify), release: () => memory.giveBack(buffer) }
    }
    const digester = createDigester(verify)
    for await (const chunk of read(range, sliceBytes * 4)) digester.update(chunk)
    await afterRead()
    return { length, digest: digester.finish(), open: () => read(range, sliceBytes) }
  }
}

/** Reads as many bytes as the buffer has. */
const fill = async (file: FileHandle, path: string, buffer: Buffer, position: number): Promise<void> => {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file
      .read(buffer, filled, buffer.length - filled, position + filled)
      .catch((error: unknown) => {
        throw unreadable(path, error)
      })
    if (bytesRead === 0) throw changed(path)
    filled += bytesRead
  }
}

async function* readSlices(
  file: FileHandle,
  path: string,
  { start, end }: ByteRange,
  sliceSize: number,
): AsyncGenerator<Uint8Array> {
  for (let position = start; position < end; position += sliceSize) {
    const slice = Buffer.allocUnsafeSlow(Math.min(sliceSize, end - position))
    await fill(file, path, slice, position)
    yield slice
  }
}
