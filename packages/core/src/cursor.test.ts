import { expect, it } from 'vitest'
import { cursorFromText, cursorToText, isAfterCursor } from './cursor.ts'
import { bigint, type LogicalType, text } from './types.ts'

const decimal: LogicalType = { type: 'decimal', precision: 9, scale: 2 }
const timestamp: LogicalType = { type: 'timestamp', unit: 'us', zoned: true }

it.each<[LogicalType, unknown, unknown]>([
  [bigint, 9007199254740993n, 9007199254740992n],
  [bigint, 10, 9],
  [text, 'b', 'a'],
  [decimal, '10.25', '9.5'],
  [decimal, '-9.5', '-10.25'],
  [timestamp, '2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00Z'],
  [timestamp, '2026-01-01T00:00:00.0000002Z', '2026-01-01T00:00:00.0000001Z'],
  [timestamp, '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+02:00'],
  [timestamp, new Date(2), new Date(1)],
  [timestamp, '2026-01-01T00:00:00Z', null],
])(
  'compares cursors of the type %o by value: %s is after %s, and not the other way',
  (type, value, other) => {
    expect(isAfterCursor(type, value, other)).toBe(true)
    expect(isAfterCursor(type, other, value)).toBe(false)
  },
)

it.each([7, 'text', null, 9007199254740993n, new Date(1_700_000_000_123)])('keeps %s', (value) => {
  expect(cursorFromText(cursorToText(value))).toEqual(value)
})
