import { rm, stat } from 'node:fs/promises'
import { ConnectorError, type ExportFile, type FileGrowth, type GrowingFile } from '@penstock/core'
import { throwIfCancelled } from '../errors.ts'
import type { Space } from './space.ts'

/** How often somebody who waits has a file looked at, in ms: DuckDB does not tell how far it is. */
const lookMs = 10

/** A file of a stream on the staging disk, from the moment it is begun. It is only appended to. */
export interface Part {
  readonly path: string
  readonly partition: ExportFile['partition']
  readonly finished: Promise<Whole>
  grown: GrowingFile['grown']
  release(): Promise<void>
  /** Tells that it is complete. */
  finish(whole: Whole): void
  /** Tells that it will never be complete; nothing happens when it is. */
  fail(error: unknown): void
}

type Whole = Pick<ExportFile, 'size' | 'rows'>
type Place = Pick<ExportFile, 'path' | 'partition'>

interface PartContext {
  readonly space: Space
  readonly signal: AbortSignal
  /** Called with the rows of each file that is complete. */
  readonly onRows: (rows: number) => void
}

/** A file that is complete already. */
export const completePart = (file: Place & Whole, context: PartContext): Part => {
  const part = createPart(file, context)
  part.finish({ size: file.size, rows: file.rows })
  return part
}

export const createPart = ({ path, partition }: Place, { space, signal, onRows }: PartContext): Part => {
  const { promise: finished, resolve, reject } = Promise.withResolvers<Whole>()
  finished.catch(() => {})
  const waiting = new Set<() => void>()
  let state: 'written' | 'failed' | Whole = 'written'
  let released: Promise<void> | undefined
  let givenUp = false

  const wake = (): void => {
    for (const end of [...waiting]) end()
  }
  const lookAgain = (given: AbortSignal | undefined): Promise<void> =>
    new Promise((resume) => {
      const end = (): void => {
        clearTimeout(timer)
        given?.removeEventListener('abort', end)
        waiting.delete(end)
        resume()
      }
      const timer = setTimeout(end, lookMs)
      given?.addEventListener('abort', end, { once: true })
      waiting.add(end)
    })
  const grown = async (beyond: number, given?: AbortSignal): Promise<FileGrowth> => {
    for (;;) {
      throwIfCancelled(given)
      if (state === 'written') throwIfCancelled(signal)
      const bytes = state === 'written' ? await sizeOf(path) : 0
      // It may have ended meanwhile.
      if (state !== 'written') return { bytes: (await finished).size, complete: true }
      if (bytes > beyond) return { bytes, complete: false }
      await lookAgain(given)
    }
  }
  const remove = async (bytes: number): Promise<void> => {
    await rm(path, { force: true })
    space.free(bytes)
  }
  return Object.freeze({
    path,
    partition,
    finished,
    grown,
    release: () => {
      givenUp = true
      if (typeof state === 'object') released ??= remove(state.size)
      return released ?? Promise.resolve()
    },
    finish: (whole: Whole) => {
      state = whole
      space.hold(whole.size)
      onRows(whole.rows)
      resolve(whole)
      // What nobody wants any more was needed until now: DuckDB appends to it by its name.
      if (givenUp) {
        released = remove(whole.size)
        released.catch(() => {})
      }
      wake()
    },
    fail: (error: unknown) => {
      if (state !== 'written') return
      state = 'failed'
      reject(error)
      wake()
    },
  })
}

/** Why a file whose writing was left is never complete. */
export const leftUnfinished = (): ConnectorError =>
  new ConnectorError('cancelled', 'The file was not written to its end: nobody took the files after it.')

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )
