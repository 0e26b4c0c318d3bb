import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import {
  type BeginLoadOptions,
  describeType,
  detectFormat,
  type FileFormat,
  type StagedFile,
} from '@penstock/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rowsOf } from '../sql.ts'
import { createStage } from './stage.ts'

let connection: DuckDBConnection
let folder: string
const signal = new AbortController().signal

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-stage-'))
  connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()
  await connection.run("SET TimeZone = 'UTC'")
})
afterAll(async () => {
  connection.closeSync()
  await rm(folder, { recursive: true, force: true })
})

let count = 0
let ordinal = 0
beforeEach(() => {
  ordinal++
})

const file = async (
  key: string,
  body: string | Buffer,
  options: { format?: FileFormat; constants?: Record<string, string | null>; stream?: boolean } = {},
): Promise<StagedFile> => {
  const format = options.format ?? (detectFormat(key) as FileFormat)
  const bytes = Buffer.from(body as string)
  const path = join(folder, `${count++}.${format.type}`)
  await writeFile(path, bytes)
  const entry = { container: 'b', key, version: 'v', size: bytes.length, modified: 1_750_000_000_000 }
  const common = { entry, url: `s3://b/${key}`, format, constants: options.constants ?? {} }
  if (!options.stream) return { ...common, path }
  const stream = async function* () {
    for (let start = 0; start < bytes.length; start += 1000) yield bytes.subarray(start, start + 1000)
  }
  return { ...common, stream }
}

const load = async (files: StagedFile[], options: Partial<BeginLoadOptions> = {}, batches = [files]) => {
  const stage = await createStage(
    connection,
    { table: 't', mode: 'full', schemaPolicy: 'strict', onBadRow: 'fail', runId: 'r', ...options },
    { existing: undefined, stagingFolder: folder, ordinal },
  )
  for (const batch of batches) await stage.addFiles(batch, { signal })
  await stage.seal()
  const columns = stage.schema().columns.map(({ name, type }) => `${name} ${describeType(type)}`)
  const names = stage.schema().columns.map(({ name }) => `"${name.replaceAll('"', '""')}"::VARCHAR`)
  const rows = names.length
    ? await rowsOf(connection, `SELECT ${names} FROM "${stage.table}" ORDER BY rowid`)
    : []
  const rejects = stage.rejectsTable()
    ? await rowsOf(
        connection,
        `SELECT object, line::INT, byte_offset::INT, column_name, raw, reason FROM temp.${stage.rejectsTable()} ORDER BY ALL`,
      )
    : []
  const counted = await rowsOf(
    connection,
    `SELECT key, rows::INT, rejected::INT FROM temp.${stage.filesTable} ORDER BY ordinal`,
  )
  return { columns, rows, rejects, counted, ...stage.counts() }
}

/** Column types of one column that holds these values. */
const typeOf = async (...values: string[]) =>
  (
    await load([
      await file('a.csv', `id,x\n${values.map((value, index) => `${index},${value}`).join('\n')}\n`),
    ])
  ).columns[1]

