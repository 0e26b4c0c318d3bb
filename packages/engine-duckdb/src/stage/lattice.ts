import { bigint, type LogicalType, sameType } from '@penstock/core'

/** Types that inference chooses from, from narrow to wide; the first that holds all values of a column is its type. */
export const boolean: LogicalType = { type: 'boolean' }
export const double: LogicalType = { type: 'double' }
export const date: LogicalType = { type: 'date' }
export const time: LogicalType = { type: 'time' }
export const timestamp: LogicalType = { type: 'timestamp', unit: 'us', zoned: false }
export const instant: LogicalType = { type: 'timestamp', unit: 'us', zoned: true }
export const text: LogicalType = { type: 'string' }

/** Digits that a decimal has at least, so that a column doesn't outgrow its type with the next file. */
const usualPrecision = 18
const maxPrecision = 38

/** The decimal that holds that many digits before and after the point; undefined beyond 38 digits. */
export const decimalFor = (integerDigits: number, scale: number): LogicalType | undefined => {
  const precision = Math.max(usualPrecision, integerDigits + scale)
  return precision <= maxPrecision ? { type: 'decimal', precision, scale } : undefined
}

const intDigits = { 8: 3, 16: 5, 32: 10, 64: 19, 128: 38 } as const

/** Digits before and after the point that a type may hold; undefined for other than exact numbers. */
const digitsOf = (type: LogicalType): { integer: number; scale: number } | undefined => {
  if (type.type === 'decimal') return { integer: type.precision - type.scale, scale: type.scale }
  return type.type === 'int' ? { integer: intDigits[type.bits], scale: 0 } : undefined
}

/**
 * The narrowest type that both types widen to without loss, or undefined: int -> bigint -> decimal, float -> double,
 * date -> timestamp (s3-connectors.md, folder rule). A decimal that would need more than 38 digits is none.
 */
export const widen = (
  from: LogicalType | undefined,
  to: LogicalType | undefined,
): LogicalType | undefined => {
  if (!from) return to
  if (!to || sameType(from, to)) return from
  if (from.type === 'int' && to.type === 'int' && from.signed && to.signed)
    return from.bits > to.bits ? from : to
  const [a, b] = [digitsOf(from), digitsOf(to)]
  if (a && b) {
    const scale = Math.max(a.scale, b.scale)
    const precision = Math.max(usualPrecision, Math.max(a.integer, b.integer) + scale)
    return precision <= maxPrecision ? { type: 'decimal', precision, scale } : undefined
  }
  const pair = [from.type, to.type].toSorted().join()
  if (pair === 'double,float') return double
  if (from.type === 'timestamp' && to.type === 'date') return from
  if (from.type === 'date' && to.type === 'timestamp') return to.zoned ? undefined : to
  return undefined
}

/** True when every value of `narrow` is one of `wide`. */
export const fits = (narrow: LogicalType, wide: LogicalType): boolean => {
  const both = widen(narrow, wide)
  return both !== undefined && sameType(both, wide)
}

export { bigint }
