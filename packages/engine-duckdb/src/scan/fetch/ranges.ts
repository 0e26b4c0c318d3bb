import type { ByteRange } from '@penstock/core'

/** Largest request: what a reader may hold in memory at once. */
const requestBytes = 4 * 1024 ** 2
/** Gap between two ranges that costs less than a request of its own. */
const smallGapBytes = 4 * 1024
/** Share of unneeded bytes, of those that are needed of a file, that requests may carry besides. */
const wastedShare = 0.04

export const sizeOf = ({ start, end }: ByteRange): number => end - start

export const totalSize = (ranges: readonly ByteRange[]): number =>
  ranges.reduce((sum, range) => sum + sizeOf(range), 0)

/**
 * Requests that cover all of these ranges of one file. Neighbours are joined, the nearest first, where the gap costs
 * less than a request of its own or where all gaps together stay a small share of what is needed; what is large is cut,
 * so that it comes over several connections.
 */
export const planRequests = (ranges: readonly ByteRange[]): readonly ByteRange[] => {
  const pieces = disjoint(ranges)
  const gaps = pieces
    .slice(1)
    .map((piece, index) => ({ before: index + 1, size: piece.start - (pieces[index] as ByteRange).end }))
  let budget = totalSize(pieces) * wastedShare
  const joined = new Set<number>()
  for (const { before, size } of gaps.toSorted((a, b) => a.size - b.size)) {
    if (size > smallGapBytes && size > budget) break
    budget -= size
    joined.add(before)
  }
  const requests: { start: number; end: number }[] = []
  for (const [index, { start, end }] of pieces.entries()) {
    const last = requests.at(-1)
    if (last && joined.has(index)) last.end = end
    else requests.push({ start, end })
  }
  return requests.flatMap(({ start, end }) => {
    const count = Math.ceil((end - start) / requestBytes)
    const step = Math.ceil((end - start) / count)
    return Array.from({ length: count }, (_, index) => ({
      start: start + index * step,
      end: Math.min(end, start + (index + 1) * step),
    }))
  })
}

/** Sorted, without empty ones; what overlaps is one. */
const disjoint = (ranges: readonly ByteRange[]): readonly ByteRange[] => {
  const found: { start: number; end: number }[] = []
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = found.at(-1)
    if (end <= start) continue
    if (last && start < last.end) last.end = Math.max(last.end, end)
    else found.push({ start, end })
  }
  return found
}
