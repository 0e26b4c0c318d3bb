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

/** Chunks are gathered to blocks of this size: a write for each 64 kB chunk costs twice the time. */
const blockBytes = 1 << 20

/** Writes one range of a file: chunks in order, from `start` on. */
export interface RangeWriter {
  write(chunk: Uint8Array): void | Promise<void>
  flush(): Promise<void>
}

export const rangeWriter = (
  file: FileHandle,
  path: string,
  start: number,
  check: Pick<RangeCheck, 'chunk' | 'block' | 'written'>,
): RangeWriter => {
  let chunks: Uint8Array[] = []
  let gathered = 0
  let position = start

  const flush = async (): Promise<void> => {
    if (gathered === 0) return
    const block = chunks
    const length = gathered
    chunks = []
    gathered = 0
    await check.block()
    await writeAll(file, block, position, length).catch((error: unknown) => {
      throw fileError(error, path)
    })
    position += length
    check.written(position)
  }

  return {
    write: (chunk) => {
      check.chunk(chunk)
      chunks.push(chunk)
      gathered += chunk.length
      return gathered >= blockBytes ? flush() : undefined
    },
    flush,
  }
}

/** writev may write less than it was given, on a disk that fills up. */
const writeAll = async (
  file: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
  length: number,
): Promise<void> => {
  const { bytesWritten } = await file.writev(chunks as Uint8Array[], position)
  if (bytesWritten === length) return
  const rest = Buffer.concat(chunks).subarray(bytesWritten)
  let written = 0
  while (written < rest.length) {
    const result = await file.write(rest, written, rest.length - written, position + bytesWritten + written)
    if (result.bytesWritten === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' })
    written += result.bytesWritten
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
