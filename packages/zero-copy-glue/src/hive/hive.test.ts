import type { GlueTable } from '@penstock/aws'
import type { LogicalType, Predicate, Scalar } from '@penstock/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { partitionExpression } from './expression.ts'
import { fileFormat, unsupportedReason } from './format.ts'
import { mayMatch, mustMatch } from './prune.ts'
import { parseHiveType } from './types.ts'
import { partitionValue } from './values.ts'

const int: LogicalType = { type: 'int', bits: 32, signed: true }
const text: LogicalType = { type: 'string' }

describe('types', () => {
  test.each<[string, LogicalType]>([
    ['int', int],
    ['BIGINT', { type: 'int', bits: 64, signed: true }],
    ['decimal(12,2)', { type: 'decimal', precision: 12, scale: 2 }],
    ['decimal', { type: 'decimal', precision: 10, scale: 0 }],
    ['varchar(20)', text],
    ['array<int>', { type: 'list', element: int }],
    ['map<string, array<int>>', { type: 'map', key: text, value: { type: 'list', element: int } }],
    [
      'struct<a:int,`b c`:struct<d:string>>',
      {
        type: 'struct',
        fields: [
          { name: 'a', type: int },
          { name: 'b c', type: { type: 'struct', fields: [{ name: 'd', type: text }] } },
        ],
      },
    ],
  ])('%s', (name, type) => expect(parseHiveType(name)).toEqual(type))

  test('what is not known is refused by name', () => {
    for (const name of ['uniontype<int>', 'interval', 'array<int', 'int)', '', 'struct<a>', 'constructor'])
      expect(() => parseHiveType(name), name).toThrow(`The type ${name} of Glue can't be read`)
  })
})

describe('partition values', () => {
  test.each<[string, LogicalType, Scalar | null]>([
    ['__HIVE_DEFAULT_PARTITION__', int, null],
    ['007', int, 7n],
    ['-12.5', { type: 'decimal', precision: 10, scale: 2 }, -1250n],
    ['-0.5', { type: 'decimal', precision: 10, scale: 1 }, -5n],
    ['1970-01-02', { type: 'date' }, 1n],
    ['1969-12-31', { type: 'date' }, -1n],
    ['1970-01-01 00:00:01.5', { type: 'timestamp', unit: 'us', zoned: false }, 1_500_000n],
    ['TRUE', { type: 'boolean' }, true],
    ['', text, ''],
  ])('%s', (value, type, expected) => expect(partitionValue(value, type, 'c')).toBe(expected))

  test('a value that is none of its type is an error, never another value', () => {
    for (const [value, type] of [
      ['x', int],
      ['1.234', { type: 'decimal', precision: 10, scale: 2 }],
      ['2026-13-01', { type: 'date' }],
      ['', { type: 'double' }],
      ['yes', { type: 'boolean' }],
    ] as const)
      expect(() => partitionValue(value, type, 'c'), value).toThrow(`Partition value "${value}" of column c`)
  })
})

/* The reference: SQL's three-valued logic over one row, `n` and `s` of the partition, `x` of the file. */

type Row = Readonly<Record<string, Scalar | null>>

const truth = (predicate: Predicate, row: Row): boolean | null => {
  switch (predicate.kind) {
    case 'true':
      return true
    case 'false':
      return false
    case 'and': {
      const parts = predicate.of.map((part) => truth(part, row))
      return parts.includes(false) ? false : parts.includes(null) ? null : true
    }
    case 'or': {
      const parts = predicate.of.map((part) => truth(part, row))
      return parts.includes(true) ? true : parts.includes(null) ? null : false
    }
    case 'not': {
      const inner = truth(predicate.of, row)
      return inner === null ? null : !inner
    }
  }
  const value = row[predicate.column[0]] ?? null
  if (predicate.kind === 'is-null') return value === null
  if (predicate.kind === 'not-null') return value !== null
  if (value === null) return null
  if (predicate.kind === 'in') return predicate.values.includes(value)
  if (predicate.kind === 'not-in') return !predicate.values.includes(value)
  if (predicate.kind === 'compare') {
    const { operator, value: other } = predicate
    if (operator === '=') return value === other
    if (operator === '<>') return value !== other
    if (operator === '<') return value < other
    return operator === '<=' ? value <= other : operator === '>' ? value > other : value >= other
  }
  return (
    String(value).startsWith((predicate as { prefix: string }).prefix) === (predicate.kind === 'starts-with')
  )
}

const number = fc.bigInt(-2n, 2n)
const word = fc.constantFrom('', 'a', 'ab', 'b')
const operator = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')
const leafOf = (name: string, value: fc.Arbitrary<Scalar>): fc.Arbitrary<Predicate> => {
  const column = fc.constant([name] as const)
  return fc.oneof(
    fc.record({ kind: fc.constant('compare' as const), column, operator, value }) as fc.Arbitrary<Predicate>,
    fc.record({
      kind: fc.constantFrom('in', 'not-in'),
      column,
      values: fc.array(value, { maxLength: 3 }),
    }) as fc.Arbitrary<Predicate>,
    fc.record({ kind: fc.constantFrom('is-null', 'not-null'), column }) as fc.Arbitrary<Predicate>,
  )
}
const startsWith = fc.record({
  kind: fc.constantFrom('starts-with', 'not-starts-with'),
  column: fc.constant(['s'] as const),
  prefix: word,
}) as fc.Arbitrary<Predicate>

