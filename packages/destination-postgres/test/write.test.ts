import { withContext } from '@penstock/core'
import { exportTo, planExport } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresDestination } from '../src/index.ts'
import { type Bench, openBench } from './bench.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
})
afterAll(() => bench.close())

const text = String.raw

test('every type arrives to the letter, in a table that is created for it', async () => {
  const sql = text`SELECT 9223372036854775807 AS big, 18446744073709551615::UBIGINT AS ubig,
    170141183460469231731687303715884105727::HUGEINT AS huge, 12345678901234567.8901::DECIMAL(21,4) AS exact,
    0.1::DOUBLE AS d, 'nan'::DOUBLE AS nan, '-inf'::FLOAT AS inf, true AS flag,
    DATE '2026-02-28' AS day, TIME '23:59:59.123456' AS clock, TIMESTAMP '2026-02-28 23:59:59.123456' AS wall,
    TIMESTAMPTZ '2026-02-28 23:59:59.123456+02' AS instant, INTERVAL '1 month 2 days 03:04:05.6' AS span,
    '6f1d5a52-9f0e-4d0c-8d57-2b7f5b7c3c01'::UUID AS id, '{"a": [1, null], "b": "\"x\""}'::JSON AS doc,
    '\x00\xff\x5c"'::BLOB AS bytes, ['a"b\c', NULL, '', 'NULL', '{,}'] AS texts, [1.50, NULL]::DECIMAL(5,2)[] AS decimals,
    [[1], [2, 3]] AS nested, {n: 1, s: 'x"y'} AS struct, MAP {'k': 1} AS map, 'a'::ENUM('a', 'b') AS enum,
    'quoted", it''s' || chr(10) || 'tab' || chr(9) || '\ 🚰' AS words, '' AS empty, NULL::INTEGER AS nothing`
  const run = await bench.put('types', sql)
  expect(run.error).toBeUndefined()
  const [row] = (await bench.server.query('SELECT to_jsonb(t) AS row FROM sales.types t')).rows
  const { rows: columns } = await bench.server.query(
    "SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'sales.types'::regclass AND attnum > 0",
  )
  expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toMatchObject({
    big: 'bigint',
    exact: 'numeric(21,4)',
    instant: 'timestamp with time zone',
    texts: 'text[]',
    decimals: 'numeric(5,2)[]',
    nested: 'jsonb',
    doc: 'jsonb',
    bytes: 'bytea',
  })
  expect(row.row).toMatchObject({
    d: 0.1,
    flag: true,
    day: '2026-02-28',
    clock: '23:59:59.123456',
    wall: '2026-02-28T23:59:59.123456',
    id: '6f1d5a52-9f0e-4d0c-8d57-2b7f5b7c3c01',
    doc: { a: [1, null], b: '"x"' },
    texts: ['a"b\\c', null, '', 'NULL', '{,}'],
    decimals: [1.5, null],
    nested: [[1], [2, 3]],
    struct: { n: 1, s: 'x"y' },
    map: { k: 1 },
    enum: 'a',
    words: 'quoted", it\'s\ntab\t\\ 🚰',
    empty: '',
    nothing: null,
  })
  const exact = await bench.rows(
    "SELECT big::text, ubig::text, huge::text, exact::text, nan::text, inf::text, (instant AT TIME ZONE 'UTC')::text, span::text, encode(bytes, 'hex') FROM sales.types",
  )
  expect(exact).toEqual([
    [
      '9223372036854775807',
      '18446744073709551615',
      '170141183460469231731687303715884105727',
      '12345678901234567.8901',
      'NaN',
      '-Infinity',
      '2026-02-28 21:59:59.123456',
      '1 mon 2 days 03:04:05.6',
      '00ff5c22',
    ],
  ])
})

test('one column of texts that COPY could misread arrives as it is', async () => {
  const sql = text`SELECT * FROM (VALUES ('\.'), (NULL), (''), ('"'), (chr(10) || '\.' || chr(10)), ('\N')) v(t)`
  expect((await bench.put('lines', sql)).error).toBeUndefined()
  expect(await bench.rows('SELECT t FROM sales.lines')).toEqual([
    ['\\.'],
    [null],
    [''],
    ['"'],
    ['\n\\.\n'],
    ['\\N'],
  ])
  const numbers = 'SELECT * FROM (VALUES (1), (NULL), (NULL), (2)) v(n)'
  expect((await bench.put('numbers', numbers)).error).toBeUndefined()
  expect(await bench.rows('SELECT n FROM sales.numbers')).toEqual([[1], [null], [null], [2]])
})

test('nanoseconds are refused before anything is written, with the way out', async () => {
  const error = await bench.failure('nanos', "SELECT TIMESTAMP_NS '2026-01-01 00:00:00.000000001' AS t")
  expect(error).toMatchObject({ kind: 'config', code: 'UnsupportedType', place: { column: 't' } })
  expect(error?.hint).toContain('CAST("t" AS TIMESTAMP)')
})

