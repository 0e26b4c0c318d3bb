import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ConnectorError } from '@penstock/core'
import { safeCause } from '../errors/safe-cause.ts'
import type { RangeCheck } from './whole-check.ts'

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

/** Gives a function that writes one range of a file: blocks in order, from `start` on. It keeps no block. */
export const rangeWriter = (
  file: FileHandle,
  path: string,
  start: number,
  check: Pick<RangeCheck, 'block' | 'written'>,
): ((block: Uint8Array) => Promise<void>) => {
  let position = start
  return async (block) => {
    await check.block(block)
    await writeAll(file, block, position).catch((error: unknown) => {
      throw fileError(error, path)
    })
    position += block.length
    check.written(position)
  }
}

/** A write may take less than it was given, on a disk that fills up. */
const writeAll = async (file: FileHandle, block: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < block.length; ) {
    const { bytesWritten } = await file.write(block, done, block.length - done, position + done)
    if (bytesWritten === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' })
    done += bytesWritten
  }
}

/**
 * Writes a small file at once. Synchronous: three calls on the page cache take a fifth of the time that three turns
 * through the thread pool take, which is what counts with thousands of small objects.
 */
export const writeSmallFile = (path: string, chunks: readonly Uint8Array[]): void => {
  try {
    const descriptor = openSync(path, 'w')
    try {
      for (const chunk of chunks)
        for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    rmSync(path, { force: true })
    throw fileError(error, path)
  }
}
