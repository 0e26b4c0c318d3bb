import { ConnectorError } from '@penstock/core'
import { throwIfCancelled } from '../errors.ts'

/** Bytes on the staging disk, of parts that are being written or were not released yet. */
export interface Space {
  readonly ceiling: number
  /** Bytes that somebody else will free: finished files that were not released. */
  readonly held: () => number
  hold(bytes: number): void
  free(bytes: number): void
  /** Waits until `bytes` fit beside what is held. Throws `resource` when they never will. */
  waitFor(bytes: number): Promise<void>
}

export const createSpace = (ceiling: number, signal: AbortSignal): Space => {
  let held = 0
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resume of woken) resume()
  }
  signal.addEventListener('abort', wake, { once: true })
  return Object.freeze({
    ceiling,
    held: () => held,
    hold: (bytes: number) => {
      held += bytes
    },
    free: (bytes: number) => {
      held -= bytes
      wake()
    },
    waitFor: async (bytes: number) => {
      for (;;) {
        throwIfCancelled(signal)
        if (held + bytes <= ceiling) return
        if (held === 0) throw tooLarge(bytes, ceiling)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  })
}

const tooLarge = (bytes: number, ceiling: number): ConnectorError =>
  new ConnectorError(
    'resource',
    `One file of this export needs ${bytes} bytes or more; the staging ceiling is ${ceiling} bytes.`,
    {
      code: 'StagingFull',
      hint: 'Make smaller files (--max-rows, --max-bytes), or raise --staging.',
    },
  )
