import type { ByteRange } from '@penstock/core'

/** Largest request: what a reader may hold in memory at once. */
const requestBytes = 4 * 1024 ** 2
/** Gap between two ranges that costs less than a request of its own. */
const smallGapBytes = 4 * 1024
/** Share of unneeded bytes that a request may carry. */
const wastedShare = 0.03

export const sizeOf = ({ start, end }: ByteRange): number => end - start

export const totalSize = (ranges: readonly ByteRange[]): number =>
  ranges.reduce((sum, range) => sum + sizeOf(range), 0)

/**
 * Requests that cover all of these ranges of one file: neighbours join where the gap is a small share of what they
 * carry, and what is large is cut, so that it comes over several connections.
 */
export const planRequests = (ranges: readonly ByteRange[]): readonly ByteRange[] => {
  const joined: { start: number; end: number; needed: number }[] = []
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    const gap = last ? range.start - last.end : Number.POSITIVE_INFINITY
    const needed = sizeOf(range)
    if (
      last &&
      gap <= Math.max(smallGapBytes, (last.needed + needed) * wastedShare - (sizeOf(last) - last.needed))
    ) {
      last.needed += Math.max(0, range.end - Math.max(last.end, range.start))
      last.end = Math.max(last.end, range.end)
    } else if (needed > 0) joined.push({ ...range, needed })
  }
  return joined.flatMap(({ start, end }) => {
    const pieces = Math.ceil((end - start) / requestBytes)
    const step = Math.ceil((end - start) / pieces)
    return Array.from({ length: pieces }, (_, index) => ({
      start: start + index * step,
      end: Math.min(end, start + (index + 1) * step),
    }))
  })
}
