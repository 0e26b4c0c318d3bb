import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { failure, file, load, openBench, rows } from '../test/support.ts'

const values: readonly [sql: string, value: unknown][] = [
  ['NULL', null],
  ['true', true],
  ['127::TINYINT', 127],
  ['9007199254740991::BIGINT', 9007199254740991],
  ['9007199254740992::BIGINT', 9007199254740992n],
  ['9223372036854775807::BIGINT', 9223372036854775807n],
  ['(-9223372036854775808)::BIGINT', -9223372036854775808n],
  ['18446744073709551615::UBIGINT', 18446744073709551615n],
  ['170141183460469231731687303715884105727::HUGEINT', 170141183460469231731687303715884105727n],
  ['0.1::DECIMAL(3,1) + 0.2::DECIMAL(3,1)', '0.3'],
  ['-0.05::DECIMAL(10,2)', '-0.05'],
  ['12345678901234567890123456789012345.678::DECIMAL(38,3)', '12345678901234567890123456789012345.678'],
  ['1.5::DOUBLE', 1.5],
  ["'nan'::DOUBLE", Number.NaN],
  ["'é🦆'", 'é🦆'],
  ["DATE '2026-02-28'", '2026-02-28'],
  ["TIME '01:02:03.000004'", '01:02:03.000004'],
  ["TIMESTAMP '2026-01-02 03:04:05.123456'", '2026-01-02T03:04:05.123456'],
  ["TIMESTAMP_NS '2026-01-02 03:04:05.123456789'", '2026-01-02T03:04:05.123456789'],
  ["TIMESTAMPTZ '2026-01-02 03:04:05+02'", '2026-01-02T01:04:05Z'],
  ["'infinity'::TIMESTAMPTZ", 'infinity'],
  ["'\\x00\\xff'::BLOB", Uint8Array.of(0, 255)],
  ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID", 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['\'{"a": 9223372036854775807}\'::JSON', '{"a": 9223372036854775807}'],
  ['[1, NULL, 9007199254740993]', [1, null, 9007199254740993n]],
  ["{a: 1, b: DATE '2026-01-01'}", { a: 1, b: '2026-01-01' }],
  ["MAP {'k': 1.50::DECIMAL(5,2)}", [['k', '1.50']]],
  ["'x'::ENUM ('x', 'y')", 'x'],
]

describe('query', () => {
  test('a table that is not there: those that are, and none of the system', async () => {
    const bench = await openBench()
    const missing = () => failure(bench.engine.query('FROM order_s'))
    expect((await missing()).hint).toContain('no tables yet')
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')], { table: 'orders' })
    expect(await missing()).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/^There is no table order_s in /),
      hint: 'Did you mean orders? It has: orders.',
    })
    const path = join(bench.folder, 'out.csv')
    expect(await failure(bench.engine.copyTo('FROM pg_tabl', path, { type: 'csv' }))).toMatchObject({
      hint: 'It has: orders.',
    })
    expect((await failure(bench.engine.query('FROM far.orders'))).hint).toContain('orders')
  })

  test.each(values)('%s comes without loss', async (sql, value) => {
    const bench = await openBench()
    expect(await rows(bench.engine, `SELECT ${sql}`)).toEqual([[value]])
  })

  test('names and types of the columns come before the rows', async () => {
    const bench = await openBench()
    const result = await bench.engine.query('SELECT 1::BIGINT AS "a b", 2.5::DECIMAL(5,2) AS "a b"')
    expect(result.columns).toEqual([
      { name: 'a b', type: { type: 'int', bits: 64, signed: true } },
      { name: 'a b', type: { type: 'decimal', precision: 5, scale: 2 } },
    ])
    for await (const chunk of result.rows()) expect(chunk).toEqual([[1, '2.50']])
    expect(() => result.rows()).toThrow('once')
  })

  test('streams: the first rows of an endless result come at once, and leaving ends it', async () => {
    const bench = await openBench()
    const result = await bench.engine.query('SELECT range FROM range(1000000000000)')
    for await (const chunk of result.rows()) {
      expect(chunk[0]).toEqual([0])
      break
    }
    expect(await rows(bench.engine, 'SELECT 1')).toEqual([[1]])
  })

  test('an abort ends a query that runs, and one that streams', async () => {
    const bench = await openBench()
    const controller = new AbortController()
    const { signal } = controller
    const slow = bench.engine.query('SELECT count(*) FROM range(1000000000000) t(i) WHERE i % 7 = 3', {
      signal,
    })
    const result = await bench.engine.query('SELECT range FROM range(1000000000000)', { signal })
    const reading = (async () => {
      for await (const chunk of result.rows()) expect(chunk.length).toBeGreaterThan(0)
    })()
    setTimeout(() => controller.abort(), 20)
    const both = await Promise.all([failure(slow), failure(reading)])
    expect(both.map(({ kind }) => kind)).toEqual(['cancelled', 'cancelled'])
    expect(await failure(bench.engine.query('SELECT 1', { signal }))).toMatchObject({ kind: 'cancelled' })
  })

  test.each([
    ['a value', "SELECT CASE WHEN range = 500000 THEN ('x' || range)::INT END FROM range(1000000)", 'data'],
    ['the query itself', "SELECT if(range = 500000, error('too late'), 1) FROM range(1000000);", 'config'],
  ])('that fails by %s after many rows fails, and is not taken for complete', async (_by, sql, kind) => {
    const bench = await openBench()
    const error = await failure(rows(bench.engine, sql))
    expect(error.kind).toBe(kind)
    expect(error.message).toMatch(/x500000|too late/)
    expect(await rows(bench.engine, 'SELECT 1')).toEqual([[1]])
  })

  test.each([
    'DROP TABLE t',
    'DELETE FROM t',
    "INSERT INTO t VALUES (2, 'b')",
    'DELETE FROM _penstock.ledger',
    'CREATE TABLE u (id INT)',
    'ALTER TABLE t ADD COLUMN x INT',
    'COMMIT; DROP TABLE t',
    'SELECT 1; DROP TABLE t',
    'ROLLBACK; BEGIN; DROP TABLE t; COMMIT',
  ])('%s changes nothing', async (sql) => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,name\n1,a\n')])
    expect(await failure(rows(bench.engine, sql))).toMatchObject({ kind: 'config' })
    expect(await rows(bench.engine, 'FROM t')).toEqual([[1, 'a']])
    expect(await rows(bench.engine, 'SELECT count(*) FROM _penstock.ledger')).toEqual([[1]])
  })

  test.each([
    ['', 'config', 'empty'],
    ['-- nothing', 'config', 'empty'],
    ['SELEC 1', 'config', 'SELEC'],
    ['SELECT * FROM nowhere', 'config', 'nowhere'],
    ['SELECT nothing FROM (SELECT 1 AS a)', 'config', 'nothing'],
    ["SELECT 'x'::INT", 'data', 'x'],
  ])('%j fails with a %s error that says why', async (sql, kind, message) => {
    const bench = await openBench()
    const error = await failure(rows(bench.engine, sql))
    expect(error.kind).toBe(kind)
    expect(error.message).toContain(message)
  })
})

