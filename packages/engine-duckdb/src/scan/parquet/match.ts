import type { ColumnPath, LogicalType, Predicate, Scalar } from '@penstock/core'
import { type Bound, boundOf, compareBounds } from './values.ts'

/** What is known of a column in a set of rows. Bounds are outer bounds of the values that are neither null nor NaN. */
export interface ColumnFacts {
  readonly type: LogicalType
  readonly min?: Bound | undefined
  readonly max?: Bound | undefined
  /** Bounds are values themselves, not cut. */
  readonly exact: boolean
  /** Both bounds are sure to be values of the set. */
  readonly occur: boolean
  readonly nulls: 'none' | 'some' | 'all' | 'unknown'
}

/** Undefined: nothing is known of the column. */
export type FactsOf = (column: ColumnPath) => ColumnFacts | undefined

/** True unless no row of a set with these facts can fulfil the predicate. */
export const mayMatch = (predicate: Predicate, factsOf: FactsOf): boolean => {
  switch (predicate.kind) {
    case 'true':
      return true
    case 'false':
      return false
    case 'and':
      return predicate.of.every((part) => mayMatch(part, factsOf))
    case 'or':
      return predicate.of.some((part) => mayMatch(part, factsOf))
    case 'not':
      return true
    default: {
      const facts = factsOf(predicate.column)
      return !facts || columnMayMatch(predicate, facts)
    }
  }
}

export type ColumnPredicate = Extract<Predicate, { readonly column: ColumnPath }>

export const columnMayMatch = (predicate: ColumnPredicate, facts: ColumnFacts): boolean => {
  if (predicate.kind === 'is-null') return facts.nulls !== 'none'
  if (facts.nulls === 'all') return predicate.kind === 'not-nan'
  switch (predicate.kind) {
    case 'compare':
      return comparisonMayMatch(predicate.operator, predicate.value, facts)
    case 'in':
      return predicate.values.some((value) => comparisonMayMatch('=', value, facts))
    case 'not-in':
      return predicate.values.every((value) => comparisonMayMatch('<>', value, facts))
    case 'is-nan':
      return isFloat(facts.type)
    case 'starts-with':
      return prefixMayMatch(predicate.prefix, facts)
    case 'not-starts-with':
      return !allStartWith(predicate.prefix, facts)
    default:
      return true
  }
}

const isFloat = ({ type }: LogicalType): boolean => type === 'float' || type === 'double'

type Operator = Extract<Predicate, { kind: 'compare' }>['operator']

const comparisonMayMatch = (operator: Operator, value: Scalar, facts: ColumnFacts): boolean => {
  const { min, max, type } = facts
  // Parquet does not count NaN, which is above all numbers and equal to itself.
  if (isFloat(type) && (operator === '>' || operator === '>=' || operator === '<>')) return true
  if (typeof value === 'number' && Number.isNaN(value)) return true
  const constant = boundOf(value, type)
  const low = min === undefined ? undefined : compareBounds(min, constant)
  const high = max === undefined ? undefined : compareBounds(max, constant)
  switch (operator) {
    case '=':
      return !(low !== undefined && low > 0) && !(high !== undefined && high < 0)
    case '<':
      return !(low !== undefined && low >= 0)
    case '<=':
      return !(low !== undefined && low > 0)
    case '>':
      return !(high !== undefined && high <= 0)
    case '>=':
      return !(high !== undefined && high < 0)
    case '<>':
      return !(facts.exact && low === 0 && high === 0)
  }
}

const prefixMayMatch = (prefix: string, { min, max, type }: ColumnFacts): boolean => {
  const wanted = boundOf(prefix, type)
  if (type.type !== 'string' || !(wanted instanceof Uint8Array)) return true
  const compare = (bound: Bound | undefined) =>
    bound instanceof Uint8Array ? Buffer.compare(bound.subarray(0, wanted.length), wanted) : 0
  return compare(min) <= 0 && compare(max) >= 0
}

const allStartWith = (prefix: string, { min, max, type }: ColumnFacts): boolean => {
  const wanted = boundOf(prefix, type)
  if (type.type !== 'string' || !(wanted instanceof Uint8Array)) return false
  const starts = (bound: Bound | undefined) =>
    bound instanceof Uint8Array &&
    bound.length >= wanted.length &&
    Buffer.compare(bound.subarray(0, wanted.length), wanted) === 0
  return starts(min) && starts(max)
}
