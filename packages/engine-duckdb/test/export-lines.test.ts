import { describe, expect, test } from 'vitest'
import { csv, write } from './export-support.ts'
import { type Bench, failure, openBench } from './support.ts'

/* Text that DuckDB's COPY has no option for: SQL puts its lines together. */

const text = async (bench: Bench, sql: string, format: ReturnType<typeof csv>): Promise<string> => {
  const [only] = await write(bench, { from: { sql } }, { format })
  return only?.bytes.toString('utf8') ?? ''
}

const values = `SELECT * FROM (VALUES ('', NULL), ('a"b', 'x,y'), ('l' || chr(10) || 'm', 'NULL')) v(a, b)`

test.each([
  [{ delimiter: '🦆' }, 'a🦆b\n""🦆\n"a""b"🦆x,y\n"l\nm"🦆NULL\n'],
  [{ delimiter: '§', nullValue: 'NULL' }, 'a§b\n§NULL\n"a""b"§x,y\n"l\nm"§"NULL"\n'],
  [{ delimiter: '§', quoteAll: true }, '"a"§"b"\n""§\n"a""b"§"x,y"\n"l\nm"§"NULL"\n'],
  [
    { delimiter: '§', header: false, lineSeparator: 'crlf', emptyValue: 'EMPTY' },
    'EMPTY§\r\n"a""b"§x,y\r\n"l\nm"§NULL\r\n',
  ],
  [{ nullValue: '\\N', escape: '\\' }, 'a,b\n,\\N\n"a\\"b","x,y"\n"l\nm",NULL\n'],
  [{ nullValue: 'NULL', emptyValue: '""' }, 'a,b\n"",NULL\n"a""b","x,y"\n"l\nm","NULL"\n'],
])('CSV, %j', async (options, expected) => {
  expect(await text(await openBench(), values, csv(options))).toBe(expected)
})

test.each([
  [{}],
  [{ escape: '\\' }],
  [{ quoteAll: true }],
  [{ nullValue: 'x7', lineSeparator: 'crlf' }],
  [{ quote: '', nullValue: '-' }],
])('they are those of COPY where it can write them: %j', async (options) => {
  const special = 'quote' in options ? '*' : '"\\;§\n'
  const sql = `SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'x' || i ELSE repeat('${special}', i % 5) || i END AS "t 1",
    DATE '2026-01-01' + i::INTEGER AS d, i / 7 AS f, [i] AS l, '\\x00'::BLOB AS b, CASE i % 9 WHEN 1 THEN '' ELSE 'e' END AS e
    FROM range(300) r(i)`
  const bench = await openBench()
  const copied = await text(bench, sql, csv({ ...options, delimiter: ';' }))
  const lines = await text(bench, sql.replace(';§', '§;'), csv({ ...options, delimiter: '§' }))
  const exchanged = lines.replaceAll(/[;§]/g, (character) => (character === ';' ? '§' : ';'))
  expect(exchanged).toBe(copied)
})

// Many readers leave an empty line out.
describe('CSV of one column', () => {
  test.each([
    ['VARCHAR', {}, 'a\nx\n""\n\ny\n'],
    ['VARCHAR', { nullValue: 'NULL' }, 'a\nx\n""\nNULL\ny\n'],
    ['VARCHAR', { nullValue: '""', emptyValue: 'EMPTY' }, 'a\nx\nEMPTY\n""\ny\n'],
    ['BIGINT', {}, 'a\n7\n""\n8\n'],
    ['BIGINT', { nullValue: 'NULL' }, 'a\n7\nNULL\n8\n'],
    ['BIGINT', { quote: '', nullValue: 'NULL' }, 'a\n7\nNULL\n8\n'],
  ])('%s, %j', async (type, options, expected) => {
    const list = type === 'VARCHAR' ? "('x'), (''), (NULL), ('y')" : '(7), (NULL), (8)'
    const sql = `SELECT a::${type} AS a FROM (VALUES ${list}) v(a)`
    expect(await text(await openBench(), sql, csv(options))).toBe(expected)
  })

  test.each([
    ["SELECT ''", { nullValue: '""' }],
    ["SELECT ''", { quote: '', nullValue: 'NULL' }],
    ['SELECT NULL::BIGINT', { quote: '' }],
  ])('what would be an empty line is refused: %s, %j', async (sql, options) => {
    const error = await failure(write(await openBench(), { from: { sql } }, { format: csv(options) }))
    expect(error).toMatchObject({ kind: 'data', code: 'Unwritable', place: { line: 1 } })
    expect(error.message).toContain('empty line')
  })
})

test('NDJSON has columns of JSON as they are, in one line', async () => {
  const sql = `SELECT 1 AS "a""b", ('{"n": 12345678901234567890.123456789,' || chr(10) || '"t": "l\\nm"}')::JSON AS j, NULL::JSON AS n,
    'x"y🦆' AS t, [1.5::DOUBLE, 'inf'::DOUBLE] AS l, 12345678901234567890.10::DECIMAL(38, 2) AS d`
  const [file] = await write(
    await openBench(),
    { from: { sql } },
    { format: { type: 'ndjson', compression: 'none' } },
  )
  expect(file?.bytes.toString()).toBe(
    '{"a\\"b":1,"j":{"n": 12345678901234567890.123456789, "t": "l\\nm"},"n":null,"t":"x\\"y🦆","l":[1.5,"inf"],"d":12345678901234567890.10}\n',
  )
})
