import { describe, expect, it } from 'vitest'
import { failure, file, gzip, load, openBench, rows, texts } from './support.ts'

const mark = '\ufeff'

describe('a byte order mark', () => {
  it.each(['a.ndjson', 'a.json', 'a.ndjson.gz'])(
    'before the records of %s is no part of them',
    async (key) => {
      const bench = await openBench()
      const body = key.startsWith('a.json') ? '[{"id":1},\n{"id":2}]' : '{"id":1}\n{"id":2}\n'
      const bytes = key.endsWith('.gz') ? gzip(mark + body) : mark + body
      const { types } = await load(bench.engine, [file(bench, key, bytes)])
      expect(types).toEqual({ id: 'bigint' })
      expect(await texts(bench.engine)).toEqual([['1'], ['2']])
    },
  )

  it('of one file among others, and bad rows keep their lines', async () => {
    const bench = await openBench()
    const files = [
      file(bench, 'a.ndjson', '{"id":1}\n'),
      file(bench, 'b.ndjson', `${mark}{"id":2}\n\n{"id":"x"}\n`),
    ]
    const result = await load(bench.engine, files, { onBadRow: 'reject' })
    expect(result).toMatchObject({ rowsLoaded: 2, rowsRejected: 1 })
    expect(
      await rows(bench.engine, 'SELECT line::INTEGER, byte_offset::INTEGER, raw FROM t__rejects'),
    ).toEqual([[3, 13, '{"id":"x"}']])
  })
})

describe('keys that no column can have', () => {
  it('the empty key becomes _empty', async () => {
    const bench = await openBench()
    const { types } = await load(bench.engine, [file(bench, 'a.ndjson', '{"":1,"b":2}\n{"b":3}\n{"":4}\n')])
    expect(types).toEqual({ _empty: 'bigint', b: 'bigint' })
    expect(await texts(bench.engine)).toEqual([
      ['1', '2'],
      [null, '3'],
      ['4', null],
    ])
    await load(bench.engine, [file(bench, 'b.ndjson', '{"":5}\n')], { mode: 'delta' })
    expect(await rows(bench.engine, 'SELECT sum(_empty)::INTEGER FROM t')).toEqual([[10]])
  })

  it.each(['{"Id":3,"na/me":"z"}', '{"na/me":"z","ID":3}'])(
    'keys that differ by case alone are one column, also in later files: %s',
    async (later) => {
      const bench = await openBench()
      const first = file(bench, 'a.ndjson', '{"id":1,"na/me":"x"}\n{"ID":2,"NA/me":"y"}\n{"id":null}\n')
      const { types } = await load(bench.engine, [first, file(bench, 'b.ndjson', `${later}\n`)])
      expect(types).toEqual({ id: 'bigint', 'na/me': 'text' })
      await load(bench.engine, [file(bench, 'c.ndjson', '{"iD":4}\n{"id":5}\n')], { mode: 'delta' })
      expect(await texts(bench.engine)).toEqual([
        ['1', 'x'],
        ['2', 'y'],
        [null, null],
        ['3', 'z'],
        ['4', null],
        ['5', null],
      ])
    },
  )

  it('two of them in one record are a bad row that names both', async () => {
    const bench = await openBench()
    const content = '{"id":1}\n{"ID":2}\n{"id":3,"ID":4}\n'
    const error = await failure(load(bench.engine, [file(bench, 'a.ndjson', content)]))
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/a.ndjson', line: 3 } })
    expect(error.message).toContain('it has "id" and "ID", which are one column')
    const result = await load(bench.engine, [file(bench, 'a.ndjson', content)], { onBadRow: 'reject' })
    expect(result).toMatchObject({ rowsRead: 3, rowsLoaded: 2, rowsRejected: 1 })
  })

  it('a key that comes after the sample of the first file is a column too', async () => {
    const bench = await openBench()
    const lines = Array.from({ length: 21_000 }, (_, id) => `{"id":${id}}`)
    const { types } = await load(bench.engine, [
      file(bench, 'a.ndjson', `${lines.join('\n')}\n{"id":-1,"late":1.5}\n`),
    ])
    expect(types).toEqual({ id: 'bigint', late: 'decimal(18,1)' })
    expect(await rows(bench.engine, 'SELECT count(*)::INTEGER, count(late)::INTEGER FROM t')).toEqual([
      [21_001, 1],
    ])
  })
})
