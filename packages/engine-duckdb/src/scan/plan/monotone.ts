import type { Comparison, Predicate } from '@penstock/core'
import { planConstant } from './constants.ts'
import type { ColumnReference } from './filters.ts'
import { isObject, type Json, type JsonObject, listAt, textAt } from './json.ts'

/** A function of a column that grows with it: values of the column are compared instead. */
export interface MonotoneColumn {
  readonly column: ColumnReference
  /** The values [first, end) of the column for which the function gives a constant; undefined where that is not sure. */
  readonly valuesOf: (
    constant: Json | undefined,
  ) => { readonly first: bigint; readonly end: bigint } | undefined
}

const microsecondsOfDay = 86_400_000_000n
const unitsOfDay = {
  s: 86_400n,
  ms: 86_400_000n,
  us: microsecondsOfDay,
  ns: microsecondsOfDay * 1000n,
} as const

/** How many of a column's units a day has: of a date or a timestamp. */
const dayUnits = ({ type }: ColumnReference): bigint | undefined =>
  type.type === 'date' ? 1n : type.type === 'timestamp' ? unitsOfDay[type.unit] : undefined

/**
 * `year(column)` and `column::DATE`. DuckDB's optimizer turns some of these comparisons into ranges itself, but not
 * those of years, of zoned timestamps (the zone is UTC here), and of lists of days.
 */
export const monotoneColumn = (
  node: Json | undefined,
  reference: (node: Json | undefined) => ColumnReference | undefined,
): MonotoneColumn | undefined => {
  if (!isObject(node)) return undefined
  if (node.expression_class === 'BOUND_CAST' && node.try_cast === false) {
    const column = reference(node.child)
    const units = column && dayUnits(column)
    if (!units || textAt(node.return_type, 'id') !== 'DATE') return undefined
    return { column, valuesOf: (constant) => daysFrom(integer(constant, { type: 'date' }), 1n, units) }
  }
  if (node.expression_class !== 'BOUND_FUNCTION' || node.name !== 'year') return undefined
  const column = reference(listAt(node, 'children')[0])
  const units = column && dayUnits(column)
  if (!units) return undefined
  return {
    column,
    valuesOf: (constant) => {
      const year = integer(constant, { type: 'int', bits: 64, signed: true })
      const first = year === undefined ? undefined : firstDay(year)
      const next = year === undefined ? undefined : firstDay(year + 1n)
      return next === undefined || first === undefined ? undefined : daysFrom(first, next - first, units)
    },
  }
}

/** What a comparison of the function with the constant means for the column. */
export const compareMonotone = (
  { column, valuesOf }: MonotoneColumn,
  operator: Comparison,
  constant: Json | undefined,
): Predicate | undefined => {
  const values = valuesOf(constant)
  if (!values) return undefined
  const compare = (comparison: Comparison, value: bigint): Predicate => ({
    kind: 'compare',
    column: column.path,
    operator: comparison,
    value,
  })
  const { first, end } = values
  switch (operator) {
    case '=':
      return { kind: 'and', of: [compare('>=', first), compare('<', end)] }
    case '<>':
      return { kind: 'or', of: [compare('<', first), compare('>=', end)] }
    case '<':
      return compare('<', first)
    case '<=':
      return compare('<', end)
    case '>':
      return compare('>=', end)
    case '>=':
      return compare('>=', first)
  }
}

const integer = (node: Json | undefined, type: Parameters<typeof planConstant>[1]): bigint | undefined => {
  if (textAt(node, 'expression_class') !== 'BOUND_CONSTANT') return undefined
  const value = planConstant((node as JsonObject).value, type)?.value
  return typeof value === 'bigint' ? value : undefined
}

const daysFrom = (day: bigint | undefined, days: bigint, units: bigint) =>
  day === undefined ? undefined : { first: day * units, end: (day + days) * units }

/** Days from 1970 to the first one of a year; only of those that all calendars here count alike. */
const firstDay = (year: bigint): bigint | undefined => {
  if (year < 1n || year > 9999n) return undefined
  return BigInt(new Date(0).setUTCFullYear(Number(year), 0, 1)) / 86_400_000n
}
