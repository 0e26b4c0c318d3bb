import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { ConnectorError, ExportFormat, ExportSelection } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { csv, makeTable, open, thousand, type Written, write } from './export-support.ts'
import { type Bench, failure, openBench } from './support.ts'

const text = async (bench: Bench, sql: string, format: ExportFormat): Promise<string> => {
  const [only] = await write(bench, { from: { sql } }, { format })
  return only?.bytes.toString('utf8') ?? ''
}

const values = `SELECT * FROM (VALUES ('', NULL), ('a"b', 'x,y'), ('l' || chr(10) || 'm', 'NULL')) v(a, b)`

describe('CSV', () => {
  test.each([
    [{}, 'a,b\n"",\n"a""b","x,y"\n"l\nm",NULL\n'],
    [{ nullValue: 'NULL' }, 'a,b\n,NULL\n"a""b","x,y"\n"l\nm","NULL"\n'],
    [{ nullValue: '""' }, 'a,b\n,""\n"a""b","x,y"\n"l\nm",NULL\n'],
    [{ emptyValue: 'EMPTY' }, 'a,b\nEMPTY,\n"a""b","x,y"\n"l\nm",NULL\n'],
    [{ nullValue: '""', emptyValue: 'EMPTY' }, 'a,b\nEMPTY,""\n"a""b","x,y"\n"l\nm",NULL\n'],
    [{ escape: '\\' }, 'a,b\n"",\n"a\\"b","x,y"\n"l\nm",NULL\n'],
    [{ escape: "'" }, 'a,b\n"",\n"a\'"b","x,y"\n"l\nm",NULL\n'],
    [{ quoteAll: true }, '"a","b"\n"",\n"a""b","x,y"\n"l\nm","NULL"\n'],
    [{ header: false, lineSeparator: 'crlf' }, '"",\r\n"a""b","x,y"\r\n"l\nm",NULL\r\n'],
    [{ delimiter: '\t' }, 'a\tb\n""\t\n"a""b"\tx,y\n"l\nm"\tNULL\n'],
  ])('%j', async (options, expected) => {
    expect(await text(await openBench(), values, csv(options))).toBe(expected)
  })

  test('values keep all of their digits; times are ISO 8601, nested values JSON, bytes base64', async () => {
    const sql = `SELECT 9223372036854775807 AS i, 12345678901234567890.10::DECIMAL(38, 2) AS d, 0.1::DOUBLE AS f,
      DATE '2026-02-28' AS day, TIMESTAMP '2026-01-02 03:04:05.123456' AS t,
      TIMESTAMPTZ '2026-01-02 03:04:05+02' AS z, TIMESTAMP_NS '2026-01-02 03:04:05.123456789' AS n,
      'infinity'::TIMESTAMPTZ AS inf, [1, NULL] AS l, {a: 'x"', b: [true]} AS s, MAP {'k': 1} AS m, '\\x00\\xff'::BLOB AS b,
      true AS yes, '🦆' AS e`
    const [, row] = (await text(await openBench(), sql, csv({ delimiter: '|', quote: '' }))).split('\n')
    expect(row?.split('|')).toEqual([
      '9223372036854775807',
      '12345678901234567890.10',
      '0.1',
      '2026-02-28',
      '2026-01-02T03:04:05.123456',
      '2026-01-02T01:04:05Z',
      '2026-01-02T03:04:05.123456789',
      'infinity',
      '[1,null]',
      '{"a":"x\\"","b":[true]}',
      '{"k":1}',
      'AP8=',
      'true',
      '🦆',
    ])
  })

  test('dates and timestamps in a format of their own', async () => {
    const sql = `SELECT DATE '2026-02-28' AS d, TIMESTAMPTZ '2026-01-02 03:04:05+02' AS z`
    const format = csv({ dateFormat: '%d.%m.%Y', timestampFormat: '%Y/%m/%d %H:%M' })
    expect(await text(await openBench(), sql, format)).toBe('d,z\n28.02.2026,2026/01/02 01:04\n')
  })

  test('UTF-16 has one mark at its beginning, and keeps characters that chunks cut', async () => {
    const bench = await openBench()
    const sql = "SELECT i, repeat('é🦆', 20) AS t FROM range(40000) r(i)"
    const [file] = await write(bench, { from: { sql } }, { format: csv({ encoding: 'utf-16' }) })
    const decoded = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }).decode(file?.bytes)
    expect(decoded.startsWith('\ufeffi,t\n0,é🦆')).toBe(true)
    expect(decoded.slice(1)).toBe(await text(bench, sql, csv()))
  })

  test('what can not be written without a quote is refused with its row and column', async () => {
    const bench = await openBench()
    const sql = "SELECT i, CASE WHEN i = 2500 THEN 'a,b' ELSE 'c' END AS t FROM range(5000) r(i)"
    const error = await failure(write(bench, { from: { sql } }, { format: csv({ quote: '' }) }))
    expect(error).toMatchObject({ kind: 'data', code: 'Unwritable', place: { column: 't', line: 2501 } })
  })

  test.each([
    [{ delimiter: '\n' }, 'line break'],
    [{ delimiter: '"' }, 'different'],
    [{ nullValue: 'a,b' }, 'null value'],
    [{ nullValue: '""', quoteAll: true }, 'told from null'],
    [{ quote: '', emptyValue: 'a,b' }, 'empty value'],
    [{ quote: '', quoteAll: true }, 'without a quote'],
  ])('options that can not work are refused: %j', async (options, words) => {
    const error = await failure(write(await openBench(), {}, { format: csv(options) }))
    expect(error).toMatchObject({ kind: 'config', code: 'CsvOptions' })
    expect(error.message).toContain(words)
  })
})

