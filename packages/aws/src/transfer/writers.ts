import { availableParallelism } from 'node:os'
import { combineCrc } from '../checksum/crc.ts'
import { createThread, isThreadModule, type Thread } from '../threads/thread.ts'
import {
  type FileRange,
  type RangeWriter,
  rangeWriter,
  type SmallFile,
  writeSmallFile,
} from './file-writing.ts'
import { fileError } from './local-file.ts'

/** Writes what one connection downloads: its CRCs and its files take more time than its sockets. */
export interface Writers {
  /** Blocks go behind each other, one at a time. `path` is for errors alone. */
  range(range: FileRange, path: string): RangeSink
  /** After a failure there is no file. */
  small(file: SmallFile): void | Promise<void>
  close(): void
}

export interface RangeSink {
  /** The memory of the block may be used again when this returns, or when its promise resolves. */
  write(block: Uint8Array): void | Promise<void>
  /** CRC of all blocks; undefined where none is computed. Once, and last. */
  end(): Promise<bigint | undefined>
  /** Instead of `end`. */
  cancel(): void
}

/** Requests to a writer thread. It answers `end` with the CRC. */
export type WriteRequest =
  | { readonly type: 'open'; readonly id: number; readonly range: FileRange }
  | { readonly type: 'write'; readonly id: number; readonly block: Uint8Array }
  | { readonly type: 'end' | 'cancel'; readonly id: number }
  | { readonly type: 'small'; readonly file: SmallFile }

interface WriterThread extends Thread<WriteRequest, bigint | undefined> {
  /** Ranges and files that it has to do with. */
  load: number
  /** Of these the ranges, by their file's descriptor. */
  readonly ranges: Map<number, number>
}

/** Beyond four the disk or the network is what others wait for. */
const threadsAtMost = 4

const threadModule = ['./writer-thread', import.meta.url] as const
const usefulThreads = (): number =>
  isThreadModule(...threadModule) ? Math.min(threadsAtMost, availableParallelism()) : 0

/** Time that writing may take from the sockets before threads take over, in ms: about what their start takes. */
const patienceMs = 50

/**
 * Time that each small file may take beyond it, in ms. A local disk takes a quarter of it, and threads that make files in
 * one folder wait for each other (measured: 10,000 files in 5.3 s at once, in 6.2 s by two threads); a network's disk
 * takes more.
 */
const smallFileMs = 2

/**
 * The first bytes are written at once: in the page cache a write takes less than telling a thread of it. What takes
 * longer, because it is much or because the disk is slow, goes on in threads, so that the sockets never wait for a disk.
 * Without threads all is written at once.
 */
export const createWriters = (threadCount = usefulThreads()): Writers => {
  const threads: WriterThread[] = []
  const rangeTime = { spentMs: 0, allowedMs: patienceMs }
  const smallTime = { spentMs: 0, allowedMs: patienceMs }
  let lastId = 0

  const hasTimeLeft = ({ spentMs, allowedMs }: typeof rangeTime): boolean =>
    threadCount === 0 || spentMs < allowedMs

  const here = (time: typeof rangeTime, write: () => void): void => {
    const before = performance.now()
    try {
      write()
    } finally {
      time.spentMs += performance.now() - before
    }
  }

  /** The one that has the least to do. */
  const idlest = (): WriterThread => {
    if (threads.length < threadCount && threads.every(({ load }) => load > 0))
      threads.push({ ...createThread(...threadModule), load: 0, ranges: new Map() })
    return threads.reduce((best, other) => (other.load < best.load ? other : best))
  }

  /**
   * All ranges of a file go to one thread: a file system lets one write into a file at a time, and others meanwhile spin
   * for its lock (measured: two threads for one file take a tenth more of the processor and no less time).
   */
  const openInThread = (range: FileRange) => {
    const { descriptor } = range
    const thread = threads.find(({ ranges }) => ranges.has(descriptor)) ?? idlest()
    const id = ++lastId
    const count = (change: 1 | -1): void => {
      const open = (thread.ranges.get(descriptor) ?? 0) + change
      thread.load += change
      if (open > 0) thread.ranges.set(descriptor, open)
      else thread.ranges.delete(descriptor)
    }
    count(1)
    thread.post({ type: 'open', id, range })
    return {
      write: async (block: Uint8Array) => void (await thread.call({ type: 'write', id, block })),
      end: () => {
        count(-1)
        return thread.call({ type: 'end', id })
      },
      cancel: () => {
        count(-1)
        thread.post({ type: 'cancel', id })
      },
    }
  }

  const range = (target: FileRange, path: string): RangeSink => {
    const first: RangeWriter = rangeWriter(target)
    let later: ReturnType<typeof openInThread> | undefined
    let firstBytes = 0
    let laterBytes = 0

    const write = (block: Uint8Array): void | Promise<void> => {
      if (!later && hasTimeLeft(rangeTime)) {
        firstBytes += block.length
        return here(rangeTime, () => first.write(block))
      }
      later ??= openInThread({ ...target, start: target.start + firstBytes })
      laterBytes += block.length
      return later.write(block)
    }

    const end = async (): Promise<bigint | undefined> => {
      const { algorithm } = target
      const crc = first.crc()
      const rest = await later?.end()
      if (algorithm === undefined || crc === undefined || rest === undefined) return crc
      return combineCrc(algorithm, crc, rest, laterBytes)
    }

    return {
      write: (block) => inWords(path, () => write(block)),
      end,
      cancel: () => later?.cancel(),
    }
  }

  const smallInThread = async (file: SmallFile): Promise<void> => {
    const thread = idlest()
    thread.load++
    try {
      await thread.call({ type: 'small', file }, [file.bytes.buffer])
    } finally {
      thread.load--
    }
  }

  const small = (file: SmallFile): void | Promise<void> =>
    inWords(file.place?.path ?? file.path, () => {
      if (!hasTimeLeft(smallTime)) return smallInThread(file)
      smallTime.allowedMs += smallFileMs
      return here(smallTime, () => writeSmallFile(file))
    })

  return Object.freeze({
    range,
    small,
    close: () => {
      for (const thread of threads) thread.close()
    },
  })
}

/** Failures in the user's words, at once or later. */
const inWords = (path: string, write: () => void | Promise<void>): void | Promise<void> => {
  try {
    return write()?.catch((error: unknown) => {
      throw fileError(error, path)
    })
  } catch (error) {
    throw fileError(error, path)
  }
}
