import type { Comparison } from '@penstock/core'
import { compareValues, isNaNValue, type Value } from '../values/value.ts'
import type { BoundLeaf, BoundPredicate } from './bound.ts'
import type { ColumnStats } from './column-stats.ts'
import { startsWith } from './may-match.ts'

/** True only when every row that fits the statistics fulfils the predicate. */
export const allMatch = (predicate: BoundPredicate, statsOf: (fieldId: number) => ColumnStats): boolean => {
  switch (predicate.kind) {
    case 'true':
      return true
    case 'false':
    case 'unknown':
      return false
    case 'and':
      return predicate.of.every((part) => allMatch(part, statsOf))
    case 'or':
      return predicate.of.some((part) => allMatch(part, statsOf))
    default:
      return leafAllMatch(predicate, statsOf(predicate.fieldId))
  }
}

const leafAllMatch = (leaf: BoundLeaf, stats: ColumnStats): boolean => {
  if (leaf.kind === 'is-null') return stats.nulls === 'all'
  if (stats.nulls !== 'none') return false
  const { lower, upper } = stats
  switch (leaf.kind) {
    case 'not-null':
      return true
    case 'is-nan':
      return stats.nans === 'all'
    case 'not-nan':
      return stats.nans === 'none'
    case 'compare':
      return compareAllMatch(leaf.operator, leaf.value, stats)
    case 'in':
      return leaf.values.some((value) => compareAllMatch('=', value, stats))
    case 'not-in':
      return leaf.values.every((value) => compareAllMatch('<>', value, stats))
    case 'starts-with':
      return (
        lower !== undefined &&
        upper !== undefined &&
        startsWith(lower, leaf.prefix) &&
        startsWith(upper, leaf.prefix)
      )
    case 'not-starts-with':
      return (
        (upper !== undefined && compareValues(upper, leaf.prefix) < 0) ||
        (lower !== undefined && compareValues(lower, leaf.prefix) > 0 && !startsWith(lower, leaf.prefix))
      )
  }
}

/** No value is null here. */
const compareAllMatch = (operator: Comparison, value: Value, stats: ColumnStats): boolean => {
  const { lower, upper, nans } = stats
  if (isNaNValue(value)) {
    if (operator === '<=') return true
    if (operator === '<' || operator === '<>') return nans === 'none'
    return operator !== '>' && nans === 'all'
  }
  const lowerAbove = lower === undefined ? Number.NaN : compareValues(lower, value)
  const upperAbove = upper === undefined ? Number.NaN : compareValues(upper, value)
  switch (operator) {
    case '<':
      return nans === 'none' && upperAbove < 0
    case '<=':
      return nans === 'none' && upperAbove <= 0
    case '>':
      return nans === 'all' || lowerAbove > 0
    case '>=':
      return nans === 'all' || lowerAbove >= 0
    case '=':
      return nans === 'none' && lowerAbove === 0 && upperAbove === 0
    case '<>':
      return nans === 'all' || lowerAbove > 0 || upperAbove < 0
  }
}
