import type { FileMetrics } from '../manifest/manifest.ts'
import type { PartitionSummary } from '../manifest/manifest-list.ts'
import type { PrimitiveType } from '../types.ts'
import { decodeBound } from '../values/bounds.ts'
import { compareValues, isNaNValue, type Value } from '../values/value.ts'
import { type ColumnStats, type Share, unknownStats } from './column-stats.ts'

const isFloating = (type: PrimitiveType): boolean => type.type === 'float' || type.type === 'double'

/** What the metrics of a data file tell of a field; what they leave out is unknown. */
export const statsOfMetrics = (metrics: FileMetrics, fieldId: number, type: PrimitiveType): ColumnStats => {
  const values = metrics.valueCounts.get(fieldId)
  const nulls = metrics.nullCounts.get(fieldId)
  const nans = metrics.nanCounts.get(fieldId)
  const lower = metrics.lowerBounds.get(fieldId)
  const upper = metrics.upperBounds.get(fieldId)
  return {
    nulls: share(nulls, values),
    nans: isFloating(type)
      ? share(nans, values === undefined || nulls === undefined ? undefined : values - nulls)
      : 'none',
    lower: lower && decodeBound(lower, type, 'lower'),
    upper: upper && decodeBound(upper, type, 'upper'),
  }
}

const share = (count: bigint | undefined, of: bigint | undefined): Share => {
  if (count === 0n) return 'none'
  return count !== undefined && count > 0n && count === of ? 'all' : 'some'
}

/** What a manifest tells of a partition field in all of its entries. */
export const statsOfSummary = (summary: PartitionSummary, type: PrimitiveType): ColumnStats => {
  const lower = summary.lower && decodeBound(summary.lower, type, 'lower')
  const upper = summary.upper && decodeBound(summary.upper, type, 'upper')
  const noBounds = summary.lower === undefined && summary.upper === undefined
  const nans: Share = !isFloating(type) || summary.containsNaN === false ? 'none' : 'some'
  // No bounds: all values are null or NaN.
  if (noBounds && summary.containsNull && nans === 'none')
    return { ...unknownStats, nulls: 'all', nans: 'none' }
  return {
    nulls: summary.containsNull ? 'some' : 'none',
    nans: noBounds && summary.containsNaN === true ? 'all' : nans,
    lower,
    upper,
  }
}

/** The value of a partition field, which all rows of the partition share. */
export const statsOfValue = (value: Value | null | undefined): ColumnStats => {
  if (value === undefined) return unknownStats
  if (value === null) return { ...unknownStats, nulls: 'all', nans: 'none' }
  return isNaNValue(value)
    ? { ...unknownStats, nulls: 'none', nans: 'all' }
    : { nulls: 'none', nans: 'none', lower: value, upper: value }
}

/** What two sources tell together. */
export const mergeStats = (a: ColumnStats, b: ColumnStats): ColumnStats => ({
  nulls: a.nulls === 'some' ? b.nulls : a.nulls,
  nans: a.nans === 'some' ? b.nans : a.nans,
  lower: tighter(a.lower, b.lower, 1),
  upper: tighter(a.upper, b.upper, -1),
})

const tighter = (a: Value | undefined, b: Value | undefined, sign: 1 | -1): Value | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  return compareValues(a, b) * sign >= 0 ? a : b
}
