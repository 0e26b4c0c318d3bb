/** Lets so many callers in at a time, in the order in which they came. */
export interface Semaphore {
  /** Resolves to a function that lets the next one in. Rejects when the signal aborts first. */
  acquire(signal: AbortSignal): Promise<() => void>
}

export const createSemaphore = (permits: number): Semaphore => {
  let free = permits
  const waiting = new Set<() => void>()

  const release = (): void => {
    const [next] = waiting
    if (next) {
      waiting.delete(next)
      next()
    } else free++
  }

  const once = (): (() => void) => {
    let released = false
    return () => {
      if (released) return
      released = true
      release()
    }
  }

  return Object.freeze({
    acquire: (signal: AbortSignal) => {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (free > 0) {
        free--
        return Promise.resolve(once())
      }
      return new Promise<() => void>((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener('abort', abort)
          resolve(once())
        }
        const abort = (): void => {
          waiting.delete(enter)
          reject(signal.reason)
        }
        waiting.add(enter)
        signal.addEventListener('abort', abort, { once: true })
      })
    },
  })
}
