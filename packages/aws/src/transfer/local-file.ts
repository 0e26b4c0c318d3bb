import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, open, writeFile } from 'node:fs/promises'
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

/**
 * A write into the page cache takes 10 microseconds, so it is done at once: through the thread pool the threads wait for
 * the lock of the one file, at several times the processor time. In small pieces, as for larger ones Linux gathers large
 * folios of pages that nobody has used yet (measured on a virtual machine: 2 GiB in 1 s and in 8 s).
 */
const writeBytes = 64 * 1024
/** A disk that makes a write wait for longer, in ms, must not hold up everything else: the thread pool waits then. */
const patienceMs = 20

/** Gives a function that writes one range of a file: blocks in order, from `start` on. It keeps no block. */
export const rangeWriter = (
  file: FileHandle,
  path: string,
  start: number,
  check: Pick<RangeCheck, 'block' | 'written'>,
): ((block: Uint8Array) => void | Promise<void>) => {
  let position = start
  let patient = false

  /** A write may take less than it was given, on a disk that fills up. */
  const wrote = (bytes: number): number => {
    if (bytes === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' })
    position += bytes
    return bytes
  }

  const writeInPool = async (block: Uint8Array, from: number): Promise<void> => {
    try {
      for (let done = from; done < block.length; )
        done += wrote((await file.write(block, done, block.length - done, position)).bytesWritten)
    } catch (error) {
      throw fileError(error, path)
    }
    check.written(position)
  }

  const write = (block: Uint8Array): void | Promise<void> => {
    try {
      for (let done = 0; done < block.length; ) {
        if (patient) return writeInPool(block, done)
        const before = performance.now()
        done += wrote(writeSync(file.fd, block, done, Math.min(writeBytes, block.length - done), position))
        patient = performance.now() - before > patienceMs
      }
    } catch (error) {
      throw fileError(error, path)
    }
    check.written(position)
  }

  return (block) => {
    const hashed = check.block(block)
    return hashed ? hashed.then(() => write(block)) : write(block)
  }
}

/** Writes a small file, over what is there. After a failure there is none. */
export type SmallFileWriter = (path: string, chunks: readonly Uint8Array[]) => void | Promise<void>

/** Where a small file takes longer, in ms, those of the next second go through the thread pool. */
const smallPatienceMs = 4
const pooledMs = 1000

/**
 * Small files are written at once: three calls on the page cache take a fifth of the time that three turns through the
 * thread pool take, which is what counts with thousands of small objects. A disk that makes them wait (each new file is a
 * round trip on a network's) is better used by several at a time.
 */
export const smallFileWriter = (): SmallFileWriter => {
  let pooledUntil = 0
  const failed = (path: string, error: unknown): ConnectorError => {
    rmSync(path, { force: true })
    return fileError(error, path)
  }
  return (path, chunks) => {
    const before = performance.now()
    if (before < pooledUntil)
      return writeFile(path, Buffer.concat(chunks)).catch((error: unknown) => {
        throw failed(path, error)
      })
    try {
      writeAtOnce(path, chunks)
    } catch (error) {
      throw failed(path, error)
    }
    if (performance.now() - before > smallPatienceMs) pooledUntil = before + pooledMs
  }
}

const writeAtOnce = (path: string, chunks: readonly Uint8Array[]): void => {
  const descriptor = openSync(path, 'w')
  try {
    for (const chunk of chunks)
      for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done)
  } finally {
    closeSync(descriptor)
  }
}