const predicate = fc.letrec<{ tree: Predicate }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leafOf('n', number),
    leafOf('s', word),
    leafOf('x', number),
    startsWith,
    fc.constantFrom<Predicate>({ kind: 'true' }, { kind: 'false' }),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      of: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    }) as fc.Arbitrary<Predicate>,
    fc.record({ kind: fc.constant('not'), of: tie('tree') }) as fc.Arbitrary<Predicate>,
  ),
})).tree

test('no partition is pruned that has a row, and none is called sure that has another', () => {
  const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
  fc.assert(
    fc.property(
      predicate,
      nullable(number),
      nullable(word),
      fc.array(nullable(number), { maxLength: 5 }),
      (tree, n, s, xs) => {
        const values = new Map<string, Scalar | null>([
          ['n', n],
          ['s', s],
        ])
        const rows = xs.map((x) => truth(tree, { n, s, x }))
        if (rows.includes(true)) expect(mayMatch(tree, values)).toBe(true)
        if (mustMatch(tree, values)) for (const row of rows) expect(row).toBe(true)
      },
    ),
    { numRuns: 2000 },
  )
})

test('pruning is effective where the partition decides', () => {
  const values = new Map<string, Scalar | null>([['n', 1n]])
  const compare = (column: string, value: bigint): Predicate => ({
    kind: 'compare',
    column: [column],
    operator: '=',
    value,
  })
  expect(mayMatch(compare('n', 2n), values)).toBe(false)
  expect(mayMatch({ kind: 'and', of: [compare('x', 1n), compare('n', 2n)] }, values)).toBe(false)
  expect(mayMatch({ kind: 'not', of: compare('n', 1n) }, values)).toBe(false)
  expect(mustMatch(compare('n', 1n), values)).toBe(true)
  expect(mustMatch(compare('x', 1n), values)).toBe(false)
})

describe('the expression for Glue', () => {
  const keys = new Map<string, LogicalType>([
    ['day', { type: 'date' }],
    ['hour', int],
    ['shop', text],
    ['rate', { type: 'double' }],
  ])
  const compare = (column: string, op: '=' | '<' | '>=', value: Scalar): Predicate => ({
    kind: 'compare',
    column: [column],
    operator: op,
    value,
  })

  test.each<[Predicate, string | undefined]>([
    [compare('day', '>=', 20_000n), "day >= '2024-10-04'"],
    [{ kind: 'and', of: [compare('hour', '<', 5n), compare('x', '=', 1n)] }, 'hour < 5'],
    [compare('shop', '=', "O'Neill"), "shop = 'O''Neill'"],
    [compare('shop', '<', 'b'), undefined],
    [compare('rate', '=', 1.5), undefined],
    [{ kind: 'in', column: ['hour'], values: [1n, 2n] }, 'hour IN (1, 2)'],
    [{ kind: 'or', of: [compare('hour', '=', 1n), compare('x', '=', 1n)] }, undefined],
    [{ kind: 'not', of: compare('hour', '=', 1n) }, undefined],
    [{ kind: 'in', column: ['shop'], values: ['x'.repeat(3000)] }, undefined],
  ])('%o', (filter, expected) => expect(partitionExpression(filter, keys)).toBe(expected))
})

describe('formats', () => {
  const table = (storage: Partial<GlueTable['storage']>, more: Partial<GlueTable> = {}): GlueTable => ({
    name: 't',
    parameters: {},
    partitionKeys: [],
    lakeFormation: false,
    storage: { columns: [], serdeParameters: {}, ...storage },
    ...more,
  })
  const simple = 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
  const openCsv = 'org.apache.hadoop.hive.serde2.OpenCSVSerde'

  test('text files as their SerDe has them', () => {
    const pipe = table({
      serde: simple,
      serdeParameters: { 'field.delim': '|', 'skip.header.line.count': '1' },
    })
    expect(fileFormat('csv', pipe.storage, pipe, 'a.gz')).toEqual({
      type: 'csv',
      header: false,
      delimiter: '|',
      quote: '',
      escape: '',
      skipLines: 1,
      nullStrings: ['\\N'],
      compression: 'gzip',
    })
    const csv = table({ serde: openCsv, serdeParameters: { separatorChar: ';' } })
    expect(fileFormat('csv', csv.storage, csv, 'part-0')).toMatchObject({
      delimiter: ';',
      quote: '"',
      compression: 'none',
    })
    expect(() => fileFormat('json', csv.storage, csv, 'a.json.bz2')).toThrow('bz2')
  })

  test.each<[GlueTable, string | undefined]>([
    [table({ serde: openCsv }), undefined],
    [table({ serde: 'x.OrcSerde' }), 'it has ORC files'],
    [table({}, { tableType: 'VIRTUAL_VIEW' }), 'it is a view'],
    [table({}, { parameters: { table_type: 'iceberg' } }), undefined],
    [table({}, { parameters: { table_type: 'DELTA' } }), 'it is a Delta Lake table'],
    [
      table({ inputFormat: 'org.apache.hudi.hadoop.HoodieParquetInputFormat', serde: 'x.ParquetHiveSerDe' }),
      'it is a Hudi table',
    ],
    [
      table({ serde: openCsv }, { parameters: { 'projection.enabled': 'true' } }),
      'its partitions are projected, which Glue does not list',
    ],
    [table({ serde: 'com.example.SerDe' }), 'its SerDe is com.example.SerDe'],
    [table({}), 'its SerDe is not known'],
  ])('%# is readable, or the reason is told', (found, reason) =>
    expect(unsupportedReason(found)).toBe(reason),
  )
})
