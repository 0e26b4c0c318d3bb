import type { DecodedValue, Predicate, Scalar } from '@penstock/core'
import fc from 'fast-check'
import { describeTransform, parseTransform, type Transform } from '../../src/transforms/transform.ts'
import type { PrimitiveType } from '../../src/types.ts'

/** A column of a random table, with the values that it may have. */
export interface RandomColumn {
  readonly name: string
  readonly type: PrimitiveType
  readonly transforms: readonly string[]
  readonly values: fc.Arbitrary<Scalar>
}

const edges = (range: fc.Arbitrary<bigint>, ...further: bigint[]) =>
  fc.oneof({ weight: 6, arbitrary: range }, { weight: 1, arbitrary: fc.constantFrom(...further) })
const days = edges(fc.oneof(fc.bigInt(-40n, 40n), fc.bigInt(-800n, 800n)), -719_528n, 0n, -1n, 2_932_896n)
const usPerDay = 86_400_000_000n
const moments = fc.oneof(
  fc
    .tuple(fc.bigInt(-70n, 70n), fc.constantFrom(0n, 1n, -1n, 3_600_000_000n, 43_200_000_001n))
    .map(([day, offset]) => day * usPerDay + offset),
  fc.constantFrom(0n, -1n, 1n),
)
const texts = fc
  .array(fc.constantFrom('a', 'a', 'b', 'é', '￿', '퟿', '😀', '\u{10ffff}'), { maxLength: 4 })
  .map((parts) => parts.join(''))
const binaries = fc
  .array(fc.constantFrom(0, 1, 128, 255), { maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes))
const floats = fc.constantFrom(
  Number.NaN,
  0,
  -0,
  1.5,
  -1.5,
  Infinity,
  -Infinity,
  Math.fround(0.1),
  Math.fround(3e38),
)
const dateTransforms = ['identity', 'year', 'month', 'day', 'bucket[3]', 'void']
const momentTransforms = [...dateTransforms, 'hour']
const numberTransforms = ['identity', 'bucket[4]', 'truncate[3]', 'truncate[10]', 'void', 'zorder[x]']

export const randomColumns: readonly RandomColumn[] = [
  { name: 'bo', type: { type: 'boolean' }, transforms: ['identity'], values: fc.boolean() },
  {
    name: 'i',
    type: { type: 'int' },
    transforms: numberTransforms,
    values: edges(fc.bigInt(-7n, 7n), -2_147_483_648n, 2_147_483_647n),
  },
  {
    name: 'l',
    type: { type: 'long' },
    transforms: numberTransforms,
    values: edges(fc.bigInt(-7n, 7n), 9_007_199_254_740_993n, -(2n ** 63n) + 20n, 2n ** 63n - 1n),
  },
  { name: 'f', type: { type: 'float' }, transforms: ['identity', 'void'], values: floats },
  { name: 'd', type: { type: 'double' }, transforms: ['identity', 'void'], values: floats },
  {
    name: 'de',
    type: { type: 'decimal', precision: 20, scale: 2 },
    transforms: numberTransforms,
    values: edges(fc.bigInt(-9n, 9n), 99_999_999_999_999_999_999n, -99_999_999_999_999_999_999n),
  },
  { name: 'da', type: { type: 'date' }, transforms: dateTransforms, values: days },
  {
    name: 'ti',
    type: { type: 'time' },
    transforms: ['identity', 'bucket[3]'],
    values: edges(fc.bigInt(0n, 9n), usPerDay - 1n),
  },
  { name: 'ts', type: { type: 'timestamp' }, transforms: momentTransforms, values: moments },
  { name: 'tz', type: { type: 'timestamptz' }, transforms: momentTransforms, values: moments },
  {
    name: 'tn',
    type: { type: 'timestamp_ns' },
    transforms: momentTransforms,
    values: fc.tuple(moments, fc.constantFrom(0n, 1n, -1n, 999n)).map(([us, ns]) => us * 1000n + ns),
  },
  {
    name: 's',
    type: { type: 'string' },
    transforms: ['identity', 'bucket[4]', 'truncate[1]', 'truncate[3]'],
    values: texts,
  },
  {
    name: 'u',
    type: { type: 'uuid' },
    transforms: ['identity', 'bucket[4]'],
    values: fc.constantFrom(
      '00000000-0000-0000-0000-000000000000',
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ),
  },
  {
    name: 'b',
    type: { type: 'binary' },
    transforms: ['identity', 'bucket[4]', 'truncate[2]'],
    values: binaries,
  },
]

