import { bigint } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { failure, file, gzip, load, openBench, rows, texts, zstd } from './support.ts'

const ndjson = (...records: unknown[]) =>
  `${records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n')}\n`

describe('types of NDJSON columns', () => {
  it.each<[string, string[], string]>([
    ['booleans', ['true', 'false', 'null'], 'boolean'],
    ['the limits of int64', ['9223372036854775807', '-9223372036854775808'], 'bigint'],
    ['up to 15 digits', ['0.1', '1234567.25', '-5'], 'decimal(18,2)'],
    ['more than 15 digits', ['0.1', '0.12345678901234567'], 'double'],
    ['exponents beyond 15 digits', ['1e300', '2.5'], 'double'],
    ['texts', ['"x"', '"007"'], 'text'],
    ['digits as text', ['"007"', '"1"'], 'text'],
    ['plain digits as text', ['"1"', '"2"'], 'text'],
    ['booleans as text', ['"true"', '"false"'], 'text'],
    ['ISO dates', ['"2026-01-31"', '"2026-02-01"'], 'date'],
    ['ISO timestamps', ['"2026-01-31T10:11:12"', '"2026-01-31T10:11:12.5"'], 'timestamp'],
    ['ISO instants', ['"2026-01-31T10:11:12Z"', '"2026-01-31T10:11:12.123Z"'], 'timestamp with time zone'],
    ['objects', ['{"a":1}', '{"b":[1,2]}'], 'json'],
    ['arrays', ['[1,2]', '[]'], 'json'],
    ['nulls', ['null', 'null'], 'text'],
  ])('%s', async (_name, values, expected) => {
    const bench = await openBench()
    const lines = values.map((value, index) => `{"id":${index},"v":${value}}`)
    const { types } = await load(bench.engine, [file(bench, 'a.ndjson', ndjson(...lines))])
    expect(types).toEqual({ id: 'bigint', v: expected })
  })

  it('texts, numbers and nested values together keep every value', async () => {
    const bench = await openBench()
    const values = ['"a"', '1', 'true', '{"x":1}', '[1,2]', 'null', '"1"']
    const lines = values.map((value, index) => `{"id":${index},"v":${value}}`)
    await load(bench.engine, [file(bench, 'a.ndjson', ndjson(...lines))])
    const read = (await texts(bench.engine)).map((row) => row[1])
    expect(read).toHaveLength(7)
    expect(read[5]).toBeNull()
    expect(read.map((value) => String(value).replaceAll(/[" ]/g, ''))).toEqual([
      'a',
      '1',
      'true',
      '{x:1}',
      '[1,2]',
      'null',
      '1',
    ])
  })
})

describe('NDJSON as it comes', () => {
  it('texts read back exactly: escapes, emoji, line ends, empty against null', async () => {
    const bench = await openBench()
    const values = ['a"b\\c', '🦆 Ω', 'two\nlines\ttab', '', null, 'null', '"quoted"', '\u2028']
    await load(bench.engine, [file(bench, 'a.ndjson', ndjson(...values.map((v, id) => ({ id, v }))))])
    expect((await texts(bench.engine)).map((row) => row[1])).toEqual(values)
  })

  it('int64 is exact, also within nested values', async () => {
    const bench = await openBench()
    await load(bench.engine, [
      file(
        bench,
        'a.ndjson',
        '{"n":9223372036854775807,"o":{"deep":[9223372036854775807,99999999999999999999999,0.1]}}\n',
      ),
    ])
    expect(await texts(bench.engine)).toEqual([
      ['9223372036854775807', '{"deep":[9223372036854775807,99999999999999999999999,0.1]}'],
    ])
  })

  it('keys in any order, missing in some records, first seen late', async () => {
    const bench = await openBench()
    const records: unknown[] = Array.from({ length: 3_000 }, (_, id) => ({ id, a: 'x' }))
    records.push({ late: 1.5, id: 3_000 })
    const { types } = await load(bench.engine, [file(bench, 'a.ndjson', ndjson(...records))])
    expect(types).toEqual({ id: 'bigint', a: 'text', late: 'decimal(18,1)' })
    expect(
      await rows(bench.engine, 'SELECT id::INTEGER, a, late::VARCHAR FROM t WHERE id >= 2999 ORDER BY id'),
    ).toEqual([
      [2_999, 'x', null],
      [3_000, null, '1.5'],
    ])
  })

  it('names: keywords, quotes, dots, unicode', async () => {
    const bench = await openBench()
    const record = {
      select: 1,
      'a"b': 2,
      'x.y': 3,
      表: 4,
      "it's": 5,
      'a b': 6,
      Id: 7,
      '$.x': 8,
    }
    const { types } = await load(bench.engine, [file(bench, 'a.ndjson', ndjson(record, record))])
    expect(Object.keys(types)).toHaveLength(8)
    expect(Object.keys(types).slice(0, 6)).toEqual(['select', 'a"b', 'x.y', '表', "it's", 'a b'])
    expect((await texts(bench.engine))[1]).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
  })

  it('deep nesting', async () => {
    const bench = await openBench()
    const depth = 900
    const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    await load(bench.engine, [file(bench, 'a.ndjson', `{"id":1,"deep":${deep}}\n`)])
    expect(await texts(bench.engine)).toEqual([['1', deep]])
  })

  it('500 keys', async () => {
    const bench = await openBench()
    const record = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`k${index}`, index % 2 ? 'x' : index]),
    )
    const { types } = await load(bench.engine, [file(bench, 'a.ndjson', ndjson(record, record))])
    expect(Object.keys(types)).toEqual(Object.keys(record))
  })

  it.each<[string, (text: string) => Uint8Array]>([
    ['a.jsonl', (text) => Buffer.from(text)],
    ['a.ndjson.gz', gzip],
    ['a.ndjson.zst', zstd],
    ['crlf.ndjson', (text) => Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['blank.ndjson', (text) => Buffer.from(text.replaceAll('\n', '\n\n'))],
    ['no-end.ndjson', (text) => Buffer.from(text.trimEnd())],
  ])('%s', async (key, encode) => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, key, encode(ndjson({ a: 1, b: 'x' }, { a: 2, b: 'y' })))])
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ])
  })

  it('empty files have no rows', async () => {
    const bench = await openBench()
    const empty = ['', '\n\n'].map((content, index) => file(bench, `${index}.ndjson`, content))
    expect(await load(bench.engine, empty)).toMatchObject({ rowsRead: 0 })
    expect(await load(bench.engine, [...empty, file(bench, 'x.ndjson', '{"a":1}\n')])).toMatchObject({
      rowsLoaded: 1,
    })
  })
})

