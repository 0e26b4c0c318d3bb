import { expect, test } from 'vitest'
import type { PrimitiveType } from '../types.ts'
import { uuidFromText, type Value } from '../values/value.ts'
import { applyTransform, bucketHash } from './apply.ts'
import { describeTransform, parseTransform } from './transform.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const decimal: PrimitiveType = { type: 'decimal', precision: 9, scale: 2 }
const day = 86_400_000_000n

// Appendix B of the specification.
test.each<[PrimitiveType, Value, number]>([
  [{ type: 'int' }, 34n, 2017239379],
  [{ type: 'long' }, 34n, 2017239379],
  [decimal, 1420n, -500754589],
  [{ type: 'date' }, 17486n, -653330422],
  [{ type: 'time' }, 81068000000n, -662762989],
  [{ type: 'timestamp' }, 1510871468000000n, -2047944441],
  [{ type: 'timestamp' }, 1510871468000001n, -1207196810],
  [{ type: 'timestamptz' }, 1510871468000000n, -2047944441],
  [{ type: 'timestamp_ns' }, 1510871468000000000n, -2047944441],
  [{ type: 'timestamp_ns' }, 1510871468000001001n, -1207196810],
  [{ type: 'timestamptz_ns' }, 1510871468000001001n, -1207196810],
  [{ type: 'string' }, 'iceberg', 1210000089],
  [{ type: 'uuid' }, uuidFromText('f79c3e09-677c-4bbd-a479-3f349cb785e7') ?? '', 1488055340],
  [{ type: 'fixed', length: 4 }, Uint8Array.of(0, 1, 2, 3), -188683207],
  [{ type: 'binary' }, Uint8Array.of(0, 1, 2, 3), -188683207],
])('the bucket hash of %j %s is %i', (type, value, hash) => {
  expect(bucketHash(type, value)).toBe(hash)
})

test.each<[string, PrimitiveType, Value, Value | undefined]>([
  ['bucket[100]', { type: 'string' }, 'iceberg', 89n],
  ['bucket[100]', decimal, 1420n, BigInt((-500754589 & 0x7fffffff) % 100)],
  ['bucket[16]', { type: 'double' }, 1.5, undefined],
  ['truncate[10]', { type: 'int' }, 1n, 0n],
  ['truncate[10]', { type: 'int' }, -1n, -10n],
  ['truncate[10]', { type: 'long' }, -10n, -10n],
  ['truncate[50]', decimal, 1065n, 1050n],
  ['truncate[50]', decimal, -5n, -50n],
  ['truncate[3]', { type: 'string' }, 'iceberg', 'ice'],
  ['truncate[2]', { type: 'string' }, '😀é日', '😀é'],
  ['truncate[2]', { type: 'binary' }, utf8('abc'), utf8('ab')],
  ['year', { type: 'date' }, -1n, -1n],
  ['year', { type: 'date' }, 0n, 0n],
  ['year', { type: 'timestamp' }, 17501n * day, 47n],
  ['month', { type: 'date' }, 17501n, 575n],
  ['month', { type: 'date' }, -1n, -1n],
  ['month', { type: 'date' }, -32n, -2n],
  ['day', { type: 'timestamptz' }, -1n, -1n],
  ['day', { type: 'timestamp_ns' }, 86_400_000_000_000n, 1n],
  ['hour', { type: 'timestamp' }, -1n, -1n],
  ['hour', { type: 'timestamp' }, 3_600_000_000n, 1n],
  ['hour', { type: 'date' }, 1n, undefined],
  ['void', { type: 'int' }, 1n, undefined],
  ['zorder[a,b]', { type: 'int' }, 1n, undefined],
])('%s of %j %s is %s', (text, type, value, expected) => {
  const transform = parseTransform(text)
  expect(describeTransform(transform)).toBe(text)
  expect(applyTransform(transform, type, value)).toEqual(expected)
})

test('years and months follow the calendar for every day of four centuries', () => {
  for (let days = -146_097; days <= 146_097; days += 13) {
    const date = new Date(days * 86_400_000)
    const months = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
    expect(applyTransform({ kind: 'month' }, { type: 'date' }, BigInt(days))).toBe(BigInt(months))
    expect(applyTransform({ kind: 'year' }, { type: 'date' }, BigInt(days))).toBe(
      BigInt(date.getUTCFullYear() - 1970),
    )
  }
})