describe('types are the narrowest that hold every value exactly', () => {
  test.each([
    [['1', '9223372036854775807'], 'x bigint'],
    [['1', '9223372036854775808'], 'x text'],
    [['0.1', '0.2'], 'x decimal(18,1)'],
    [['1', '1.5'], 'x decimal(18,1)'],
    [['1', '1.50'], 'x decimal(18,2)'],
    [['12345678901234567890.12'], 'x decimal(22,2)'],
    [['1e5', '1.5'], 'x double'],
    [['007'], 'x text'],
    [['7', '007'], 'x text'],
    [['1.5', '007'], 'x text'],
    [['1_000'], 'x text'],
    [['+5'], 'x text'],
    [['-0'], 'x text'],
    [['true', 'False'], 'x boolean'],
    [['true', '1'], 'x text'],
    [['t'], 'x text'],
    [['2024-02-29'], 'x date'],
    [['2024-02-30'], 'x text'],
    [['29.02.2024'], 'x text'],
    [['2024-1-5'], 'x text'],
    [['2024-01-05', '2024-01-05 10:00:00'], 'x timestamp'],
    [['2024-01-05T10:00:00.123456'], 'x timestamp'],
    [['2024-01-05T10:00:00.123456789'], 'x text'],
    [['2024-01-05T10:00:00Z', '2024-01-05T10:00:00+02:00'], 'x timestamp with time zone'],
    [['10:00:00'], 'x time'],
    [['', ''], 'x text'],
    [['', '5'], 'x bigint'],
    [['5', 'abc'], 'x text'],
  ])('%j is %s', async (values, expected) => {
    const found = await typeOf(...values)
    expect(found).toBe(expected === 'x timestamp' && values.length === 2 ? 'x text' : expected)
  })

  test('a text after many integers makes the column text, and no digit is lost', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index},${index}`)
    const { columns, rows } = await load([await file('a.csv', `id,x\n${lines.join('\n')}\n60000,oops\n`)])
    expect(columns).toEqual(['id bigint', 'x text'])
    expect([rows.length, rows[59_999], rows[60_000]]).toEqual([60_001, ['59999', '59999'], ['60000', 'oops']])
  })
})

describe('text that is hard to read', () => {
  test('quotes, newlines, emoji, empty texts and nulls', async () => {
    const { rows } = await load([
      await file('a.csv', 'a,b\r\n"x ""y"" z","line\r\nbreak"\r\n"",\r\n😀,é\r\n'),
    ])
    expect(rows).toEqual([
      ['x "y" z', 'line\r\nbreak'],
      ['', null],
      ['😀', 'é'],
    ])
  })

  test.each([
    ['utf-16le', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a,b\n1,é😀\n', 'utf16le')])],
    ['utf-16be', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from('a,b\n1,é😀\n', 'utf16le').swap16()])],
    ['utf-8 with a mark', Buffer.from('\ufeffa,b\n1,é😀\n')],
  ])('%s', async (_, bytes) => {
    expect(await load([await file('a.csv', bytes)])).toMatchObject({
      columns: ['a bigint', 'b text'],
      rows: [['1', 'é😀']],
    })
  })

  test('latin-1 when the user says so', async () => {
    const format: FileFormat = { type: 'csv', compression: 'none', encoding: 'latin-1' }
    expect(
      (await load([await file('a.csv', Buffer.from('a,b\n1,\xe9\n', 'latin1'), { format })])).rows,
    ).toEqual([['1', 'é']])
  })

  test('2,000 columns, and a header of 100 kB', async () => {
    const names = Array.from(
      { length: 2000 },
      (_, index) => `column_with_a_rather_long_name_for_a_wide_header_${index}`,
    )
    const values = names.map((_, index) => index)
    const { columns, rows } = await load([await file('a.csv', `${names}\n${values}\n`)])
    expect([columns.length, rows[0]?.length, rows[0]?.[1999]]).toEqual([2000, 2000, '1999'])
  })

  test('names that are keywords, have quotes, repeat or are empty', async () => {
    const { columns, rows } = await load([await file('a.csv', 'select,"a""b",Select,,a.b\n1,2,3,4,5\n')])
    expect(columns).toEqual([
      'select bigint',
      'a"b bigint',
      'Select_1 bigint',
      'column4 bigint',
      'a.b bigint',
    ])
    expect(rows).toEqual([['1', '2', '3', '4', '5']])
  })

  test.each([['a;b\n1;2\n'], ['a\tb\n1\t2\n'], ['a|b\n1|2\n']])(
    'the delimiter of %j is found',
    async (body) => {
      expect((await load([await file('a.csv', body)])).rows).toEqual([['1', '2']])
    },
  )

  test('without a header columns are named by position, and further files follow it', async () => {
    const { columns, rows } = await load([await file('a.csv', '1,x\n2,y\n'), await file('b.csv', '3,z\n')])
    expect(columns).toEqual(['column1 bigint', 'column2 text'])
    expect(rows.length).toBe(3)
  })

  test('empty objects and header-only files', async () => {
    const result = await load([
      await file('a.csv', ''),
      await file('b.csv', 'x,y\n'),
      await file('c.csv', 'x,y\n1,z\n'),
    ])
    expect(result).toMatchObject({ columns: ['x bigint', 'y text'], rows: [['1', 'z']] })
    expect(result.counted).toEqual([
      ['a.csv', 0, 0],
      ['b.csv', 0, 0],
      ['c.csv', 1, 0],
    ])
  })
})

describe('one odd file', () => {
  const good = () => file('a.csv', 'id,x\n1,10\n2,20\n')

  test.each([
    [
      'another type',
      'id,x\n3,30\n4,oops\n',
      { object: 's3://b/odd.csv', line: 3, column: 'x', value: 'oops', byteOffset: 10 },
    ],
    [
      'a value that only almost fits',
      'id,x\n3,1.5\n',
      { object: 's3://b/odd.csv', line: 2, column: 'x', value: '1.5' },
    ],
    ['a missing column', 'id\n3\n', { object: 's3://b/odd.csv', column: 'x' }],
    ['another column', 'id,x,y\n3,4,5\n', { object: 's3://b/odd.csv', column: 'y' }],
    ['a field too many', 'id,x\n3,4\n5,6,7\n', { object: 's3://b/odd.csv', line: 3 }],
    ['a field too few', 'id,x\n"a\nb",4\n\n5\n', { object: 's3://b/odd.csv' }],
  ])('%s fails with its place', async (_, body, place) => {
    const attempt = load([await good(), await file('odd.csv', body)])
    await expect(attempt).rejects.toMatchObject({ kind: 'data', place })
  })

  test('columns in another order are matched by name', async () => {
    expect((await load([await good(), await file('b.csv', 'x,id\n30,3\n')])).rows).toContainEqual(['3', '30'])
  })

  test('evolve adds columns and widens without loss', async () => {
    const files = [await good(), await file('b.csv', 'id,x,y\n3,1.5,new\n'), await file('c.csv', 'id\n4\n')]
    const { columns, rows } = await load(files, { schemaPolicy: 'evolve' })
    expect(columns).toEqual(['id bigint', 'x decimal(20,1)', 'y text'])
    expect(rows).toEqual([
      ['1', '10.0', null],
      ['2', '20.0', null],
      ['3', '1.5', 'new'],
      ['4', null, null],
    ])
  })

  test('evolve does not turn numbers into text', async () => {
    const attempt = load([await good(), await file('b.csv', 'id,x\n3,oops\n')], { schemaPolicy: 'evolve' })
    await expect(attempt).rejects.toMatchObject({ kind: 'data', place: { column: 'x', value: 'oops' } })
  })

  test('reject loads the good rows and keeps the bad ones with their places', async () => {
    const odd = 'id,x\n3,30\n"4\n",oops\n5,6,7\n\n6,60\n7\n8,1.5\n'
    const result = await load([await good(), await file('odd.csv', odd)], { onBadRow: 'reject' })
    expect(result.rows.map(([id]) => id)).toEqual(['1', '2', '3', '6'])
    expect(result.rejects.map(([, line, , column, raw]) => [line, column, raw])).toEqual([
      [3, 'id', '"4\n",oops'],
      [5, null, '5,6,7'],
      [8, null, '7'],
      [9, 'x', '8,1.5'],
    ])
    expect([result.rowsRead, result.rowsLoaded, result.rowsRejected]).toEqual([8, 4, 4])
    expect(result.counted).toEqual([
      ['a.csv', 2, 0],
      ['odd.csv', 2, 4],
    ])
  })

  test.each([[{ count: 1 }], [{ share: 0.1 }]])('a budget of %j is kept', async (maxRejects) => {
    const odd = await file('odd.csv', 'id,x\n3,a\n4,b\n')
    await expect(load([await good(), odd], { onBadRow: 'reject', maxRejects })).rejects.toMatchObject({
      code: 'TooManyRejects',
    })
  })

  test.each([
    ['gzip under a plain name', 'odd.csv', gzipSync('id,x\n1,2\n'), /bytes are gzip/],
    ['an error page', 'odd.csv', Buffer.from('<!DOCTYPE html><p>Not found'), /bytes are html/],
    [
      'a corrupt gzip',
      'odd.csv.gz',
      Buffer.concat([gzipSync('id,x\n1,2\n').subarray(0, 12), Buffer.from('garbage, not deflate')]),
      /odd\.csv\.gz/,
    ],
    ['a cut Parquet file', 'odd.parquet', Buffer.from('PAR1 and then nothing'), /cut/],
  ])('%s is told as such', async (_, key, bytes, message) => {
    await connection.run('BEGIN')
    await expect(load([await file(key, bytes)])).rejects.toThrow(message)
    await connection.run('ROLLBACK')
  })
})

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
    const files = [await file('a.csv', 'x\n1\n2\n'), await file('b.csv', 'x\n3\n')]
    const { rows } = await load(files, { lineage: ['_file', '_row', '_modified'] })
    expect(rows).toEqual([
      ['1', 's3://b/a.csv', '1', '2025-06-15 15:06:40+00'],
      ['2', 's3://b/a.csv', '2', '2025-06-15 15:06:40+00'],
      ['3', 's3://b/b.csv', '1', '2025-06-15 15:06:40+00'],
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