test('what is larger than one file arrives in several, whole', async () => {
  const events: number[] = []
  const sql = "SELECT i, repeat('x', 1000) AS pad FROM range(40000) r(i)"
  const run = await bench.put('large', sql, {
    onProgress: (event) => {
      if (event.type === 'written') events.push(event.rows)
    },
  })
  expect(run.export?.streams[0]).toMatchObject({ rows: 40_000, files: 1 })
  expect(events.length).toBeGreaterThan(1)
  expect(await bench.rows('SELECT count(*)::int, sum(i)::text FROM sales.large')).toEqual([
    [40_000, '799980000'],
  ])
})

describe('a table that is there', () => {
  test('gets further columns, or is left as it is', async () => {
    await bench.put('grows', 'SELECT 1 AS id')
    const refused = await bench.failure('grows', "SELECT 2 AS id, 'x' AS more", {
      options: { newColumns: 'refuse' },
    })
    expect(refused).toMatchObject({ kind: 'config', code: 'NewColumns', place: { column: 'more' } })
    expect((await bench.put('grows', "SELECT 2 AS id, 'x' AS more")).error).toBeUndefined()
    expect((await bench.put('grows', 'SELECT 3 AS id')).error).toBeUndefined()
    expect(await bench.rows('SELECT id, more FROM sales.grows ORDER BY id')).toEqual([
      [1, null],
      [2, 'x'],
      [3, null],
    ])
  })

  test('whose column would round is refused, with the statement that widens it', async () => {
    await bench.server.query('CREATE TABLE sales.narrow (price numeric(10,2))')
    const error = await bench.failure('narrow', 'SELECT 1.005::DECIMAL(10,3) AS price')
    expect(error).toMatchObject({ kind: 'config', code: 'ColumnType', place: { column: 'price' } })
    expect(error?.hint).toContain('ALTER TABLE "sales"."narrow" ALTER COLUMN "price" TYPE numeric(10,3);')
    expect(await bench.rows('SELECT * FROM sales.narrow')).toEqual([])
  })

  test('keeps its views, grants and indexes when it is overwritten, and readers their rows until then', async () => {
    await bench.put('daily', 'SELECT i AS id FROM range(3) r(i)', { mode: 'overwrite', key: ['id'] })
    await bench.server.query('CREATE VIEW sales.daily_view AS SELECT count(*)::int AS n FROM sales.daily')
    for (const replace of ['delete', 'truncate']) {
      const run = await bench.put('daily', 'SELECT i AS id FROM range(5) r(i)', {
        mode: 'overwrite',
        key: ['id'],
        options: { replace },
      })
      expect(run.error).toBeUndefined()
      expect(await bench.rows('SELECT n FROM sales.daily_view')).toEqual([[5]])
    }
    const failed = await bench.failure('daily', 'SELECT 1 AS id UNION ALL SELECT 1', {
      mode: 'overwrite',
      key: ['id'],
    })
    expect(failed).toMatchObject({ kind: 'data', code: '23505' })
    expect(await bench.rows('SELECT n FROM sales.daily_view')).toEqual([[5]])
  })

  test('with rows of others is not overwritten, unless it is adopted', async () => {
    await bench.server.query('CREATE TABLE sales.foreign_rows AS SELECT 7 AS id')
    const overwrite = { mode: 'overwrite' as const, name: 'first' }
    expect(await bench.failure('foreign_rows', 'SELECT 1 AS id', overwrite)).toMatchObject({
      kind: 'conflict',
      code: 'ForeignRows',
    })
    expect(await bench.rows('SELECT id FROM sales.foreign_rows')).toEqual([[7]])
    const adopted = await bench.put('foreign_rows', 'SELECT 1 AS id', {
      ...overwrite,
      options: { adopt: true },
    })
    expect(adopted.error).toBeUndefined()
    // From now on it is this export's, and no other's.
    expect((await bench.put('foreign_rows', 'SELECT 2 AS id', overwrite)).error).toBeUndefined()
    const other = await bench.failure('foreign_rows', 'SELECT 3 AS id', { mode: 'overwrite', name: 'second' })
    expect(other).toMatchObject({ code: 'ForeignRows', message: expect.stringContaining('first') })
    expect(await bench.rows('SELECT id FROM sales.foreign_rows')).toEqual([[2]])
  })

  test('that is a view is refused', async () => {
    await bench.server.query('CREATE VIEW sales.a_view AS SELECT 1 AS id')
    expect(await bench.failure('a_view', 'SELECT 1 AS id')).toMatchObject({ kind: 'config', code: 'NoTable' })
  })
})

