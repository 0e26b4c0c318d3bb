import type { Comparison } from '@penstock/core'
import { compareBytes, compareValues, isNaNValue, type Value } from '../values/value.ts'
import type { BoundLeaf, BoundPredicate } from './bound.ts'
import type { ColumnStats } from './column-stats.ts'

/**
 * False only when no row that fits the statistics can fulfil the predicate. Null fulfils no comparison; NaN is above
 * all numbers and outside of the bounds.
 */
export const mayMatch = (predicate: BoundPredicate, statsOf: (fieldId: number) => ColumnStats): boolean => {
  switch (predicate.kind) {
    case 'true':
    case 'unknown':
      return true
    case 'false':
      return false
    case 'and':
      return predicate.of.every((part) => mayMatch(part, statsOf))
    case 'or':
      return predicate.of.some((part) => mayMatch(part, statsOf))
    default:
      return leafMayMatch(predicate, statsOf(predicate.fieldId))
  }
}

const leafMayMatch = (leaf: BoundLeaf, stats: ColumnStats): boolean => {
  switch (leaf.kind) {
    case 'is-null':
      return stats.nulls !== 'none'
    case 'not-null':
      return stats.nulls !== 'all'
    case 'is-nan':
      return stats.nulls !== 'all' && stats.nans !== 'none'
    case 'not-nan':
      return stats.nulls !== 'none' || stats.nans !== 'all'
  }
  if (stats.nulls === 'all') return false
  switch (leaf.kind) {
    case 'compare':
      return compareMayMatch(leaf.operator, leaf.value, stats)
    case 'in':
      return leaf.values.some((value) => compareMayMatch('=', value, stats))
    case 'not-in':
      return leaf.values.every((value) => compareMayMatch('<>', value, stats))
    case 'starts-with':
      return prefixMayMatch(leaf.prefix, stats)
    case 'not-starts-with':
      return !(
        stats.nulls === 'none' &&
        stats.lower !== undefined &&
        stats.upper !== undefined &&
        startsWith(stats.lower, leaf.prefix) &&
        startsWith(stats.upper, leaf.prefix)
      )
  }
}

const compareMayMatch = (operator: Comparison, value: Value, stats: ColumnStats): boolean => {
  const { lower, upper, nans, nulls } = stats
  if (isNaNValue(value)) return nanMayMatch(operator, stats)
  // NaN is above the value.
  if (nans !== 'none' && (operator === '>' || operator === '>=' || operator === '<>')) return true
  if (nans === 'all') return false
  const aboveLower = lower === undefined ? 1 : compareValues(value, lower)
  const belowUpper = upper === undefined ? 1 : compareValues(upper, value)
  switch (operator) {
    case '<':
      return aboveLower > 0
    case '<=':
      return aboveLower >= 0
    case '>':
      return belowUpper > 0
    case '>=':
      return belowUpper >= 0
    case '=':
      return aboveLower >= 0 && belowUpper >= 0
    case '<>':
      return !(aboveLower === 0 && belowUpper === 0 && nulls === 'none')
  }
}

/** A comparison with NaN itself. */
const nanMayMatch = (operator: Comparison, { nans }: ColumnStats): boolean => {
  switch (operator) {
    case '=':
    case '>=':
      return nans !== 'none'
    case '<':
    case '<>':
      return nans !== 'all'
    case '<=':
      return true
    case '>':
      return false
  }
}

/** Texts with the prefix p are those from p on, as long as they begin with it. */
const prefixMayMatch = (prefix: Value, { lower, upper }: ColumnStats): boolean => {
  if (upper !== undefined && compareValues(upper, prefix) < 0) return false
  return lower === undefined || startsWith(lower, prefix) || compareValues(lower, prefix) <= 0
}

export const startsWith = (value: Value, prefix: Value): boolean => {
  if (typeof value === 'string' && typeof prefix === 'string') return value.startsWith(prefix)
  return (
    value instanceof Uint8Array &&
    prefix instanceof Uint8Array &&
    compareBytes(value.subarray(0, prefix.length), prefix) === 0
  )
}
