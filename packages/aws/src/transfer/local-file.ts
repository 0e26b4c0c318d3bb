import { type FileHandle, open } from 'node:fs/promises'
import { ConnectorError } from '@penstock/core'
import { safeCause } from '../errors/safe-cause.ts'

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** A failure of the local disk, in the user's words: it is none of the network. */
export const fileError = (error: unknown, path: string): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  const code = (error as NodeJS.ErrnoException).code ?? 'EIO'
  return full.has(code)
    ? new ConnectorError('resource', `The disk is full: ${path} could not be written.`, {
        code,
        hint: 'Free space, stage in another folder, or lower the staging ceiling.',
        cause: safeCause(error),
      })
    : new ConnectorError('resource', `${path} could not be written (${code}).`, {
        code,
        cause: safeCause(error),
      })
}

/** Opens a file for writing: empty, or with the bytes that it has. */
export const openForWriting = (path: string, flags: 'w' | 'r+' = 'w'): Promise<FileHandle> =>
  open(path, flags).catch((error: unknown) => {
    throw fileError(error, path)
  })