export type RandomRow = Readonly<Record<string, DecodedValue>>

export interface RandomTable {
  readonly columns: readonly RandomColumn[]
  readonly specs: readonly (readonly { readonly column: RandomColumn; readonly transform: Transform }[])[]
  /** Rows with the number of the commit and the spec that they were written with. */
  readonly rows: readonly { readonly row: RandomRow; readonly commit: number; readonly spec: number }[]
  readonly metrics: 'none' | 'counts' | 'full' | number
  readonly nanCounts: boolean
  readonly summaries: boolean
  /** Writers that rounded times before 1970 toward zero. */
  readonly oldRounding: boolean
  readonly filter: Predicate
}

export const nullable = (values: fc.Arbitrary<Scalar>) => fc.option(values, { nil: null, freq: 5 })

export const leafOf = (column: RandomColumn): fc.Arbitrary<Predicate> => {
  const path = [column.name] as const
  const compare: fc.Arbitrary<Predicate> = fc.record({
    kind: fc.constant('compare' as const),
    column: fc.constant(path),
    operator: fc.constantFrom(
      '=' as const,
      '<>' as const,
      '<' as const,
      '<=' as const,
      '>' as const,
      '>=' as const,
    ),
    value: column.values,
  })
  const list: fc.Arbitrary<Predicate> = fc.record({
    kind: fc.constantFrom('in' as const, 'not-in' as const),
    column: fc.constant(path),
    values: fc.array(column.values, { maxLength: 3 }),
  })
  const state: fc.Arbitrary<Predicate> = fc.record({
    kind: fc.constantFrom('is-null' as const, 'not-null' as const),
    column: fc.constant(path),
  })
  const kinds: fc.Arbitrary<Predicate>[] = [compare, compare, list, state]
  if (column.type.type === 'string')
    kinds.push(
      fc.record({
        kind: fc.constantFrom('starts-with' as const, 'not-starts-with' as const),
        column: fc.constant(path),
        prefix: texts,
      }),
    )
  if (column.type.type === 'float' || column.type.type === 'double')
    kinds.push(
      fc.record({
        kind: fc.constantFrom('is-nan' as const, 'not-nan' as const),
        column: fc.constant(path),
      }),
    )
  return fc.oneof(...kinds)
}

const predicateOf = (columns: readonly RandomColumn[]): fc.Arbitrary<Predicate> =>
  fc.letrec<{ tree: Predicate; leaf: Predicate }>((tie) => ({
    leaf: fc.oneof(...columns.map(leafOf)),
    tree: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      tie('leaf'),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        of: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('not' as const), of: tie('tree') }),
    ),
  })).tree

export const randomTable: fc.Arbitrary<RandomTable> = fc
  .uniqueArray(fc.constantFrom(...randomColumns), { minLength: 1, maxLength: 2 })
  .chain((columns) => {
    const partitionField = fc
      .constantFrom(...columns)
      .chain((column) =>
        fc.constantFrom(...column.transforms).map((text) => ({ column, transform: parseTransform(text) })),
      )
    const row = fc.record(Object.fromEntries(columns.map((column) => [column.name, nullable(column.values)])))
    return fc.record({
      columns: fc.constant(columns),
      specs: fc.array(
        fc.uniqueArray(partitionField, {
          maxLength: 3,
          selector: ({ column, transform }) => `${column.name} ${describeTransform(transform)}`,
        }),
        { minLength: 1, maxLength: 2 },
      ),
      rows: fc.array(fc.record({ row, commit: fc.nat(2), spec: fc.nat(1) }), { maxLength: 14 }),
      metrics: fc.constantFrom('none' as const, 'counts' as const, 'full' as const, 1, 2, 16),
      nanCounts: fc.boolean(),
      summaries: fc.boolean(),
      oldRounding: fc.boolean(),
      filter: predicateOf(columns),
    })
  })
