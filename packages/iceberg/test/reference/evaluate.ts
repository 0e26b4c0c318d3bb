import type { DecodedValue, Predicate, Scalar } from '@penstock/core'
import { compareValues, type Value } from '../../src/values/value.ts'

/** Whether a row fulfils a predicate, as SQL has it: null (undefined here) is neither true nor false. */
export const fulfils = (predicate: Predicate, row: Readonly<Record<string, DecodedValue>>): boolean =>
  evaluate(predicate, row) === true

const evaluate = (predicate: Predicate, row: Readonly<Record<string, DecodedValue>>): boolean | undefined => {
  switch (predicate.kind) {
    case 'true':
    case 'false':
      return predicate.kind === 'true'
    case 'not': {
      const inner = evaluate(predicate.of, row)
      return inner === undefined ? undefined : !inner
    }
    case 'and':
    case 'or': {
      const deciding = predicate.kind === 'or'
      const results = predicate.of.map((part) => evaluate(part, row))
      if (results.includes(deciding)) return deciding
      return results.includes(undefined) ? undefined : !deciding
    }
  }
  const value = predicate.column.reduce<DecodedValue>(
    (inner, name) => (inner as Record<string, DecodedValue> | null)?.[name] ?? null,
    row,
  )
  if (predicate.kind === 'is-null') return value === null
  if (predicate.kind === 'not-null') return value !== null
  if (value === null) return undefined
  const scalar = value as Scalar
  switch (predicate.kind) {
    case 'compare': {
      const order = compare(scalar, predicate.value)
      switch (predicate.operator) {
        case '=':
          return order === 0
        case '<>':
          return order !== 0
        case '<':
          return order < 0
        case '<=':
          return order <= 0
        case '>':
          return order > 0
        case '>=':
          return order >= 0
      }
      break
    }
    case 'in':
    case 'not-in':
      return predicate.values.some((item) => compare(scalar, item) === 0) === (predicate.kind === 'in')
    case 'is-nan':
    case 'not-nan':
      return Number.isNaN(scalar) === (predicate.kind === 'is-nan')
    case 'starts-with':
    case 'not-starts-with':
      return String(scalar).startsWith(predicate.prefix) === (predicate.kind === 'starts-with')
  }
}

/** NaN equals itself and is above all numbers. */
const compare = (a: Scalar, b: Scalar): number => {
  const nans = Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return nans !== 0 || Number.isNaN(a) ? nans : compareValues(a as Value, b as Value)
}
