import { closeSync, openSync, renameSync, rmSync, utimesSync, writeSync } from 'node:fs'
import { type CrcName, createCrc } from '../checksum/crc.ts'

/* What the thread of the sockets and writer threads do alike. It imports little, so that a thread starts soon. */

/**
 * In small pieces, as for larger ones Linux gathers large folios of pages that nobody has used yet (measured on a
 * virtual machine: 2 GiB in 1 s and in 8 s).
 */
const writeBytes = 32 * 1024

const writeAll = (descriptor: number, bytes: Uint8Array, position: number): void => {
  for (let done = 0; done < bytes.length; ) {
    const count = Math.min(writeBytes, bytes.length - done)
    const wrote = writeSync(descriptor, bytes, done, count, position + done)
    // A write may take less than it was given, on a disk that fills up.
    if (wrote === 0) throw Object.assign(new Error('Nothing was written.'), { code: 'ENOSPC' })
    done += wrote
  }
}

/** A range of an open file. */
export interface FileRange {
  readonly descriptor: number
  /** Position of the next byte. */
  readonly start: number
  /** CRC of the range to compute: while the bytes are in the cache of the processor. */
  readonly algorithm: CrcName | undefined
}

export interface RangeWriter {
  /** Writes a block behind the last one, at once. */
  write(block: Uint8Array): void
  /** CRC of all blocks; undefined where none is computed. */
  crc(): bigint | undefined
}

export const rangeWriter = ({ descriptor, start, algorithm }: FileRange): RangeWriter => {
  const crc = algorithm === undefined ? undefined : createCrc(algorithm)
  let position = start
  return {
    write: (block) => {
      crc?.update(block)
      writeAll(descriptor, block, position)
      position += block.length
    },
    crc: () => crc?.digest(),
  }
}

/** A whole file. */
export interface SmallFile {
  readonly path: string
  /** All of a buffer of its own, which is gone afterwards where a thread wrote it. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly place?: FilePlace | undefined
}

/** Where a complete file goes, in one step: what is there is the old or the new one at any moment. */
export interface FilePlace {
  readonly path: string
  /** Time of change that the file gets, in ms since 1970; 0 leaves it. */
  readonly modified: number
}

/** Writes a file, over what is there. After a failure there is none. */
export const writeSmallFile = ({ path, bytes, place }: SmallFile): void => {
  try {
    const descriptor = openSync(path, 'w')
    try {
      writeAll(descriptor, bytes, 0)
    } finally {
      closeSync(descriptor)
    }
    if (place) putInPlace(path, place)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

export const putInPlace = (path: string, place: FilePlace): void => {
  const seconds = place.modified / 1000
  if (place.modified > 0) utimesSync(path, seconds, seconds)
  renameSync(path, place.path)
}
