import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { connection, file, load, ordinal } from '../../test/stage-support.ts'
import { rowsOf } from '../sql.ts'

describe('JSON', () => {
  test('values keep their kind: texts that look like numbers stay texts, nested values stay JSON', async () => {
    const lines = [
      {
        id: 9007199254740993n,
        code: '007',
        price: 1.5,
        at: '2024-01-01',
        ok: true,
        deep: { a: [1, { b: 'é' }] },
      },
      { id: 2n, code: '8', price: 2, at: '2024-01-02', ok: null, deep: [] },
    ].map((row) =>
      JSON.stringify(row, (_, value) =>
        typeof value === 'bigint'
          ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))
          : value,
      ),
    )
    const { columns, rows } = await load([await file('a.ndjson', lines.join('\n'))])
    expect(columns).toEqual([
      'id bigint',
      'code text',
      'price decimal(18,1)',
      'at date',
      'ok boolean',
      'deep json',
    ])
    expect(rows).toEqual([
      ['9007199254740993', '007', '1.5', '2024-01-01', 'true', '{"a":[1,{"b":"é"}]}'],
      ['2', '8', '2.0', '2024-01-02', null, '[]'],
    ])
  })

  test('a malformed line in the middle fails with its place; reject keeps every other line', async () => {
    const body = '{"a":1}\n{"a":2\n\n{"a":3}\n[4]\n{"a":5}\n'
    await expect(load([await file('a.ndjson', body)])).rejects.toMatchObject({
      place: { object: 's3://b/a.ndjson', line: 2, byteOffset: 8 },
    })
    const { rows, rejects, rowsRead } = await load([await file('a.ndjson', body)], { onBadRow: 'reject' })
    expect(rows).toEqual([['1'], ['3'], ['5']])
    expect(rejects.map(([, line, , , raw]) => [line, raw])).toEqual([
      [2, '{"a":2'],
      [5, '[4]'],
    ])
    expect(rowsRead).toBe(5)
  })

  test('a key that earlier files do not have: an error, or a column', async () => {
    const files = async () => [
      await file('a.ndjson', '{"a":1}\n'),
      await file('b.ndjson', '{"a":2}\n{"a":3,"b":"x"}\n'),
    ]
    await expect(load(await files())).rejects.toMatchObject({
      place: { object: 's3://b/b.ndjson', line: 2, column: 'b' },
    })
    const { columns, rows } = await load(await files(), { schemaPolicy: 'evolve' })
    expect(columns).toEqual(['a bigint', 'b text'])
    expect(rows).toEqual([
      ['1', null],
      ['2', null],
      ['3', 'x'],
    ])
  })

  test.each([['[{"a":1},{"a":2}]'], ['{"a":1}\n{"a":\n2}']])('%j is two records', async (body) => {
    expect((await load([await file('a.json', body)])).rows).toEqual([['1'], ['2']])
  })

  test('a corrupt document fails with its name', async () => {
    await connection.run('BEGIN')
    await expect(load([await file('a.json', '[{"a":1},{"a":]')])).rejects.toThrow()
    await connection.run('ROLLBACK')
  })
})

describe('Parquet', () => {
  const parquet = async (key: string, sql: string) => {
    const made = await file(key, '')
    await connection.run(`COPY (${sql}) TO '${made.path}' (FORMAT parquet)`)
    return { ...made, entry: { ...made.entry, size: 100 } }
  }

  test('declared types are kept, nested ones too; another type is an error or widened', async () => {
    const a = () =>
      parquet('a.parquet', "SELECT 1::INTEGER AS i, 0.10::DECIMAL(9,2) AS d, {'x': [1, 2]} AS s")
    const b = () =>
      parquet('b.parquet', "SELECT 5000000000::BIGINT AS i, 0.20::DECIMAL(9,2) AS d, {'x': [3]} AS s")
    expect((await load([await a()])).columns).toEqual([
      'i integer',
      'd decimal(9,2)',
      's struct(x list(integer))',
    ])
    await expect(load([await a(), await b()])).rejects.toMatchObject({
      place: { object: 's3://b/b.parquet', column: 'i' },
    })
    const { columns, rows } = await load([await a(), await b()], { schemaPolicy: 'evolve' })
    expect(columns[0]).toBe('i bigint')
    expect(rows.map(([i]) => i)).toEqual(['1', '5000000000'])
  })
})

