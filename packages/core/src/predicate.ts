/**
 * A value in the form that keeps all of it, by logical type: boolean; int as bigint; float and double as number;
 * decimal as its unscaled bigint at the column's scale; string and json as string; uuid in lower case with dashes;
 * binary as bytes; date as bigint days, time as bigint microseconds of the day, timestamp as bigint in the unit of its
 * type, all since 1970-01-01 (UTC).
 */
export type Scalar = boolean | bigint | number | string | Uint8Array

/** Names of a column and of the struct fields within it: `['address', 'city']`. */
export type ColumnPath = readonly [string, ...string[]]

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>='

/**
 * What rows have to fulfil. Comparisons with null are never true, as in SQL. Texts compare by code points. NaN equals
 * itself and is above all numbers.
 */
export type Predicate =
  | { readonly kind: 'true' | 'false' }
  | {
      readonly kind: 'compare'
      readonly column: ColumnPath
      readonly operator: Comparison
      readonly value: Scalar
    }
  | { readonly kind: 'in' | 'not-in'; readonly column: ColumnPath; readonly values: readonly Scalar[] }
  | { readonly kind: 'is-null' | 'not-null' | 'is-nan' | 'not-nan'; readonly column: ColumnPath }
  | { readonly kind: 'starts-with' | 'not-starts-with'; readonly column: ColumnPath; readonly prefix: string }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'not'; readonly of: Predicate }

export const predicateKinds = [
  'compare',
  'in',
  'not-in',
  'is-null',
  'not-null',
  'is-nan',
  'not-nan',
  'starts-with',
  'not-starts-with',
  'and',
  'or',
  'not',
] as const
export type PredicateKind = (typeof predicateKinds)[number]
