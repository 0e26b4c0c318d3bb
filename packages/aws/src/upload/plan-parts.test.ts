import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxPartBytes, maxParts, minPartBytes, partSize, planParts, streamPartSize } from './plan-parts.ts'
import { partsOfStream } from './stream-parts.ts'

const GiB = 1 << 30
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 64 << 20 }),
  fc.maxSafeInteger().map((size) => Math.abs(size) % (maxPartBytes * maxParts)),
)

test('parts cover an object of any size without gap, within the limits of S3', () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const parts = planParts(size)
      expect(parts.length).toBeLessThanOrEqual(maxParts)
      let end = 0
      let short = 0
      for (const part of parts) {
        if (part.start !== end) expect.unreachable(`gap at ${end}`)
        const length = part.end - part.start
        if (length > maxPartBytes) expect.unreachable(`part of ${length} bytes`)
        if (length < minPartBytes) short++
        end = part.end
      }
      expect(end).toBe(size)
      const last = parts.at(-1) as { start: number; end: number }
      // Only the last part may be small.
      expect(short).toBe(last.end - last.start < minPartBytes ? 1 : 0)
    }),
    { numRuns: 60 },
  )
})

test('parts grow with the object', () => {
  const MiB = 1 << 20
  expect([0, 2 * GiB, 50 * GiB, 5 * 1024 * GiB].map((size) => partSize(size) / MiB)).toEqual([8, 8, 52, 5120])
  expect(planParts(0)).toEqual([{ start: 0, end: 0 }])
})

test('what no object can hold is refused before anything is sent', () => {
  expect(() => planParts(maxPartBytes * maxParts + 1)).toThrow(/more than an object in S3 can have/)
})

test('parts of a stream stay within the limits and reach 5 TiB', () => {
  let total = 0
  for (let index = 0; index < maxParts; index++) {
    expect(streamPartSize(index)).toBeLessThanOrEqual(maxPartBytes)
    total += streamPartSize(index)
  }
  expect(total).toBeGreaterThan(5 * 1024 * GiB)
})

test('a stream of any chunks comes as full parts, no byte lost or moved', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 1, max: 50 }), async (given, size) => {
      const parts: Buffer[] = []
      const stream = (async function* () {
        yield* given
      })()
      for await (const blocks of partsOfStream(stream, (index) => size + index))
        parts.push(Buffer.concat(blocks))
      expect(Buffer.concat(parts).equals(Buffer.concat(given))).toBe(true)
      for (const [index, part] of parts.slice(0, -1).entries()) expect(part.length).toBe(size + index)
      expect(parts.length).toBeGreaterThan(0)
      if (parts.length > 1) expect(parts.at(-1)?.length).toBeGreaterThan(0)
    }),
  )
})
