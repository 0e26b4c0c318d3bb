import type { PrimitiveType } from '../types.ts'
import { minimalBigEndian, type Value } from '../values/value.ts'
import { murmur3 } from './murmur3.ts'
import type { Transform } from './transform.ts'

/**
 * The partition value of a value, https://iceberg.apache.org/spec/#partition-transforms. Undefined where it can't be
 * told: an unknown transform, void, or a type that the transform does not take. Null maps to null and is not passed.
 */
export const applyTransform = (
  transform: Transform,
  type: PrimitiveType,
  value: Value,
): Value | undefined => {
  switch (transform.kind) {
    case 'identity':
      return value
    case 'bucket': {
      const hash = bucketHash(type, value)
      return hash === undefined ? undefined : BigInt((hash & 0x7fffffff) % transform.count)
    }
    case 'truncate':
      return truncate(transform.width, type, value)
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
      return typeof value === 'bigint' ? datePart(transform.kind, type, value) : undefined
    case 'void':
    case 'unknown':
      return undefined
  }
}

/** The 32-bit hash of a value; undefined for types that buckets don't take. */
export const bucketHash = (type: PrimitiveType, value: Value): number | undefined => {
  switch (type.type) {
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return typeof value === 'bigint' ? murmur3(littleEndianLong(value)) : undefined
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return typeof value === 'bigint' ? murmur3(littleEndianLong(floorDivide(value, 1000n))) : undefined
    case 'decimal':
      return typeof value === 'bigint' ? murmur3(minimalBigEndian(value)) : undefined
    case 'string':
      return typeof value === 'string' ? murmur3(new TextEncoder().encode(value)) : undefined
    case 'uuid':
    case 'fixed':
    case 'binary':
      return value instanceof Uint8Array ? murmur3(value) : undefined
    default:
      return undefined
  }
}

const littleEndianLong = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true)
  return bytes
}

const truncate = (width: number, type: PrimitiveType, value: Value): Value | undefined => {
  if (typeof value === 'bigint') {
    const step = BigInt(width)
    const result = value - (((value % step) + step) % step)
    // As writers compute it: below the smallest int it wraps around to the largest.
    const bits = integerBits(type)
    return bits === undefined ? result : BigInt.asIntN(bits, result)
  }
  if (typeof value === 'string') return prefixOf(value, width)
  return value instanceof Uint8Array ? value.subarray(0, width) : undefined
}

/** Bits of int and long; undefined for other types. */
const integerBits = (type: PrimitiveType): 32 | 64 | undefined =>
  type.type === 'int' ? 32 : type.type === 'long' ? 64 : undefined

/** From here on a truncated int or long may stand for values at the lower end, which wrapped around. */
export const wrappedFrom = (type: PrimitiveType, width: number): bigint | undefined => {
  const bits = integerBits(type)
  return bits === undefined ? undefined : 2n ** BigInt(bits - 1) - BigInt(width)
}

/** The first code points of a text. */
export const prefixOf = (text: string, codePoints: number): string => {
  if (text.length <= codePoints) return text
  let end = 0
  for (let count = 0; count < codePoints && end < text.length; count++)
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return text.slice(0, end)
}

/** Division that rounds toward minus infinity: times before 1970 are negative. */
const floorDivide = (value: bigint, divisor: bigint): bigint => {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}

type DatePart = 'year' | 'month' | 'day' | 'hour'

/** Years, months, days or hours since 1970-01-01T00:00. */
const datePart = (part: DatePart, type: PrimitiveType, value: bigint): bigint | undefined => {
  const perDay = unitsPerDay(type)
  if (perDay === undefined) return undefined
  if (part === 'hour') return perDay === 1n ? undefined : floorDivide(value, perDay / 24n)
  const days = floorDivide(value, perDay)
  return part === 'day' ? days : monthsAndYears(part, days)
}

const monthsAndYears = (part: 'year' | 'month', days: bigint): bigint => {
  const { year, month } = civil(days)
  return part === 'year' ? year - 1970n : (year - 1970n) * 12n + month - 1n
}

/** Year and month of a day since 1970-01-01, in the proleptic Gregorian calendar, for any int. */
const civil = (days: bigint): { year: bigint; month: bigint } => {
  // Counts from 0000-03-01, so that the leap day ends a year.
  const shifted = days + 719468n
  const era = floorDivide(shifted, 146097n)
  const dayOfEra = shifted - era * 146097n
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36524n - dayOfEra / 146096n) / 365n
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n)
  const fromMarch = (5n * dayOfYear + 2n) / 153n
  const month = fromMarch < 10n ? fromMarch + 3n : fromMarch - 9n
  return { year: yearOfEra + era * 400n + (month <= 2n ? 1n : 0n), month }
}

/** Units of the type in a day; undefined for types without date. */
export const unitsPerDay = (type: PrimitiveType): bigint | undefined => {
  switch (type.type) {
    case 'date':
      return 1n
    case 'timestamp':
    case 'timestamptz':
      return 86_400_000_000n
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return 86_400_000_000_000n
    default:
      return undefined
  }
}

/** First day of a month, as days since 1970-01-01; months count from 1970-01. */
export const firstDayOfMonth = (months: bigint): bigint => {
  const year = 1970n + floorDivide(months, 12n)
  const month = months - floorDivide(months, 12n) * 12n + 1n
  const y = month <= 2n ? year - 1n : year
  const era = floorDivide(y, 400n)
  const yearOfEra = y - era * 400n
  const dayOfYear = (153n * (month > 2n ? month - 3n : month + 9n) + 2n) / 5n
  const dayOfEra = yearOfEra * 365n + yearOfEra / 4n - yearOfEra / 100n + dayOfYear
  return era * 146097n + dayOfEra - 719468n
}