describe('partitions and lineage', () => {
  test('partitions become typed columns, widened to text where they have to be', async () => {
    const a = await file('d=2024-01-01/r=1/a.csv', 'x\n1\n', { constants: { d: '2024-01-01', r: '1' } })
    const b = await file('d=2024-01-02/r=eu/a.csv', 'x\n2\n', { constants: { d: '2024-01-02', r: 'eu' } })
    const c = await file('d=2024-01-02/r=null/a.csv', 'x\n3\n', { constants: { d: '2024-01-02', r: null } })
    const { columns, rows } = await load([a, b, c])
    expect(columns).toEqual(['x bigint', 'd date', 'r text'])
    expect(rows).toEqual([
      ['1', '2024-01-01', '1'],
      ['2', '2024-01-02', 'eu'],
      ['3', '2024-01-02', null],
    ])
  })

  test('lineage tells file, row and time', async () => {
    const files = [
      await file('a.csv', 'x\n1\n2\n'),
      await file('b.csv', 'x\n3\n'),
      await file('c.csv', 'x\n4\n'),
    ]
    const { rows } = await load(files, { lineage: ['_file', '_row', '_modified'] })
    expect(rows).toEqual([
      ['1', 's3://b/a.csv', '1', '2025-06-15 15:06:40+00'],
      ['2', 's3://b/a.csv', '2', '2025-06-15 15:06:40+00'],
      ['3', 's3://b/b.csv', '1', '2025-06-15 15:06:40+00'],
      ['4', 's3://b/c.csv', '1', '2025-06-15 15:06:40+00'],
    ])
  })
})

describe('objects without a local copy', () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `${index},text ${index}`)
  const body = `id,x\n${lines.join('\n')}\n`

  test.each([
    ['a.csv', Buffer.from(body)],
    ['a.csv.gz', gzipSync(body)],
    ['a.csv.zst', zstdCompressSync(body)],
    ['a.ndjson', Buffer.from(lines.map((_, id) => JSON.stringify({ id, x: `text ${id}` })).join('\n'))],
  ])('%s flows through a pipe', async (key, bytes) => {
    const { columns, rows } = await load([await file(key, bytes, { stream: true })])
    expect(columns).toEqual(['id bigint', 'x text'])
    expect([rows.length, rows[4999]]).toEqual([5000, ['4999', 'text 4999']])
  })

  test('a stream that breaks off fails the load, it is not the end of the data', async () => {
    const staged = await file('a.csv', body, { stream: true })
    const stream = async function* () {
      yield Buffer.from(body.slice(0, 5000))
      throw new Error('connection lost')
    }
    await connection.run('BEGIN')
    await expect(load([{ ...staged, stream }])).rejects.toThrow('connection lost')
    await connection.run('ROLLBACK')
  })
})

test('a limit cuts, and the ledger will know which files were read in part', async () => {
  const files = [
    await file('a.csv', 'x\n1\n2\n'),
    await file('b.csv', 'x\n3\n4\n'),
    await file('c.csv', 'x\n5\n'),
  ]
  const result = await load(files, { limitRows: 3 })
  expect(result.rowsLoaded).toBe(3)
  const versions = await rowsOf(
    connection,
    `SELECT version FROM temp.__penstock_files_${ordinal} ORDER BY ordinal`,
  )
  expect(versions.flat()).toEqual(['v', 'partial:v', 'partial:v'])
})

test('rows read = rows loaded + rows rejected over several batches', async () => {
  const batches = await Promise.all(
    [0, 1, 2].map(async (batch) => [
      await file(`${batch}a.csv`, `id,x\n${batch},1\n${batch},${batch ? 'bad' : '2'}\n`),
      await file(`${batch}b.csv`, `id,x\n${batch},3\n`),
    ]),
  )
  const result = await load([], { onBadRow: 'reject' }, batches)
  expect([result.rowsRead, result.rowsLoaded, result.rowsRejected, result.rows.length]).toEqual([9, 7, 2, 7])
})
