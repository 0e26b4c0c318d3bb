import type { Column, Predicate, Scalar } from '@penstock/core'
import type { Row } from './options.ts'
import { evaluate, scalarOf } from './values.ts'

/** How many columns further on the other side of a disjunction may be: pairs grow with the width alone. */
const reach = 3

/** A disjunction of which each side alone gives fewer rows than both. */
type Sides = readonly [Predicate, Predicate]

/**
 * Disjunctions over one column and over two, of values of the rows themselves, in which each side has a row that the
 * other lacks: who pushes one side alone loses that row. Only predicates of the given kinds; none without `or`.
 */
export const disjunctions = (
  columns: readonly Column[],
  rows: readonly Row[],
  kinds: readonly string[],
): Predicate[] => {
  const has = (...wanted: readonly string[]) => wanted.every((kind) => kinds.includes(kind))
  if (!has('or') || !has(termKind(kinds) ?? 'none')) return []
  return columns.flatMap((column, index) =>
    columns.slice(index, index + reach + 1).flatMap((other, distance) => {
      const sides = sidesOf(columns, rows, (row, side) => termOf(side === 0 ? column : other, row, kinds))
      if (!sides) return []
      const [one, two] = sides
      const plain: Predicate[] = [
        { kind: 'or', of: [one, two] },
        { kind: 'or', of: [two, one] },
      ]
      return distance > 1 ? plain : [...plain, ...nested(sides, has)]
    }),
  )
}

const nested = ([one, two]: Sides, has: (...kinds: readonly string[]) => boolean): Predicate[] => {
  const either: Predicate = { kind: 'or', of: [one, two] }
  const found: Predicate[] = []
  if (has('and')) {
    found.push({ kind: 'and', of: [either, { kind: 'or', of: [two, one] }] })
    found.push({ kind: 'or', of: [{ kind: 'and', of: [one, either] }, two] })
  }
  if (has('not')) found.push({ kind: 'not', of: { kind: 'not', of: either } })
  if (has('and', 'not'))
    found.push({
      kind: 'not',
      of: {
        kind: 'and',
        of: [
          { kind: 'not', of: one },
          { kind: 'not', of: two },
        ],
      },
    })
  if (has('in', 'compare'))
    found.push({ kind: 'or', of: [inOf(one), two] }, { kind: 'or', of: [one, inOf(two)] })
  return found
}

const termKind = (kinds: readonly string[]): 'compare' | 'in' | undefined =>
  (['compare', 'in'] as const).find((kind) => kinds.includes(kind))

const termOf = (column: Column, row: Row, kinds: readonly string[]): Predicate | undefined => {
  const value: Scalar | undefined = scalarOf(column.type, row[column.name])
  if (value === undefined || Number.isNaN(value)) return undefined
  return termKind(kinds) === 'in'
    ? { kind: 'in', column: [column.name], values: [value] }
    : { kind: 'compare', column: [column.name], operator: '=', value }
}

const inOf = (term: Predicate): Predicate =>
  term.kind === 'compare' ? { kind: 'in', column: term.column, values: [term.value] } : term

/** The first two rows of the ends of the table whose terms each leave out a row of the other. */
const sidesOf = (
  columns: readonly Column[],
  rows: readonly Row[],
  term: (row: Row, side: 0 | 1) => Predicate | undefined,
): Sides | undefined => {
  const ends = rows.length > 16 ? [...rows.slice(0, 8), ...rows.slice(-8)] : rows
  const fulfils = (filter: Predicate, row: Row) => evaluate(filter, columns, row) === true
  for (const first of ends) {
    const one = term(first, 0)
    if (!one) continue
    for (const second of ends.toReversed()) {
      const two = term(second, 1)
      if (two && !fulfils(one, second) && !fulfils(two, first)) return [one, two]
    }
  }
  return undefined
}