describe('JSON documents', () => {
  it.each([
    ['an array', '[{"a":1,"b":"x"},{"a":2,"b":"y"}]'],
    ['an array over several lines', '[\n  {\n "a": 1, "b": "x" },\n  { "a": 2,\n "b": "y" }\n]\n'],
    ['concatenated objects', '{"a":1,"b":"x"}\n{\n"a":2,"b":"y"}'],
    ['concatenated on one line', '{"a":1,"b":"x"} {"a":2,"b":"y"}'],
  ])('%s', async (_name, content) => {
    const bench = await openBench()
    const { types } = await load(bench.engine, [file(bench, 'a.json', content)])
    expect(types).toEqual({ a: 'bigint', b: 'text' })
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ])
  })

  it('one object, with nested values', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.json', '{\n "a": 1,\n "b": { "c": [1, 2] }\n}')])
    expect(await rows(bench.engine, "SELECT a::INTEGER, b->>'$.c[1]' FROM t")).toEqual([[1, '2']])
  })

  it.each([
    ['cut', '[{"a":1},{"a":'],
    ['not closed', '[{"a":1},{"a":2}'],
    ['damaged', '[{"a":1},{"a":2 "b"},{"a":3}]'],
    ['text after the end', '[{"a":1}] oops'],
    ['no JSON at all', 'hello'],
  ])('a document that is %s names object and place', async (_name, content) => {
    const bench = await openBench()
    const error = await failure(
      load(bench.engine, [file(bench, 'good.json', '[{"a":1}]'), file(bench, 'bad.json', content)]),
    )
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/bad.json' } })
    expect(await bench.engine.tables()).toEqual([])
  })

  it('elements that are no objects are refused', async () => {
    const bench = await openBench()
    for (const content of ['[1,2,3]', '"text"', '[{"a":1},5]'])
      expect(await failure(load(bench.engine, [file(bench, 'a.json', content)]))).toMatchObject({
        kind: 'data',
        place: { object: 's3://bucket/a.json' },
      })
  })
})

