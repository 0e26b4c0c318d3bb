import type { Comparison, Predicate, Scalar } from '@penstock/core'

/** Values of the partition columns that a group of files shares. */
export type PartitionValues = ReadonlyMap<string, Scalar | null>

/** `null`: not known, as with a comparison with null, and with every column that is none of the partition's. */
type Truth = boolean | null

/** Whether a row of the partition may fulfil the predicate. */
export const mayMatch = (predicate: Predicate, values: PartitionValues): boolean =>
  evaluate(predicate, values).may

/** Whether all rows of the partition do. */
export const mustMatch = (predicate: Predicate, values: PartitionValues): boolean =>
  evaluate(predicate, values).must

/**
 * What is known of a predicate over the rows of a partition: whether it may be true, and false (or null), of some, and
 * whether it is true of all.
 */
interface Outcome {
  readonly may: boolean
  readonly must: boolean
  /** Whether it may be false (not null) of some, and is of all: what a NOT makes of it. */
  readonly mayFail: boolean
  readonly mustFail: boolean
}

const open: Outcome = { may: true, must: false, mayFail: true, mustFail: false }

const known = (truth: Truth): Outcome => ({
  may: truth === true,
  must: truth === true,
  mayFail: truth === false,
  mustFail: truth === false,
})

const evaluate = (predicate: Predicate, values: PartitionValues): Outcome => {
  switch (predicate.kind) {
    case 'true':
      return known(true)
    case 'false':
      return known(false)
    case 'and': {
      const parts = predicate.of.map((part) => evaluate(part, values))
      return {
        may: parts.every(({ may }) => may),
        must: parts.every(({ must }) => must),
        mayFail: parts.some(({ mayFail }) => mayFail),
        mustFail: parts.some(({ mustFail }) => mustFail),
      }
    }
    case 'or': {
      const parts = predicate.of.map((part) => evaluate(part, values))
      return {
        may: parts.some(({ may }) => may),
        must: parts.some(({ must }) => must),
        mayFail: parts.every(({ mayFail }) => mayFail),
        mustFail: parts.every(({ mustFail }) => mustFail),
      }
    }
    case 'not': {
      const { may, must, mayFail, mustFail } = evaluate(predicate.of, values)
      return { may: mayFail, must: mustFail, mayFail: may, mustFail: must }
    }
  }
  const [name, ...nested] = predicate.column
  const value = nested.length === 0 ? values.get(name) : undefined
  return value === undefined ? open : known(test(predicate, value))
}

type Leaf = Extract<Predicate, { readonly column: unknown }>

const test = (leaf: Leaf, value: Scalar | null): Truth => {
  if (leaf.kind === 'is-null') return value === null
  if (leaf.kind === 'not-null') return value !== null
  if (value === null) return null
  switch (leaf.kind) {
    case 'compare':
      return holds(leaf.operator, compare(value, leaf.value))
    case 'in':
      return leaf.values.some((entry) => compare(value, entry) === 0)
    case 'not-in':
      return leaf.values.every((entry) => compare(value, entry) !== 0)
    case 'is-nan':
      return Number.isNaN(value)
    case 'not-nan':
      return !Number.isNaN(value)
    case 'starts-with':
      return String(value).startsWith(leaf.prefix)
    case 'not-starts-with':
      return !String(value).startsWith(leaf.prefix)
  }
}

/** Order of two values of a type; NaN equals itself and is above all numbers, texts go by code points. */
const compare = (left: Scalar, right: Scalar): number => {
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right))
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right)
  if (Number.isNaN(left) || Number.isNaN(right))
    return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
  return left < right ? -1 : left > right ? 1 : 0
}

const holds = (operator: Comparison, order: number): boolean => {
  switch (operator) {
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
}
