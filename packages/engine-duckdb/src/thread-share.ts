import { createQueue } from './interruptible.ts'

/** Gives the threads of a database to whoever runs a statement on each of several connections. */
export interface ThreadShare {
  /**
   * From now on each statement runs in the thread that waits for it, and in no other. Who waits for a statement of one
   * task while DuckDB has threads of its own looks for work without a pause, which costs as much as the statement. Ends
   * with what it returns, when all who asked for it have ended it.
   */
  narrow(): Promise<() => Promise<void>>
}

export const createThreadShare = (
  setThreads: (threads: number) => Promise<void>,
  threads: number,
): ThreadShare => {
  const enqueue = createQueue()
  let users = 0
  return Object.freeze({
    narrow: () =>
      enqueue(async () => {
        if (users++ === 0) await setThreads(1)
        let ended: Promise<void> | undefined
        const widen = async () => {
          if (--users === 0) await setThreads(threads)
        }
        return () => {
          ended ??= enqueue(widen)
          return ended
        }
      }),
  })
}
