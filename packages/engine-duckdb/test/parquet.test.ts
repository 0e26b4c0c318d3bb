import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Bench, failure, file, load, openBench, rows, texts } from './support.ts'

let names = 0
const parquet = async (
  bench: Bench,
  key: string,
  sql: string,
  change = (bytes: Buffer) => bytes,
  constants = {},
) => {
  const path = join(bench.folder, `source-${names++}.parquet`)
  await bench.engine.copyTo(sql, path, { type: 'parquet' })
  return file(bench, key, change(readFileSync(path)), { constants })
}

describe('Parquet', () => {
  it('keeps the types of the file, nested ones too', async () => {
    const bench = await openBench()
    const sql = `SELECT 9223372036854775807 AS b, 5::INTEGER AS i, 1.25::DECIMAL(10,2) AS d, 'x' AS s, true AS f,
      DATE '2026-01-31' AS day, TIMESTAMP '2026-01-31 10:11:12' AS at, TIMESTAMPTZ '2026-01-31 10:11:12+00' AS z,
      [1,2]::INTEGER[] AS l, {'x': 1, 'y z': 'a'} AS st, MAP {'k': 1.5::DOUBLE} AS m, '\\xFF'::BLOB AS bin`
    const { types } = await load(bench.engine, [await parquet(bench, 'a.parquet', sql)])
    expect(types).toEqual({
      b: 'bigint',
      i: 'integer',
      d: 'decimal(10,2)',
      s: 'text',
      f: 'boolean',
      day: 'date',
      at: 'timestamp',
      z: 'timestamp with time zone',
      l: 'list(integer)',
      st: 'struct(x integer, y z text)',
      m: 'map(text, double)',
      bin: 'binary',
    })
    expect(
      await rows(bench.engine, 'SELECT b::VARCHAR, d::VARCHAR, l[2]::INTEGER, st."y z", m[\'k\'] FROM t'),
    ).toEqual([['9223372036854775807', '1.25', 2, 'a', 1.5]])
  })

  it('strict: another type, a missing or further column names object, column and types', async () => {
    const bench = await openBench()
    const first = await parquet(bench, '1.parquet', 'SELECT 1::INTEGER AS a, 2::INTEGER AS b')
    for (const [sql, column] of [
      ["SELECT 'x' AS a, 2::INTEGER AS b", 'a'],
      ['SELECT 1.5::DOUBLE AS a, 2::INTEGER AS b', 'a'],
      ['SELECT 1::INTEGER AS a', 'b'],
      ['SELECT 1::INTEGER AS a, 2::INTEGER AS b, 3 AS c', 'c'],
    ] as const) {
      const error = await failure(load(bench.engine, [first, await parquet(bench, '2.parquet', sql)]))
      expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/2.parquet', column } })
    }
    await load(bench.engine, [
      first,
      await parquet(bench, '3.parquet', 'SELECT 4::INTEGER AS b, 3::INTEGER AS a'),
    ])
    expect(await texts(bench.engine)).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('the way out of another type is one that there is', async () => {
    const bench = await openBench()
    const loading = async (sql: string, schemaPolicy: 'strict' | 'evolve') =>
      failure(
        load(
          bench.engine,
          [
            await parquet(bench, '1.parquet', 'SELECT 1::INTEGER AS a'),
            await parquet(bench, '2.parquet', sql),
          ],
          { schemaPolicy },
        ),
      )
    expect(await loading('SELECT 1::BIGINT AS a', 'strict')).toMatchObject({
      hint: expect.stringContaining('--schema evolve'),
    })
    for (const policy of ['strict', 'evolve'] as const) {
      const { hint } = await loading("SELECT 'x' AS a", policy)
      expect(hint).toContain('--column a=text')
      expect(hint).not.toContain('evolve')
    }
  })

  it('a given type that is narrower holds what it can, exactly', async () => {
    const bench = await openBench()
    const columnTypes = { a: { type: 'int', bits: 32, signed: true } } as const
    const whole = await parquet(bench, '1.parquet', 'SELECT 7::BIGINT AS a')
    await load(bench.engine, [whole], { columnTypes })
    expect(await rows(bench.engine, 'SELECT a FROM t')).toEqual([[7]])
    for (const value of ['1.5::DOUBLE', '3000000000'])
      expect(
        await failure(
          load(bench.engine, [await parquet(bench, '2.parquet', `SELECT ${value} AS a`)], { columnTypes }),
        ),
      ).toMatchObject({ kind: 'data', code: 'BadRow', place: { column: 'a' } })
  })

  it('evolve: columns are added and types widened', async () => {
    const bench = await openBench()
    const files = [
      await parquet(bench, '1.parquet', "SELECT 1::INTEGER AS a, 1.5::FLOAT AS f, DATE '2026-01-01' AS d"),
      await parquet(
        bench,
        '2.parquet',
        "SELECT 5000000000 AS a, 2.25::DOUBLE AS f, TIMESTAMP '2026-01-02 03:04:05' AS d, 'n' AS c",
      ),
    ]
    const { types } = await load(bench.engine, files, { schemaPolicy: 'evolve' })
    expect(types).toEqual({ a: 'bigint', f: 'double', d: 'timestamp', c: 'text' })
    expect(await texts(bench.engine)).toEqual([
      ['1', '1.5', '2026-01-01 00:00:00', null],
      ['5000000000', '2.25', '2026-01-02 03:04:05', 'n'],
    ])
  })

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut at the end', (bytes) => bytes.subarray(0, bytes.length - 20)],
    ['cut in the middle', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['four bytes', (bytes) => bytes.subarray(0, 4)],
    [
      'a damaged footer',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, bytes.length - 40),
          Buffer.alloc(32, 0xff),
          bytes.subarray(bytes.length - 8),
        ]),
    ],
    [
      'damaged data',
      (bytes) => Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(600, 0x5a), bytes.subarray(608)]),
    ],
    ['CSV', () => Buffer.from('a,b\n1,2\n')],
  ])('%s names the object and leaves nothing', async (_name, change) => {
    const bench = await openBench()
    const sql = 'SELECT i AS id, md5(i::VARCHAR) AS s FROM range(5000) r(i)'
    const files = [
      await parquet(bench, 'good.parquet', sql),
      await parquet(bench, 'bad.parquet', sql, change),
    ]
    const error = await failure(load(bench.engine, files))
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/bad.parquet' } })
    expect(await bench.engine.tables()).toEqual([])
  })

  it('lineage and partitions', async () => {
    const bench = await openBench()
    const files = [
      await parquet(bench, 'b.parquet', "SELECT 'b' || i AS v FROM range(3000) r(i)", undefined, {
        year: '2025',
      }),
      await parquet(bench, 'a.parquet', "SELECT 'a' || i AS v FROM range(3000) r(i)", undefined, {
        year: '2026',
      }),
    ]
    const { types } = await load(bench.engine, files, { lineage: ['_file', '_row'] })
    expect(types).toEqual({ v: 'text', year: 'bigint', _file: 'text', _row: 'bigint' })
    expect(
      await rows(
        bench.engine,
        'SELECT year::INTEGER, count(*)::INTEGER, bool_and(v = right(_file, 9)[1] || (_row - 1)), max(_row)::INTEGER FROM t GROUP BY ALL ORDER BY 1',
      ),
    ).toEqual([
      [2025, 3000, true, 3000],
      [2026, 3000, true, 3000],
    ])
  })

  it('no rows', async () => {
    const bench = await openBench()
    const { types, rowsLoaded } = await load(bench.engine, [
      await parquet(bench, 'a.parquet', 'SELECT 1 AS a WHERE false'),
    ])
    expect({ types, rowsLoaded }).toEqual({ types: { a: 'integer' }, rowsLoaded: 0 })
  })
})