describe('NDJSON that does not fit', () => {
  const lines = [
    '{"a":1,"b":"x"}',
    '{"a":2,"b":',
    '{"a":3,"b":"z"}',
    '[1,2]',
    '42',
    '{"a":4,"b":"é"}}',
    '{"a":5,"b":"w"}',
  ]

  it('one malformed line in the middle fails with its line', async () => {
    const bench = await openBench()
    for (const bad of ['{"a":2,"b":', '[1]', '7', '"x"', 'oops', '{"a":1}}', '{"a":1}{"a":2}']) {
      const content = `${Array.from({ length: 100 }, (_, n) => (n === 50 ? bad : `{"a":${n}}`)).join('\n')}\n`
      const error = await failure(load(bench.engine, [file(bench, 'a.ndjson', content)]))
      expect(error, bad).toMatchObject({ kind: 'data', place: { object: 's3://bucket/a.ndjson', line: 51 } })
    }
    expect(await bench.engine.tables()).toEqual([])
  })

  it('or is rejected alone: later lines load', async () => {
    const bench = await openBench()
    const content = `${lines.join('\n')}\n`
    const result = await load(bench.engine, [file(bench, 'a.ndjson', content)], { onBadRow: 'reject' })
    expect(result).toMatchObject({ rowsRead: 7, rowsLoaded: 3, rowsRejected: 4 })
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x'],
      ['3', 'z'],
      ['5', 'w'],
    ])
    const offset = (index: number) =>
      Buffer.byteLength(
        lines
          .slice(0, index)
          .map((line) => `${line}\n`)
          .join(''),
      )
    expect(
      await rows(
        bench.engine,
        'SELECT line::INTEGER, byte_offset::INTEGER, raw FROM t__rejects ORDER BY line',
      ),
    ).toEqual([1, 3, 4, 5].map((index) => [index + 1, offset(index), lines[index]]))
  })

  it('a value of another type in a later file names line, column and value', async () => {
    const bench = await openBench()
    const files = ['{"a":1}\n{"a":2}\n', '{"a":3}\n{"a":"four"}\n'].map((text, n) =>
      file(bench, `${n}.ndjson`, text),
    )
    expect(await failure(load(bench.engine, files))).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/1.ndjson', line: 2, column: 'a', value: 'four' },
    })
    // Text "5" is no number.
    const quoted = [file(bench, 'x.ndjson', '{"a":1}\n'), file(bench, 'y.ndjson', '{"a":"5"}\n')]
    expect(await failure(load(bench.engine, quoted))).toMatchObject({
      place: { object: 's3://bucket/y.ndjson', line: 1 },
    })
  })

  it('a key that the files before did not have is an error, or a new column', async () => {
    const bench = await openBench()
    const files = ['{"a":1}\n', '{"a":2}\n{"a":3,"new":true}\n'].map((text, n) =>
      file(bench, `${n}.ndjson`, text),
    )
    const error = await failure(load(bench.engine, files))
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/1.ndjson' } })
    expect(error.message).toContain('new')
    expect(error.hint).toContain('evolve')
    expect((await load(bench.engine, files, { schemaPolicy: 'evolve' })).types).toEqual({
      a: 'bigint',
      new: 'boolean',
    })
    expect(await texts(bench.engine)).toEqual([
      ['1', null],
      ['2', null],
      ['3', 'true'],
    ])
  })

  it('a rejected value of a given type keeps the rest of the file', async () => {
    const bench = await openBench()
    const content = ndjson({ a: 1 }, { a: 1.5 }, { a: 'x' }, { a: 2 }, { a: null })
    const result = await load(bench.engine, [file(bench, 'a.ndjson', content)], {
      onBadRow: 'reject',
      columnTypes: { a: bigint },
    })
    expect(result).toMatchObject({ rowsRead: 5, rowsLoaded: 3, rowsRejected: 2 })
  })
})