describe('merge', () => {
  const merge = { mode: 'merge' as const, key: ['id', 'Part'] }

  test('updates and adds by a key of several columns, and leaves other columns alone', async () => {
    await bench.put('merged', "SELECT * FROM (VALUES (1, 'a', 1), (2, 'a', 2)) v(id, Part, n)", merge)
    await bench.server.query(
      "ALTER TABLE sales.merged ADD COLUMN note text; UPDATE sales.merged SET note = 'mine'",
    )
    const run = await bench.put(
      'merged',
      "SELECT * FROM (VALUES (2, 'a', 20), (2, 'b', 3)) v(id, Part, n)",
      merge,
    )
    expect(run.error).toBeUndefined()
    expect(await bench.rows('SELECT id, "Part", n, note FROM sales.merged ORDER BY 1, 2')).toEqual([
      [1, 'a', 1, 'mine'],
      [2, 'a', 20, 'mine'],
      [2, 'b', 3, null],
    ])
  })

  test.each([
    ['without a key', { mode: 'merge' as const }, 'SELECT 1 AS id', { kind: 'config', code: 'NoKey' }],
    [
      'of two rows with one key',
      merge,
      "SELECT * FROM (VALUES (5, 'x', 1), (5, 'x', 2)) v(id, Part, n)",
      { kind: 'data', code: 'DuplicateKey', place: { value: '5, x' } },
    ],
    [
      'by null',
      { mode: 'merge' as const, key: ['n'] },
      'SELECT 1 AS id, NULL::INTEGER AS n',
      { kind: 'config', code: 'NoUniqueKey' },
    ],
  ])('%s is refused', async (_, options, sql, wanted) => {
    expect(await bench.failure('merged', sql, options)).toMatchObject(wanted)
  })

  test('by a unique index that takes nulls refuses them', async () => {
    await bench.server.query('CREATE TABLE sales.nullable (id integer UNIQUE)')
    const error = await bench.failure('nullable', 'SELECT NULL::INTEGER AS id', {
      mode: 'merge',
      key: ['id'],
    })
    expect(error).toMatchObject({ kind: 'data', code: 'NullKey' })
  })
})

describe('a run', () => {
  test('of two streams is written whole or not at all', async () => {
    await bench.server.query('CREATE TABLE sales.strict (n integer CHECK (n < 3))')
    const streams = [
      { sql: 'SELECT 1 AS n', name: 'loose' },
      { sql: 'SELECT i::INTEGER AS n FROM range(5) r(i)', name: 'strict' },
    ]
    const run = await exportTo({
      destination: bench.connection(),
      engine: bench.engine,
      name: 'both',
      streams,
    })
    expect(run.error).toMatchObject({ kind: 'data', code: '23514', place: { table: 'strict', line: 4 } })
    expect(await bench.rows("SELECT to_regclass('sales.loose')::text")).toEqual([[null]])
  })

  test('that was committed, which nobody heard, is not written again', async () => {
    const options = { name: 'heard', runId: 'run-heard' }
    await bench.put('heard', 'SELECT 1 AS id', options)
    // As if the process had ended between the commit and the note of the runtime.
    const again = postgresDestination(bench.input())
    const [book] = await bench.rows(
      "SELECT export_id FROM sales.penstock_exports WHERE commit_id = 'run-heard'",
    )
    const result = await withContext(again, (context) =>
      again.connector.write(context, {
        run: {
          commitId: 'run-heard',
          exportId: String(book?.[0]),
          exportName: 'heard',
          mode: 'append',
          loadTime: new Date(),
          retried: true,
        },
        options: { replace: 'delete', adopt: false, newColumns: 'add' },
        streams: [],
        onProgress: () => {},
      }),
    )
    expect(result).toMatchObject({
      alreadyWritten: true,
      files: [{ stream: 'heard', name: 'sales.heard', rows: 1 }],
    })
    expect(await bench.rows('SELECT id FROM sales.heard')).toEqual([[1]])
  })

  test('leaves one row in the books, and no other table', async () => {
    await bench.put('booked', 'SELECT 1 AS id')
    expect(
      await bench.rows(
        "SELECT export_name, mode, tables FROM sales.penstock_exports WHERE export_name = 'booked'",
      ),
    ).toEqual([['booked', 'append', ['booked']]])
    expect(await bench.rows("SELECT relname FROM pg_class WHERE relname LIKE 'penstock_stage%'")).toEqual([])
  })

  test('shows what it would do before', async () => {
    await bench.put('planned', 'SELECT 1 AS id', { mode: 'overwrite' })
    const plan = await planExport({
      destination: bench.connection(),
      engine: bench.engine,
      name: 'planned',
      mode: 'overwrite',
      streams: [
        { sql: 'SELECT 1 AS id, 2 AS more', name: 'planned' },
        { sql: 'SELECT 1 AS id', name: 'not_yet' },
      ],
    })
    expect(plan.files.map(({ name, rows }) => [name, rows])).toEqual([
      ['sales.planned', 1],
      ['sales.not_yet', 1],
    ])
    expect(plan.removes).toEqual(['all rows of sales.planned'])
    expect(plan.warnings).toEqual([
      'sales.planned would get further columns: more.',
      'sales.not_yet is not there yet: it would be created.',
    ])
  })
})
