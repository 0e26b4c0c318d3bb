import type { ByteRange, FileEntry } from '@penstock/core'
import { type CrcName, combineCrc, crcToBase64 } from '../checksum/crc.ts'
import type { ExpectedChecksum } from '../checksum/expected.ts'
import type { FileDigest, Hashing } from '../checksum/hashing.ts'

/** What is known of one range while it is written. */
export interface RangeCheck {
  /** CRC that is needed of it; known when the object's checksum is. */
  readonly algorithm: Promise<CrcName | undefined>
  /** Bytes of the object before this position, from the start of the range, are in the file. */
  readonly written: (position: number) => void
  /** All of it is in the file, with this CRC: undefined where none was asked for. */
  done(crc: bigint | undefined): void
}

/** Verifies an object whose ranges come in parallel. */
export interface WholeCheck {
  range(index: number): RangeCheck
  /** The checksum that the bytes do not have; undefined when all is well. Fails where `expected` did. */
  finish(): Promise<ExpectedChecksum | undefined>
  cancel(): void
}

/**
 * CRCs come for each range on its own and are combined at the end. MD5 and SHA need the bytes in order: another
 * thread reads the file up to where it is without a gap, so that the thread of the sockets is free. `expected` may
 * come late: the first blocks wait for it.
 */
export const wholeCheck = (options: {
  readonly hashing: Hashing
  readonly entry: FileEntry
  readonly path: string
  readonly ranges: readonly ByteRange[]
  readonly expected: Promise<ExpectedChecksum | undefined>
}): WholeCheck => {
  const { hashing, entry, ranges } = options
  const crcs: bigint[] = []
  const written = ranges.map((range) => range.start)
  let digest: FileDigest | undefined
  const expected = options.expected.then((checksum) => {
    if (checksum?.kind === 'sequential') digest = hashing.fileDigest(options.path, checksum.algorithm)
    return checksum
  })
  // A failure is thrown at the end; until then it must neither end the process nor be taken for one of a range.
  const algorithm = expected.then(
    (checksum) => (checksum?.kind === 'crc' ? checksum.algorithm : undefined),
    () => undefined,
  )

  const range = (index: number): RangeCheck => {
    const reached = (position: number): void => {
      written[index] = position
      digest?.advance(withoutGap(ranges, written))
    }
    return {
      algorithm,
      written: reached,
      done: (crc) => {
        if (crc !== undefined) crcs[index] = crc
        reached((ranges[index] as ByteRange).end)
      },
    }
  }

  const actual = (checksum: ExpectedChecksum): string | Promise<string> | undefined => {
    if (checksum.kind === 'sequential') return digest?.finish(entry.size)
    const { algorithm } = checksum
    const whole = ranges.reduce(
      (crc, { start, end }, index) => combineCrc(algorithm, crc, crcs[index] ?? 0n, end - start),
      0n,
    )
    return crcToBase64(algorithm, whole)
  }

  return {
    range,
    finish: async () => {
      const checksum = await expected
      return !checksum || (await actual(checksum)) === checksum.base64 ? undefined : checksum
    },
    cancel: () => digest?.cancel(),
  }
}

/** End of the bytes that are in the file without a gap. */
const withoutGap = (ranges: readonly ByteRange[], written: readonly number[]): number => {
  const open = ranges.findIndex((range, index) => (written[index] ?? 0) < range.end)
  return open === -1 ? (ranges.at(-1)?.end ?? 0) : (written[open] ?? 0)
}
