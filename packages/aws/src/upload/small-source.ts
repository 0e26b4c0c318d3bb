import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { LocalFileSource } from '../s3/write-access.ts'
import { changed, unreadable } from './local-source.ts'

/** A small file in memory. */
export interface SmallSource {
  readonly bytes: Buffer
  /** Throws `conflict` when the file was written to since it was read. */
  readonly assertUnchanged: () => Promise<void>
}

/** Of what is sent in one request anyway. */
const smallBytes = 256 * 1024

const isSame = (a: BigIntStats, b: BigIntStats): boolean =>
  a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino

/**
 * Reads a small file at once; undefined for what is no file, large, or asked for in part. Synchronous: six calls on the
 * page cache take a fifth of the time that six turns through the thread pool take, which is what counts with thousands
 * of small files.
 */
export const readSmall = ({ path, start, end }: LocalFileSource): SmallSource | undefined => {
  if (start !== undefined || end !== undefined) return undefined
  const stat = () => statSync(path, { bigint: true })
  try {
    const before = stat()
    // What is no file may hold up the one who opens it.
    if (!before.isFile() || before.size > smallBytes) return undefined
    const bytes = readWhole(path, Number(before.size))
    const unchanged = (): boolean => isSame(before, stat())
    if (!bytes || !unchanged()) throw changed(path)
    return {
      bytes,
      assertUnchanged: async () => {
        if (!unchanged()) throw changed(path)
      },
    }
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** Undefined when the file has another size by now. */
const readWhole = (path: string, size: number): Buffer | undefined => {
  const descriptor = openSync(path, 'r')
  try {
    const bytes = Buffer.allocUnsafeSlow(size)
    let filled = 0
    while (filled < size) {
      const count = readSync(descriptor, bytes, filled, size - filled, filled)
      if (count === 0) return undefined
      filled += count
    }
    return fstatSync(descriptor).size === size ? bytes : undefined
  } finally {
    closeSync(descriptor)
  }
}
