import { allNullStats, type ColumnStats, unknownStats } from '../predicate/column-stats.ts'
import type { PrimitiveType } from '../types.ts'
import { isNaNValue, type Value } from '../values/value.ts'
import { firstDayOfMonth, unitsPerDay, wrappedFrom } from './apply.ts'
import type { Transform } from './transform.ts'

/** What a partition value tells of the values of its source column, in all rows of the partition. */
export const statsOfPartition = (
  transform: Transform,
  type: PrimitiveType,
  value: Value | null | undefined,
): ColumnStats => {
  if (transform.kind === 'void' || transform.kind === 'unknown' || value === undefined) return unknownStats
  if (value === null) return allNullStats
  const present: ColumnStats = { ...unknownStats, nulls: 'none' }
  switch (transform.kind) {
    case 'identity':
      return isNaNValue(value)
        ? { ...present, nans: 'all' }
        : { nulls: 'none', nans: 'none', lower: value, upper: value }
    case 'truncate':
      if (typeof value === 'bigint') {
        if (value >= (wrappedFrom(type, transform.width) ?? value + 1n)) return { ...present, nans: 'none' }
        return { nulls: 'none', nans: 'none', lower: value, upper: value + BigInt(transform.width) - 1n }
      }
      return { ...present, nans: 'none', lower: value }
    case 'bucket':
      return present
    default:
      return typeof value === 'bigint' ? statsOfDatePart(transform.kind, type, value) : present
  }
}

const statsOfDatePart = (
  part: 'year' | 'month' | 'day' | 'hour',
  type: PrimitiveType,
  value: bigint,
): ColumnStats => {
  const perDay = unitsPerDay(type)
  if (perDay === undefined) return { ...unknownStats, nulls: 'none' }
  const start = (part: string, at: bigint): bigint => {
    if (part === 'hour') return at * (perDay / 24n)
    const day = part === 'day' ? at : firstDayOfMonth(part === 'year' ? at * 12n : at)
    return day * perDay
  }
  // Writers that rounded toward zero put times before 1970 one partition too high.
  const lower = start(part, value <= 0n ? value - 1n : value)
  return { nulls: 'none', nans: 'none', lower, upper: start(part, value + 1n) - 1n }
}
