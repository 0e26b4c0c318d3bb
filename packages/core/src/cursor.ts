import type { LogicalType } from './types.ts'

/**
 * Whether a cursor value comes after another one, by the type of its column: exact decimals and 64-bit integers by
 * value, times by their instant, however many digits of a second they are written with and whatever their offset,
 * other texts by UTF-16 unit. Nothing is after null; every value is after none.
 */
export const isAfterCursor = (type: LogicalType, value: unknown, other: unknown): boolean => {
  if (value === null || value === undefined) return false
  if (other === null || other === undefined) return true
  const [a, b] = [value, other].map((one) => comparable(type, one)) as [number, number]
  return a > b
}

const comparable = (type: LogicalType, value: unknown): unknown => {
  if (typeof value !== 'string') return value
  if (type.type === 'decimal') return scaled(value, type.scale)
  if (type.type === 'timestamp') return instant(value)
  return value
}

/** A decimal as the integer that it is at the column's scale. */
const scaled = (text: string, scale: number): bigint | string => {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  return whole === '' ? text : BigInt(`${sign}${whole}${fraction.padEnd(scale, '0').slice(0, scale)}`)
}

/** An ISO time in nanoseconds; Date alone ends at milliseconds. */
const instant = (text: string): bigint | string => {
  const [, head = '', fraction = '', zone = ''] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? []
  const seconds = Date.parse(head + (zone || 'Z'))
  if (Number.isNaN(seconds)) return text
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9))
}

/** A cursor value as text that is kept between runs. */
export const cursorToText = (value: unknown): string => {
  if (typeof value === 'bigint') return JSON.stringify({ bigint: String(value) })
  if (value instanceof Date) return JSON.stringify({ date: value.toISOString() })
  return JSON.stringify(value)
}

/** The value that `cursorToText` kept: what `read` gets as `since`. */
export const cursorFromText = (text: string): unknown => {
  const value = JSON.parse(text) as unknown
  if (typeof value !== 'object' || value === null) return value
  const { bigint, date } = value as { bigint?: string; date?: string }
  if (bigint !== undefined) return BigInt(bigint)
  return date === undefined ? value : new Date(date)
}
