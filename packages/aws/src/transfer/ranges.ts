import type { ByteRange } from '@penstock/core'

const MiB = 1 << 20

/** Up to this size an object comes in one request. */
const singleRequestBytes = 8 * MiB
/** Ranges of one object in flight at most. */
export const parallelRanges = 8

/**
 * Ranges in which an object is fetched: of at least 8 MiB, so that a request's latency is a small share of its time;
 * of at most 64 MiB, so that a large object is spread evenly; in between a sixteenth of the object.
 */
export const planRanges = (size: number): readonly ByteRange[] => {
  if (size <= singleRequestBytes) return [{ start: 0, end: size }]
  const step = Math.min(64 * MiB, Math.max(8 * MiB, Math.ceil(size / 16 / MiB) * MiB))
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => ({
    start: index * step,
    end: Math.min(size, (index + 1) * step),
  }))
}
