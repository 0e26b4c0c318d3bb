import type { Scalar } from '@penstock/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allMatch } from '../src/predicate/all-match.ts'
import { bindPredicate } from '../src/predicate/bind.ts'
import type { ColumnStats, Share } from '../src/predicate/column-stats.ts'
import { statsOfValue } from '../src/predicate/file-stats.ts'
import { mayMatch } from '../src/predicate/may-match.ts'
import { statsOfPartition } from '../src/transforms/preimage.ts'
import { projectPredicate } from '../src/transforms/project.ts'
import { parseTransform } from '../src/transforms/transform.ts'
import type { Value } from '../src/values/value.ts'
import { fulfils } from './reference/evaluate.ts'
import { partitionValue, valueOfScalar } from './write/build-table.ts'
import { leafOf, nullable, type RandomColumn, randomColumns } from './write/random-table.ts'
import { extremes, truncateBound } from './write/values.ts'

const schemaOf = ({ name, type }: RandomColumn) => ({
  schemaId: 0,
  identifierFieldIds: [],
  fields: [{ id: 1, name, required: false, type }],
})
const columnAnd = <T>(further: (column: RandomColumn) => fc.Arbitrary<T>) =>
  fc.constantFrom(...randomColumns).chain((column) => fc.tuple(fc.constant(column), further(column)))

test('a partition that holds a fitting row matches the projected condition, and one that surely fits holds no other', () => {
  let excluded = 0
  let sure = 0
  const cases = columnAnd((column) =>
    fc.record({
      transform: fc.constantFrom(...column.transforms).map(parseTransform),
      scalar: nullable(column.values),
      leaf: leafOf(column),
      negate: fc.boolean(),
      oldRounding: fc.boolean(),
    }),
  )
  fc.assert(
    fc.property(cases, ([column, { transform, scalar, leaf, negate, oldRounding }]) => {
      const { type, name } = column
      const filter = negate ? { kind: 'not' as const, of: leaf } : leaf
      const bound = bindPredicate(filter, schemaOf(column))
      const spec = { specId: 0, fields: [{ sourceIds: [1], fieldId: 1000, name: 'p', transform }] }
      const value = valueOfScalar(column, scalar)
      const partition = value === null ? null : partitionValue(type, transform, value, oldRounding)
      const fits = fulfils(filter, { [name]: scalar })
      const may = mayMatch(
        projectPredicate(bound, spec, () => type),
        () => statsOfValue(partition),
      )
      const all = allMatch(bound, () => statsOfPartition(transform, type, partition))
      if (fits) expect(may).toBe(true)
      else expect(all).toBe(false)
      if (!may) excluded++
      if (all) sure++
    }),
    { numRuns: 8_000 },
  )
  expect(excluded).toBeGreaterThan(500)
  expect(sure).toBeGreaterThan(100)
})

const shareOf = (count: number, of: number): Share => (count === 0 ? 'none' : count === of ? 'all' : 'some')

const statsOf = (values: readonly (Value | null)[], width: number): ColumnStats => {
  const present = values.filter((value) => value !== null)
  const found = extremes(values)
  return {
    nulls: shareOf(values.length - present.length, values.length),
    nans: shareOf(present.filter((value) => Number.isNaN(value)).length, present.length),
    lower: found && truncateBound(found[0], 'lower', width),
    upper: found && truncateBound(found[1], 'upper', width),
  }
}

test('statistics exclude only what no value fulfils, and are sure only of what every value does', () => {
  let excluded = 0
  let sure = 0
  const cases = columnAnd((column) =>
    fc.record({
      scalars: fc.array(fc.oneof({ weight: 4, arbitrary: nullable(column.values) }, fc.constant(null)), {
        minLength: 1,
        maxLength: 4,
      }),
      leaf: leafOf(column),
      width: fc.constantFrom(1, 2, 100),
    }),
  )
  fc.assert(
    fc.property(cases, ([column, { scalars, leaf, width }]) => {
      const bound = bindPredicate(leaf, schemaOf(column))
      const stats = statsOf(
        scalars.map((scalar: Scalar | null) => valueOfScalar(column, scalar)),
        width,
      )
      const fitting = scalars.filter((scalar) => fulfils(leaf, { [column.name]: scalar })).length
      const may = mayMatch(bound, () => stats)
      const all = allMatch(bound, () => stats)
      if (fitting > 0) expect(may).toBe(true)
      if (fitting < scalars.length) expect(all).toBe(false)
      if (!may) excluded++
      if (all) sure++
    }),
    { numRuns: 8_000 },
  )
  expect(excluded).toBeGreaterThan(500)
  expect(sure).toBeGreaterThan(500)
})
