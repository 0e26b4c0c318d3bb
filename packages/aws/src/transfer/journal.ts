import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { FileEntry } from '@penstock/core'
import { fileError } from './local-file.ts'

/**
 * What of an object is in a file already, kept next to the file: a download that is cut off, by whatever, goes on
 * where it was. It survives the end of the process, not of the machine: the checksum of the whole tells.
 */
export interface Journal {
  /** CRC of each range that is there, by index; undefined where none is computed. */
  readonly done: ReadonlyMap<number, bigint | undefined>
  record(index: number, crc: bigint | undefined): void
  /** Nothing is there any more. */
  restart(): void
  remove(): void
}

/** Ends in what nobody's object is called. */
const journalPath = (path: string): string => `${path}.journal`

/** What the recorded ranges are ranges of: another version or another cut makes them worthless. */
const headerOf = ({ container, key, version, size }: FileEntry, ranges: number): string =>
  JSON.stringify({ container, key, version, size, ranges })

export const openJournal = (path: string, entry: FileEntry, ranges: number): Journal => {
  const file = journalPath(path)
  const header = headerOf(entry, ranges)
  const done = existsSync(path) ? read(file, header) : new Map<number, bigint | undefined>()
  const guarded = (write: () => void): void => {
    try {
      write()
    } catch (error) {
      throw fileError(error, file)
    }
  }
  const restart = (): void => {
    done.clear()
    guarded(() => writeFileSync(file, `${header}\n`))
  }
  if (done.size === 0) restart()
  return {
    done,
    record: (index, crc) => guarded(() => appendFileSync(file, `${index} ${crc?.toString(16) ?? '-'}\n`)),
    restart,
    remove: () => rmSync(file, { force: true }),
  }
}

/** A line that was cut off by the end of the process does not count. */
const read = (file: string, header: string): Map<number, bigint | undefined> => {
  const done = new Map<number, bigint | undefined>()
  if (!existsSync(file)) return done
  const [first, ...lines] = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  if (first !== header) return done
  for (const line of lines) {
    const [, index, crc] = /^(\d+) ([0-9a-f]+|-)$/.exec(line) ?? []
    if (index !== undefined) done.set(Number(index), crc === '-' ? undefined : BigInt(`0x${crc}`))
  }
  return done
}
