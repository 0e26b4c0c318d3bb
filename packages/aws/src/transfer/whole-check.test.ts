import { createHash, randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/embedded.ts'
import { crcToBase64, createCrc } from '../checksum/crc.ts'
import type { ExpectedChecksum } from '../checksum/expected.ts'
import { createHashing } from '../checksum/hashing.ts'
import { checkedSink } from './range-sink.ts'
import { planRanges } from './ranges.ts'
import { wholeCheck } from './whole-check.ts'
import { createWriters } from './writers.ts'

const bytes = randomBytes(5_000_000)
const crc = createCrc('crc64nvme')
crc.update(bytes)
const sums: readonly ExpectedChecksum[] = [
  { kind: 'crc', algorithm: 'crc64nvme', base64: crcToBase64('crc64nvme', crc.digest()) },
  { kind: 'sequential', algorithm: 'md5', base64: createHash('md5').update(bytes).digest('base64') },
  { kind: 'sequential', algorithm: 'sha256', base64: createHash('sha256').update(bytes).digest('base64') },
]

const hashing = createHashing()
const writers = createWriters()
afterAll(() => {
  hashing.close()
  writers.close()
})

/** Writes the ranges in the order given, chunk by chunk. */
const run = async (
  checksum: ExpectedChecksum,
  cuts: number[],
  order: number[],
  late: boolean,
  body = bytes,
) => {
  const path = join(await temporaryFolder(), 'out')
  const file = await open(path, 'w')
  const positions = [0, ...cuts.sort((a, b) => a - b), body.length]
  const ranges = positions.slice(1).map((end, index) => ({ start: positions[index] ?? 0, end }))
  const answer = Promise.withResolvers<ExpectedChecksum | undefined>()
  if (!late) answer.resolve(checksum)
  const entry = { container: 'b', key: 'k', version: 'v', size: body.length, modified: 0 }
  const check = wholeCheck({ hashing, entry, path, ranges, expected: answer.promise })
  const lanes = ranges.map(({ start, end }, index) => async () => {
    const range = check.range(index)
    const sink = checkedSink(writers, { descriptor: file.fd, path }, { start, end }, range)
    for (let at = start; at < end; at += 65_536) {
      const pending = sink.write(body.subarray(at, Math.min(end, at + 65_536)))
      if (late) setImmediate(() => answer.resolve(checksum))
      await pending
    }
    if (late) answer.resolve(checksum)
    range.done(await sink.end())
  })
  const sorted = lanes.map((lane, index) => ({ lane, place: order[index] ?? 0 }))
  sorted.sort((a, b) => a.place - b.place)
  for (const { lane } of sorted) await lane()
  const wrong = await check.finish()
  await file.close()
  return wrong
}

test.each(sums)('the right bytes in ranges of any order have their $algorithm', async (checksum) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: bytes.length }), { maxLength: 4 }),
      fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
      fc.boolean(),
      async (cuts, order, late) => {
        expect(await run(checksum, cuts, order, late)).toBeUndefined()
      },
    ),
    { numRuns: 6 },
  )
})

test.each(sums)('one wrong bit is found by $algorithm', async (checksum) => {
  const body = Buffer.from(bytes)
  body[4_999_999] = (body[4_999_999] ?? 0) ^ 1
  expect(await run(checksum, [1_000_000], [1, 0], false, body)).toEqual(checksum)
})

test('ranges cover an object exactly, and are neither tiny nor huge', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 34 }), (size) => {
      const ranges = planRanges(size)
      expect(ranges[0]?.start).toBe(0)
      expect(ranges.at(-1)?.end).toBe(size)
      ranges.forEach((range, index) => {
        if (index > 0) expect(range.start).toBe(ranges[index - 1]?.end)
        expect(range.end - range.start).toBeLessThanOrEqual(64 << 20)
      })
      if (ranges.length > 1) expect((ranges[0]?.end ?? 0) >= 8 << 20).toBe(true)
    }),
    { numRuns: 50 },
  )
})