describe('copyTo', () => {
  const data = 'SELECT * FROM (VALUES (1, \'a,"b"\'), (2, NULL)) v(id, name) ORDER BY id'

  test.each([
    ['csv', 'id,name\n1,"a,""b"""\n2,\n'],
    ['json', '{"id":1,"name":"a,\\"b\\""}\n{"id":2,"name":null}\n'],
  ] as const)('%s', async (type, text) => {
    const bench = await openBench()
    const path = join(bench.folder, `it's "quoted".${type}`)
    writeFileSync(path, 'what was there before')
    expect(await bench.engine.copyTo(data, path, { type })).toEqual({ rows: 2, bytes: text.length })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('parquet, with the types of the query', async () => {
    const bench = await openBench()
    const path = join(bench.folder, 'out.parquet')
    const { bytes } = await bench.engine.copyTo('SELECT 1::BIGINT AS i, 1.50::DECIMAL(9,2) AS d', path, {
      type: 'parquet',
    })
    expect(readFileSync(path)).toHaveLength(bytes)
    expect(await rows(bench.engine, `SELECT i, d, typeof(d) FROM '${path}'`)).toEqual([
      [1, '1.50', 'DECIMAL(9,2)'],
    ])
  })

  test.each([
    'SELECT 1 AS a;',
    'SELECT 1 AS a -- comment',
    'SELECT 1 AS a /* x */ ; -- y',
    'FROM (SELECT 1 AS a)',
  ])('takes %s', async (sql) => {
    const bench = await openBench()
    const path = join(bench.folder, 'out.csv')
    await bench.engine.copyTo(sql, path, { type: 'csv' })
    expect(readFileSync(path, 'utf8')).toBe('a\n1\n')
  })

  test.each([
    "SELECT 1) TO '/tmp/x'; DROP TABLE t; --",
    'SELECT 1; DROP TABLE t',
    'DROP TABLE t',
    'DELETE FROM t RETURNING id',
    "SELECT 'x'::INT AS a",
  ])('%s writes no file and changes nothing', async (sql) => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')])
    const path = join(bench.folder, 'out.csv')
    const error = await failure(bench.engine.copyTo(sql, path, { type: 'csv' }))
    expect(['config', 'data']).toContain(error.kind)
    expect(existsSync(path)).toBe(false)
    expect(readdirSync(bench.folder).filter((name) => name.startsWith('tmp_'))).toEqual([])
    expect(await rows(bench.engine, 'FROM t')).toEqual([[1]])
  })

  test('an abort leaves the former file', async () => {
    const bench = await openBench()
    const path = join(bench.folder, 'out.csv')
    writeFileSync(path, 'before')
    const controller = new AbortController()
    const copying = bench.engine.copyTo('SELECT range, md5(range::VARCHAR) FROM range(1000000000)', path, {
      type: 'csv',
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(), 50)
    expect(await failure(copying)).toMatchObject({ kind: 'cancelled' })
    expect(readFileSync(path, 'utf8')).toBe('before')
    expect(readdirSync(bench.folder).filter((name) => name.startsWith('tmp_'))).toEqual([])
  })
})
