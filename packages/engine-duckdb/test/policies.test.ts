import { bigint } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { failure, file, load, loadBatches, openBench, rows, texts } from './support.ts'

const text = { type: 'string' } as const

describe('strict: files conform to one schema', () => {
  it('order of columns may differ, also the case of their names', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, '1.csv', 'a,b\n1,x\n'), file(bench, '2.csv', 'B,A\ny,2\n')])
    expect(await texts(bench.engine)).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ])
  })

  it('an integer fits a decimal column, a longer scale does not', async () => {
    const bench = await openBench()
    const first = file(bench, '1.csv', 'a\n1.25\n')
    await load(bench.engine, [first, file(bench, '2.csv', 'a\n7\n')])
    expect(await texts(bench.engine)).toEqual([['1.25'], ['7.00']])
    expect(await failure(load(bench.engine, [first, file(bench, '2.csv', 'a\n1.5\n1.125\n')]))).toMatchObject(
      {
        kind: 'data',
        place: { object: 's3://bucket/2.csv', line: 3, column: 'a', value: '1.125' },
        hint: expect.stringContaining('--schema evolve'),
      },
    )
  })

  it('a code with leading zeros does not fit numbers, and evolve would not help: the error says what does', async () => {
    const bench = await openBench()
    const files = [file(bench, '1.csv', 'zip\n10115\n'), file(bench, '2.csv', 'zip\n00742\n')]
    expect(await failure(load(bench.engine, files))).toMatchObject({
      message: 's3://bucket/2.csv, line 2, column "zip": its value is no bigint ("00742").',
      hint: 'The value is text: if all of the column is to be text, say --column zip=text (columns: {zip: text}). To load the other rows, use --on-bad-row reject.',
    })
    await load(bench.engine, files, { columnTypes: { zip: text } })
    expect(await texts(bench.engine)).toEqual([['10115'], ['00742']])
  })

  it('another type names object, line, column, value and both types', async () => {
    const bench = await openBench()
    const files = ['1', '2', '3'].map((n) =>
      file(bench, `${n}.csv`, `id,n\n1,5\n2,${n === '2' ? 'many' : '6'}\n`),
    )
    const error = await failure(load(bench.engine, files))
    expect(error).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/2.csv', line: 3, column: 'n', value: 'many' },
      hint: expect.stringMatching(/^The value is text: .* --column n=text /),
    })
    expect(error.message).toMatch(/bigint/)
    expect(await bench.engine.tables()).toEqual([])
  })

  it.each<[string, string, string]>([
    ['a missing column', 'a\n1\n', 'b'],
    ['a further column', 'a,b,c\n1,2,3\n', 'c'],
    ['another name', 'a,z\n1,2\n', 'b'],
  ])('%s names object and column', async (_name, content, column) => {
    const bench = await openBench()
    const error = await failure(
      load(bench.engine, [file(bench, '1.csv', 'a,b\n1,2\n'), file(bench, '2.csv', content)]),
    )
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/2.csv' } })
    expect(error.message).toContain(column)
    expect(error.hint).toMatch(/evolve/)
  })

  it('holds against the table, in delta', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, '1.csv', 'a,b\n1,2\n')])
    expect(
      await failure(load(bench.engine, [file(bench, '2.csv', 'a,b\n1,x\n')], { mode: 'delta' })),
    ).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/2.csv', line: 2, column: 'b', value: 'x' },
    })
    await load(bench.engine, [file(bench, '3.csv', 'b,a\n4,3\n')], { mode: 'delta' })
    expect(await texts(bench.engine)).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('a column of nulls takes the type that a later file brings', async () => {
    const bench = await openBench()
    const { types } = await loadBatches(bench.engine, [
      [file(bench, '1.csv', 'a,b\n1,\n')],
      [file(bench, '2.csv', 'a,b\n2,\n')],
      [file(bench, '3.csv', 'a,b\n3,7\n')],
    ])
    expect(types).toEqual({ a: 'bigint', b: 'bigint' })
    expect(await texts(bench.engine)).toEqual([
      ['1', null],
      ['2', null],
      ['3', '7'],
    ])
  })
})

describe('evolve: columns are added and types widened without loss', () => {
  it.each<[string, string, string, string, string[]]>([
    ['bigint to decimal', '1', '2.5', 'decimal(20,1)', ['1.0', '2.5']],
    ['decimal to a longer scale', '1.5', '2.125', 'decimal(20,3)', ['1.500', '2.125']],
    [
      'date to timestamp',
      '2026-01-01',
      '2026-01-02 03:04:05',
      'timestamp',
      ['2026-01-01 00:00:00', '2026-01-02 03:04:05'],
    ],
  ])('%s', async (_name, first, second, type, values) => {
    const bench = await openBench()
    const files = [first, second].map((value, index) => file(bench, `${index}.csv`, `a\n${value}\n`))
    expect((await load(bench.engine, files, { schemaPolicy: 'evolve' })).types).toEqual({ a: type })
    expect(await texts(bench.engine)).toEqual(values.map((value) => [value]))
    // The same in a further load, against the table.
    await load(bench.engine, files.slice(0, 1), { table: 'u', schemaPolicy: 'evolve' })
    const delta = await load(bench.engine, files.slice(1), {
      table: 'u',
      mode: 'delta',
      schemaPolicy: 'evolve',
    })
    expect(delta.types).toEqual({ a: type })
    expect(await texts(bench.engine, 'u')).toEqual(values.map((value) => [value]))
  })

  it('adds columns; rows of files without them have null', async () => {
    const bench = await openBench()
    const { types } = await load(
      bench.engine,
      [
        file(bench, '1.csv', 'a,b\n1,x\n'),
        file(bench, '2.csv', 'c,a\n2.5,2\n'),
        file(bench, '3.csv', 'b\ny\n'),
      ],
      { schemaPolicy: 'evolve' },
    )
    expect(types).toEqual({ a: 'bigint', b: 'text', c: 'decimal(18,1)' })
    expect(await rows(bench.engine, 'SELECT a::VARCHAR, b, c::VARCHAR FROM t ORDER BY a NULLS LAST')).toEqual(
      [
        ['1', 'x', null],
        ['2', null, '2.5'],
        [null, 'y', null],
      ],
    )
  })

  it('refuses what would lose: a word in a bigint column', async () => {
    const bench = await openBench()
    const files = ['1', 'x'].map((value, index) => file(bench, `${index}.csv`, `a\n${value}\n`))
    expect(await failure(load(bench.engine, files, { schemaPolicy: 'evolve' }))).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/1.csv', line: 2, column: 'a', value: 'x' },
    })
  })
})