test('CSV for PostgreSQL has lists in braces and bytes in hex', async () => {
  const sql = String.raw`SELECT ['a"b', 'c\d,', NULL, '', 'NULL'] AS l, []::INTEGER[] AS e, NULL::INTEGER[] AS n,
    ['\x5c\xff'::BLOB] AS b, '\x00\xff'::BLOB AS h, [[1], [2, 3]] AS nested,
    [TIMESTAMPTZ '2026-01-02 03:04:05+02'] AS t`
  const format = csv({ lists: 'braces', binary: 'hex', header: false, delimiter: '|' })
  expect(await text(await openBench(), sql, format)).toBe(
    `${String.raw`"{""a\""b"",""c\\d,"",NULL,"""",""NULL""}"|{}||"{""\\x5cff""}"|\x00ff|[[1],[2,3]]|"{""2026-01-02T01:04:05Z""}"`}
`,
  )
})

test('a key leaves under its new name, and only with its column', async () => {
  const bench = await openBench()
  const from = { sql: 'SELECT 1 AS id, 2 AS n' }
  const opened = await open(bench, { from, key: ['ID'], rename: { id: 'nr' } })
  expect(opened.streams[0]?.schema.key).toEqual(['nr'])
  await opened.close()
  expect(await failure(open(bench, { from, key: ['id'], columns: ['n'] }))).toMatchObject({
    kind: 'config',
    place: { column: 'id' },
  })
})

test('NDJSON keeps digits, and writes what JSON has no word for as text', async () => {
  const sql = `SELECT 9223372036854775807 AS i, 'nan'::DOUBLE AS n, [1.5, 'inf'::DOUBLE] AS l, '{"a": 1}'::JSON AS j,
    {z: TIMESTAMPTZ '2026-01-02 03:04:05+02', raw: '\\xff'::BLOB} AS s, NULL AS x, '' AS e`
  const line = await text(await openBench(), sql, { type: 'ndjson', compression: 'none' })
  expect(line).toBe(
    '{"i":9223372036854775807,"n":"nan","l":[1.5,"inf"],"j":{"a": 1},"s":{"z":"2026-01-02T01:04:05Z","raw":"/w=="},"x":null,"e":""}\n',
  )
})

const formats: readonly ExportFormat[] = [
  csv(),
  csv({}, 'gzip'),
  { type: 'ndjson', compression: 'zstd' },
  { type: 'parquet', compression: 'zstd' },
]

const linesOf = ({ bytes }: Written, format: ExportFormat): string[] => {
  const plain =
    format.compression === 'gzip'
      ? gunzipSync(bytes)
      : format.compression === 'zstd'
        ? zstdDecompressSync(bytes)
        : bytes
  return plain.toString('utf8').trimEnd().split('\n')
}

describe.each(formats)('parts of $type, $compression', (format) => {
  test('have the rows that were asked for, in order', async () => {
    const files = await write(await openBench(), { from: thousand }, { format, maxRows: 3000 })
    expect(files.map(({ part, rows }) => [part, rows])).toEqual([
      [1, 3000],
      [2, 3000],
      [3, 3000],
      [4, 1000],
    ])
    if (format.type === 'csv') expect(linesOf(files[1] as Written, format)[1]).toBe('3000,row 3000,0')
    if (format.type === 'ndjson')
      expect(linesOf(files[1] as Written, format)[0]).toBe('{"i":3000,"t":"row 3000","g":0}')
  })

  test('of a table with deleted rows, too', async () => {
    const bench = await openBench()
    await makeTable(bench)
    const files = await write(bench, { from: { table: 'numbers' } }, { format, maxRows: 3000 })
    expect(files.map(({ rows }) => rows)).toEqual([3000, 3000, 3000])
    expect(await write(bench, { from: { table: 'numbers' } }, { format, maxRows: 3000 })).toEqual(files)
  })

  test('are at most as large as asked for, and nearly that', async () => {
    const whole = await write(await openBench(), { from: thousand }, { format })
    const maxBytes = Math.ceil((whole[0]?.size ?? 0) / 3)
    const files = await write(await openBench(), { from: thousand }, { format, maxBytes })
    expect(files.reduce((sum, { rows }) => sum + rows, 0)).toBe(10_000)
    for (const { size } of files) expect(size).toBeLessThanOrEqual(maxBytes)
    expect(files.length).toBeLessThanOrEqual(5)
  })

  test('have folders of columns, which leave the rows', async () => {
    const layout = { format, maxRows: 2000, partitionBy: ['g'] }
    const bench = await openBench()
    await makeTable(bench)
    for (const [from, rows] of [
      [thousand, [2000, 1334, 2000, 1333, 2000, 1333]],
      [{ table: 'numbers' }, [2000, 1001, 2000, 999, 2000, 1000]],
    ] as const) {
      const files = await write(bench, { from }, layout)
      expect(files.map(({ partition, part }) => [partition.g, part])).toEqual(
        ['0', '1', '2'].flatMap((g) => [
          [g, 1],
          [g, 2],
        ]),
      )
      expect(files.map((file) => file.rows)).toEqual(rows)
      if (format.type === 'csv') expect(linesOf(files[0] as Written, format)[0]).toBe('i,t')
    }
  })

  test('without rows: one file with the schema, or none', async () => {
    const from = { sql: 'SELECT 1 AS a WHERE false' }
    const files = await write(await openBench(), { from }, { format })
    expect(files.map(({ part, rows }) => [part, rows])).toEqual([[1, 0]])
    expect(await write(await openBench(), { from }, { format, empty: 'nothing' })).toEqual([])
  })
})

describe('mapping', () => {
  const people = `SELECT * FROM (VALUES (1, 'a', 10, 'x'), (1, 'b', 20, 'x'), (2, 'c', NULL, 'y'), (2, 'd', 5, 'y'),
    (2, 'e', 5, 'y'), (NULL, 'f', 1, 'z'), (NULL, 'g', 2, 'z'), (3, 'h', 1, NULL)) v(id, name, seen, team)`

  test('chooses, orders and renames columns, drops rows, keeps the latest of a key', async () => {
    const bench = await openBench()
    const mapping = {
      from: { sql: people },
      columns: ['name', 'id'],
      rename: { id: 'person' },
      mandatory: ['team'],
      dedupe: { key: ['id'], latest: 'seen' },
    }
    const [file] = await write(bench, mapping, { format: csv() })
    expect(file?.bytes.toString().trim().split('\n').sort()).toEqual([
      'b,1',
      'e,2',
      'f,',
      'g,',
      'name,person',
    ])
    const opened = await open(bench, mapping)
    const [stream] = opened.streams
    expect(await stream?.losses()).toEqual({ dropped: 1, deduplicated: 3, nullCursors: 0 })
    expect(await stream?.estimate()).toMatchObject({ rows: 4 })
    expect(stream?.schema.columns.map(({ name }) => name)).toEqual(['name', 'person'])
    await opened.close()
  })

  test('a window ends at the highest cursor of the snapshot and begins after the saved one', async () => {
    const bench = await openBench()
    const first = await open(bench, { from: { sql: people }, window: { column: 'seen' } })
    expect(first.streams[0]?.cursor).toEqual({ column: 'seen', to: '20' })
    expect(await first.streams[0]?.estimate()).toMatchObject({ rows: 8 })
    await first.close()
    const next = await open(bench, { from: { sql: people }, window: { column: 'seen', after: '2' } })
    expect(await next.streams[0]?.estimate()).toMatchObject({ rows: 4 })
    expect(await next.streams[0]?.losses()).toMatchObject({ nullCursors: 1 })
    await next.close()
    const retry = await open(bench, {
      from: { sql: people },
      window: { column: 'seen', after: '2', to: '5' },
    })
    expect(await retry.streams[0]?.estimate()).toMatchObject({ rows: 2 })
    await retry.close()
  })

  test.each([
    ["TIMESTAMPTZ '2026-01-02 03:04:05.000001+02'", '2026-01-02T01:04:05.000001Z'],
    ["TIMESTAMP_NS '2026-01-02 03:04:05.123456789'", '2026-01-02T03:04:05.123456789'],
    ['9223372036854775807::BIGINT', '9223372036854775807'],
    ['12345678901234567890123456.78::DECIMAL(38, 2)', '12345678901234567890123456.78'],
    ['0.1::DOUBLE + 0.2::DOUBLE', '0.30000000000000004'],
    ["DATE '2026-02-28'", '2026-02-28'],
    ["'é'''", "é'"],
  ])('the text of a cursor is exact: %s', async (sql, to) => {
    const bench = await openBench()
    const from = { sql: `SELECT ${sql} AS c` }
    const opened = await open(bench, { from, window: { column: 'c' } })
    expect(opened.streams[0]?.cursor?.to).toBe(to)
    await opened.close()
    const after = await open(bench, { from, window: { column: 'c', after: to } })
    expect(await after.streams[0]?.estimate()).toMatchObject({ rows: 0 })
    await after.close()
    const upTo = await open(bench, { from, window: { column: 'c', to } })
    expect(await upTo.streams[0]?.estimate()).toMatchObject({ rows: 1 })
    await upTo.close()
  })

  test.each<[Partial<ExportSelection>, Partial<ConnectorError>]>([
    [{ from: { table: 'nope' } }, { kind: 'not-found', code: 'NoSuchTable' }],
    [{ from: { sql: 'SELEC 1' } }, { kind: 'config', code: 'InvalidSql' }],
    [{ from: { sql: 'SELECT 1; SELECT 2' } }, { kind: 'config', code: 'InvalidSql' }],
    [{ from: { sql: 'CREATE TABLE x (a INT)' } }, { kind: 'config', code: 'InvalidSql' }],
    [
      { from: { sql: people }, columns: ['nam'] },
      { kind: 'config', hint: 'Did you mean name?' },
    ],
    [
      { from: { sql: people }, rename: { id: 'name' } },
      { kind: 'config', code: 'ColumnNames' },
    ],
    [
      { from: { sql: 'SELECT [1] AS l' }, window: { column: 'l' } },
      { kind: 'config', code: 'CursorType' },
    ],
  ])('%j is refused', async (selection, error) => {
    expect(await failure(open(await openBench(), selection))).toMatchObject(error)
  })
})
