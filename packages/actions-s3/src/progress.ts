import type { S3ActionContext } from './config.ts'

/** Counts what an action moves, and tells it. Synchronous: nothing is lost when many objects are under way. */
export interface Meter {
  /** Further bytes; negative when a failed try takes some back. */
  readonly bytes: (count: number) => void
  /** One more object is done. */
  readonly done: (item: string) => void
  /** More is planned. */
  readonly plan: (bytes: number, items?: number) => void
}

export const createMeter = (context: S3ActionContext, first: string): Meter => {
  let item = first
  let items = 0
  let bytes = 0
  let totalItems = 0
  let totalBytes = 0
  const tell = (): void =>
    context.onProgress({
      item,
      items,
      bytes,
      ...(totalItems > 0 ? { totalItems } : {}),
      ...(totalBytes > 0 ? { totalBytes } : {}),
    })
  return {
    bytes: (count) => {
      bytes += count
      tell()
    },
    done: (name) => {
      item = name
      items++
      tell()
    },
    plan: (more, count = 1) => {
      totalBytes += more
      totalItems += count
      tell()
    },
  }
}