describe('freeze: the schema of the user', () => {
  it('holds for all files, the first one included', async () => {
    const bench = await openBench()
    const columnTypes = { b: text, a: bigint }
    const { types } = await load(bench.engine, [file(bench, '1.csv', 'a,b\n1,2\n')], {
      schemaPolicy: 'freeze',
      columnTypes,
    })
    expect(Object.entries(types)).toEqual([
      ['b', 'text'],
      ['a', 'bigint'],
    ])
    expect(
      await failure(
        load(bench.engine, [file(bench, '1.csv', 'a,b\n1,2\n1.5,2\n')], {
          schemaPolicy: 'freeze',
          columnTypes,
        }),
      ),
    ).toMatchObject({ kind: 'data', place: { line: 3, column: 'a', value: '1.5' } })
    expect(
      await failure(
        load(bench.engine, [file(bench, '1.csv', 'a,z\n1,2\n')], { schemaPolicy: 'freeze', columnTypes }),
      ),
    ).toMatchObject({ kind: 'data', place: { object: 's3://bucket/1.csv' } })
  })
})

describe('partitions and lineage', () => {
  it('partition columns are typed over all files', async () => {
    const bench = await openBench()
    const at = (key: string, year: string | null, region: string) =>
      file(bench, key, 'a\n1\n2\n', { constants: { year, region } })
    const { types } = await loadBatches(bench.engine, [
      [at('1.csv', '2025', 'eu'), at('2.csv', '2026', '01')],
      [at('3.csv', null, 'us')],
    ])
    expect(types).toEqual({ a: 'bigint', year: 'bigint', region: 'text' })
    expect(await rows(bench.engine, 'SELECT DISTINCT year::VARCHAR, region FROM t ORDER BY region')).toEqual([
      ['2026', '01'],
      ['2025', 'eu'],
      [null, 'us'],
    ])
  })

  it('a partition with the name of a column is an error', async () => {
    const bench = await openBench()
    const error = await failure(
      load(bench.engine, [file(bench, '1.csv', 'Year\n1\n', { constants: { year: '2025' } })]),
    )
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/1.csv' } })
  })

  it('lineage tells object, row and time, in the order of each file', async () => {
    const bench = await openBench()
    const at = (key: string, values: string[]) =>
      file(bench, key, `a\n${values.join('\n')}\n`, { modified: Date.UTC(2026, 4, 1, 12) })
    await load(bench.engine, [at("it's; a.csv", ['x', 'y']), at('b.csv', ['z', 'w'])], {
      lineage: ['_file', '_row', '_modified'],
    })
    expect(
      await rows(
        bench.engine,
        'SELECT a, _file, _row::INTEGER, epoch_ms(_modified)::VARCHAR FROM t ORDER BY ALL',
      ),
    ).toEqual(
      [
        ['w', 's3://bucket/b.csv', 2],
        ['x', "s3://bucket/it's; a.csv", 1],
        ['y', "s3://bucket/it's; a.csv", 2],
        ['z', 's3://bucket/b.csv', 1],
      ].map((row) => [...row, `${Date.UTC(2026, 4, 1, 12)}`]),
    )
  })

  it('a limit stops in the middle and says so', async () => {
    const bench = await openBench()
    const content = `a\n${Array.from({ length: 100 }, (_, index) => index).join('\n')}\n`
    const files = [1, 2, 3].map((n) => file(bench, `${n}.csv`, content))
    const { rowsLoaded, rowsRead } = await load(bench.engine, files, { limitRows: 150 })
    expect({ rowsLoaded, rowsRead }).toEqual({ rowsLoaded: 150, rowsRead: 150 })
    expect(await rows(bench.engine, 'SELECT count(*)::INTEGER FROM t')).toEqual([[150]])
  })
})

describe('merge', () => {
  it('the last row of the newest object wins, whatever the order of loading', async () => {
    const bench = await openBench()
    const at = (key: string, modified: number, content: string) => file(bench, key, content, { modified })
    await load(bench.engine, [at('0.csv', 0, 'id,v\n1,old\n9,kept\n')], { mode: 'merge', key: ['id'] })
    await load(
      bench.engine,
      [at('b.csv', 3000, 'id,v\n1,newest\n2,first\n2,second\n'), at('a.csv', 2000, 'id,v\n1,older\n3,x\n')],
      {
        mode: 'merge',
        key: ['id'],
      },
    )
    expect(await rows(bench.engine, 'SELECT id::VARCHAR, v FROM t ORDER BY id')).toEqual([
      ['1', 'newest'],
      ['2', 'second'],
      ['3', 'x'],
      ['9', 'kept'],
    ])
  })
})
