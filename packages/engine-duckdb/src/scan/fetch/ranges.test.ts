import fc from 'fast-check'
import { expect, it } from 'vitest'
import { planRequests, totalSize } from './ranges.ts'

const mebibyte = 1024 ** 2

it('covers all ranges once, in pieces of 4 MiB at most, with 4 % of waste besides small gaps', () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 40 * mebibyte }), fc.integer({ min: 0, max: 9 * mebibyte }))
    .map(([start, size]) => ({ start, end: start + size }))
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
      const requests = planRequests(ranges)
      for (const { start, end } of ranges.filter((each) => each.end > each.start)) {
        const own = requests.filter((request) => request.end > start && request.start < end)
        expect(Math.min(...own.map((request) => request.start))).toBeLessThanOrEqual(start)
        expect(Math.max(...own.map((request) => request.end))).toBeGreaterThanOrEqual(end)
        for (const [index, { start: next }] of own.slice(1).entries())
          expect(next).toBeLessThanOrEqual(own[index]?.end ?? 0)
      }
      for (const [index, { start, end }] of requests.entries()) {
        expect(end - start).toBeLessThanOrEqual(4 * mebibyte)
        expect(start).toBeGreaterThanOrEqual(requests[index - 1]?.end ?? 0)
      }
      const allowed = totalSize(ranges) * 1.04 + ranges.length * 4096
      expect(totalSize(requests)).toBeLessThanOrEqual(allowed)
    }),
  )
})

it('spends what may be wasted on the smallest gaps', () => {
  const ranges = [
    { start: 0, end: 1_000_000 },
    { start: 1_100_000, end: 2_000_000 },
    { start: 2_030_000, end: 3_000_000 },
    { start: 3_040_000, end: 4_000_000 },
  ]
  expect(planRequests(ranges)).toEqual([
    { start: 0, end: 1_000_000 },
    { start: 1_100_000, end: 4_000_000 },
  ])
})
