import { gzipSync } from 'node:zlib'
import type { FileFormat } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { connection, file, load } from '../../test/stage-support.ts'

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
