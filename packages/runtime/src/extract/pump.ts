import type { FileEntry, LoadProgress, TableLoad } from '@penstock/core'
import type { Budget } from './budget.ts'
import type { HeldFile } from './staging.ts'

/** Bytes of a batch at most. */
const batchBytes = 128 * 1024 ** 2
/** Bytes that are worth a statement of their own: the engine does not wait for more while downloads go on. */
const worthwhileBytes = 32 * 1024 ** 2
/** Files of a batch. */
const batchFiles = 2_000
/** A file up to this size is small: it takes little but the time of its request. */
const smallBytes = 256 * 1024
/** Files that may be staged or on their way before the engine takes them. */
const filesAhead = 4_000

export interface PumpOptions {
  readonly signal: AbortSignal
  /** Downloads under way at most, when one that is not small is to begin. */
  readonly filesInFlight: number
  /** Downloads under way at most, when a small one is to begin. */
  readonly smallFilesInFlight: number
  /** Staging bytes; when a download waits for them, the engine takes what there is. */
  readonly budget: Budget
  readonly stage: (entry: FileEntry, ordinal: number, signal: AbortSignal) => Promise<HeldFile>
  readonly onStaged: (objects: number) => void
  readonly onLoaded: (progress: LoadProgress) => void
}

interface QueuedFile {
  readonly entry: FileEntry
  held?: HeldFile
  error?: unknown
}

/**
 * Moves files from a listing through staging into the engine: downloads run ahead in parallel while the engine
 * loads batches in the order of the listing. Returns what was loaded. On any failure all downloads are ended and
 * every local copy is released before the error leaves.
 */
export const pump = async (
  entries: AsyncIterable<readonly FileEntry[]>,
  load: TableLoad,
  options: PumpOptions,
): Promise<{ objects: number; bytes: number }> => {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const queue: QueuedFile[] = []
  const downloads = new Set<Promise<void>>()
  const listing: { finished: boolean; error?: unknown } = { finished: false }
  let staged = 0

  let changed = Promise.withResolvers<void>()
  const notify = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      signal.throwIfAborted()
      await changed.promise
    }
  }

  const start = (entry: FileEntry, ordinal: number) => {
    const item: QueuedFile = { entry }
    queue.push(item)
    const download = options
      .stage(entry, ordinal, signal)
      .then(
        (held) => {
          item.held = held
          options.onStaged(++staged)
        },
        (error: unknown) => {
          item.error = error
        },
      )
      .finally(() => {
        downloads.delete(download)
        notify()
      })
    downloads.add(download)
    notify()
  }

  const produce = async () => {
    let ordinal = 0
    for await (const page of entries)
      for (const entry of page) {
        const most = entry.size <= smallBytes ? options.smallFilesInFlight : options.filesInFlight
        await until(() => downloads.size < most && queue.length < filesAhead)
        start(entry, ordinal++)
      }
  }

  /**
   * Takes the next files in order that are ready. Waits for more until they are worth a statement, as long as more can
   * come without the engine's help. The first file goes alone: it defines the columns, while others are on their way.
   */
  const fill = async (batch: HeldFile[], isFirst: boolean): Promise<void> => {
    const maxFiles = isFirst ? 1 : batchFiles
    for (let bytes = 0; batch.length < maxFiles && bytes < batchBytes; ) {
      const isSettled = () => queue[0]?.held !== undefined || queue[0]?.error !== undefined
      const isOver = () => queue.length === 0 && listing.finished
      const isEnough = () => batch.length > 0 && (bytes >= worthwhileBytes || options.budget.contended())
      await until(() => isSettled() || isOver() || isEnough())
      const head = queue[0]
      if (head?.error) throw head.error
      if (!head?.held) break
      // A streamed file has no local copy and is read while its statement runs: it goes alone.
      const alone = head.held.file.stream !== undefined
      if (alone && batch.length > 0) break
      queue.shift()
      batch.push(head.held)
      bytes += alone ? batchBytes : head.entry.size
      notify()
    }
    if (listing.error) throw listing.error
  }

  const total = { objects: 0, bytes: 0 }
  const consume = async () => {
    while (!load.full()) {
      const batch: HeldFile[] = []
      try {
        await fill(batch, total.objects === 0)
        if (batch.length === 0) return
        const files = batch.map((held) => held.file)
        options.onLoaded(await load.addFiles(files, { signal }))
        total.objects += files.length
        total.bytes += files.reduce((sum, file) => sum + file.entry.size, 0)
      } finally {
        await Promise.all(batch.map((held) => held.release()))
        notify()
      }
    }
  }

  const stopListening = options.budget.onContended(notify)
  signal.addEventListener('abort', notify)
  const producing = produce()
    .catch((error: unknown) => {
      listing.error = error
    })
    .finally(() => {
      listing.finished = true
      notify()
    })
  try {
    await consume()
  } finally {
    ended.abort()
    await producing
    await Promise.all(downloads)
    await Promise.all(queue.map((item) => item.held?.release()))
    signal.removeEventListener('abort', notify)
    stopListening()
  }
  return total
}
