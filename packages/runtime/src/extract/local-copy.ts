import { createWriteStream, writeFileSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { ConnectorError, type RemoteFile, type StagedFile, type TransferOptions } from '@penstock/core'

/** Local copy of one object. */
export interface LocalCopy {
  readonly file: StagedFile
  remove(): Promise<void>
}

type CopyOptions = TransferOptions & { readonly signal: AbortSignal }

/** Writes an object to a file. After a failure there is none. */
export const fileOnDisk = async (
  remote: RemoteFile,
  about: StagedFile,
  path: string,
  options: CopyOptions,
): Promise<LocalCopy> => {
  const remove = () => unlink(path).catch(() => {})
  try {
    if (remote.download) await remote.download(path, options)
    else await pipeline(counted(remote, options), createWriteStream(path), { signal: options.signal })
    return { file: { ...about, path }, remove }
  } catch (error) {
    await remove()
    throw failureOf(error, remote, path)
  }
}

/** Holds an object in memory; its file is written for those who ask for its path. */
export const fileInMemory = async (
  remote: RemoteFile,
  about: StagedFile,
  path: string,
  options: CopyOptions,
): Promise<LocalCopy> => {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of counted(remote, options)) chunks.push(chunk)
  } catch (error) {
    throw failureOf(error, remote, path)
  }
  // A copy, also of a single chunk: that one may be a part of a larger block of memory.
  const bytes = Buffer.concat(chunks)
  let isWritten = false
  const file: StagedFile = {
    ...about,
    bytes,
    get path() {
      if (isWritten) return path
      // Also after a failure there may be a file to remove.
      isWritten = true
      try {
        writeFileSync(path, bytes)
      } catch (error) {
        throw failureOf(error, remote, path)
      }
      return path
    },
  }
  return { file, remove: async () => (isWritten ? unlink(path).catch(() => {}) : undefined) }
}

/** What arrives; told as progress here, so not by the reader as well. */
async function* counted(remote: RemoteFile, options: CopyOptions): AsyncGenerator<Uint8Array> {
  const { onBytes, ...others } = options
  let arrived = 0
  for await (const chunk of remote.read(undefined, others)) {
    arrived += chunk.byteLength
    onBytes?.(chunk.byteLength)
    yield chunk
  }
  const { size } = remote.entry
  if (arrived !== size)
    throw new ConnectorError('network', `${remote.url} has ${size} bytes, ${arrived} arrived.`)
}

const failureOf = (error: unknown, remote: RemoteFile, path: string): unknown =>
  diskError(error, path) ?? withObject(error, remote.url)

/** An error of a transfer, with the object that it was about. */
const withObject = (error: unknown, url: string): unknown => {
  if (!ConnectorError.isInstance(error) || error.kind === 'cancelled' || error.place?.object !== undefined)
    return error
  const { kind, message, hint, code, place } = error
  return new ConnectorError(kind, message, {
    ...(hint !== undefined && { hint }),
    ...(code !== undefined && { code }),
    place: { ...place, object: url },
    cause: error.cause,
  })
}

/** A full disk or quota as a `resource` error; undefined for other errors. */
const diskError = (error: unknown, path: string): ConnectorError | undefined => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return undefined
  return new ConnectorError('resource', `The disk of the staging folder is full (${path}).`, {
    code,
    hint: 'Free some space, lower --staging, or choose another folder with --staging-folder.',
    cause: error,
  })
}
