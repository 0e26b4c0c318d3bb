import type { BeginLoadOptions, FileEntry, StagedFile, TableEngine } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { type Bench, failure, file, load, openBench, rows } from '../../test/support.ts'

const ledger = (engine: TableEngine) =>
  rows(engine, 'SELECT key, version, rows, current FROM _penstock.ledger ORDER BY key, loaded_at, version')

/** Compares a listing, loads files and commits, as a run does. */
const loadListed = async (
  engine: TableEngine,
  listed: readonly FileEntry[],
  files: readonly StagedFile[],
  options: Partial<BeginLoadOptions>,
) => {
  const { signal } = new AbortController()
  const transaction = await engine.begin({ runId: 'listed', signal })
  try {
    await transaction.compare('t', pages([listed]))
    const tableLoad = await transaction.load({
      table: 't',
      mode: 'delta',
      schemaPolicy: 'strict',
      onBadRow: 'fail',
      ...options,
    })
    if (files.length > 0) await tableLoad.addFiles(files, { signal })
    const result = await tableLoad.finish()
    await transaction.commit({
      runId: 'listed',
      command: 'test',
      connector: 'test',
      status: 'succeeded',
      startedAt: '2026-01-01T00:00:00Z',
      tables: [],
    })
    return result
  } finally {
    await transaction.rollback()
  }
}

async function* pages<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}

/** Another version of the same object. */
const again = (bench: Bench, key: string, content: string, modified?: number) =>
  file(bench, key, content, modified === undefined ? {} : { modified })

describe('full', () => {
  test('replaces rows, columns and ledger', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,old\n1,x\n2,y\n')])
    const result = await load(bench.engine, [file(bench, 'b.csv', 'id,new\n3,z\n')])
    expect(result).toMatchObject({ rowsRead: 1, rowsLoaded: 1, rowsRejected: 0, rowsDeleted: 2 })
    expect(await rows(bench.engine, 'SELECT id, new FROM t')).toEqual([[3, 'z']])
    expect((await ledger(bench.engine)).map(([key, , count]) => [key, count])).toEqual([['b.csv', 1]])
    expect(await bench.engine.tables()).toEqual(['t'])
  })

  test('a failed load leaves rows and ledger as they were', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')])
    const before = await ledger(bench.engine)
    await failure(load(bench.engine, [file(bench, 'b.csv', 'id\n2\n'), file(bench, 'c.csv', 'id\nx\n')]))
    expect(await rows(bench.engine, 'SELECT id FROM t')).toEqual([[1]])
    expect(await ledger(bench.engine)).toEqual(before)
    expect(await bench.engine.tables()).toEqual(['t'])
  })

  test('no object at all empties the table and keeps its columns', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')])
    expect(await load(bench.engine, [])).toMatchObject({ rowsLoaded: 0, rowsDeleted: 1 })
    expect(await rows(bench.engine, 'FROM t')).toEqual([])
    expect(await ledger(bench.engine)).toEqual([])
    expect((await bench.engine.describe('t'))?.columns.map(({ name }) => name)).toEqual(['id'])
  })

  test('no object and no table: no table', async () => {
    const bench = await openBench()
    expect(await load(bench.engine, [])).toMatchObject({ rowsLoaded: 0, schema: { columns: [] } })
    expect(await bench.engine.tables()).toEqual([])
  })

  test('rejects of a former load go with its rows', async () => {
    const bench = await openBench()
    const options = {
      onBadRow: 'reject',
      columnTypes: { id: { type: 'int', bits: 64, signed: true } },
    } as const
    const first = await load(bench.engine, [file(bench, 'a.csv', 'id\n1\nx\n')], options)
    expect(first).toMatchObject({ rowsRead: 2, rowsLoaded: 1, rowsRejected: 1, rejectTable: 't__rejects' })
    expect(
      await rows(bench.engine, "SELECT run_id <> '', object, line, column_name FROM t__rejects"),
    ).toEqual([[true, 's3://bucket/a.csv', 3, 'id']])
    const second = await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')], options)
    expect(second.rejectTable).toBeUndefined()
    expect(await rows(bench.engine, 'FROM t__rejects')).toEqual([])
  })
})

describe('delta', () => {
  test('appends by name and counts every object version once', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,name\n1,x\n')], { mode: 'delta' })
    const second = file(bench, 'b.csv', 'name,id\ny,2\n')
    await load(bench.engine, [second], { mode: 'delta' })
    expect(await rows(bench.engine, 'SELECT id, name FROM t ORDER BY id')).toEqual([
      [1, 'x'],
      [2, 'y'],
    ])
    expect(await failure(load(bench.engine, [second], { mode: 'delta' }))).toMatchObject({
      kind: 'conflict',
      code: 'LoadedTwice',
      place: { object: 's3://bucket/b.csv' },
    })
    expect(await rows(bench.engine, 'SELECT count(*) FROM t')).toEqual([[2]])
  })

  test('evolve adds columns and widens types of the existing table', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,amount,day\n1,10,2026-01-01\n')], { mode: 'delta' })
    const result = await load(
      bench.engine,
      [file(bench, 'b.csv', 'id,amount,day,note\n2,1.25,2026-01-02 03:04:05,hello\n')],
      { mode: 'delta', schemaPolicy: 'evolve' },
    )
    expect(result.types).toMatchObject({ day: 'timestamp', note: 'text' })
    expect(result.types.amount).toMatch(/^decimal\(\d+,2\)$/)
    expect(await rows(bench.engine, 'SELECT id, amount, day, note FROM t ORDER BY id')).toEqual([
      [1, '10.00', '2026-01-01T00:00:00', null],
      [2, '1.25', '2026-01-02T03:04:05', 'hello'],
    ])
  })

  test('a changed object that is appended leaves both versions in the ledger, the last one current', async () => {
    const bench = await openBench()
    await load(bench.engine, [again(bench, 'a.csv', 'id\n1\n')], { mode: 'delta' })
    await load(bench.engine, [again(bench, 'a.csv', 'id\n1\n2\n')], { mode: 'delta' })
    expect((await ledger(bench.engine)).map(([key, , count, current]) => [key, count, current])).toEqual([
      ['a.csv', 1, false],
      ['a.csv', 2, true],
    ])
    expect(await rows(bench.engine, 'SELECT count(*) FROM t')).toEqual([[3]])
  })

  test('replaceChanged takes the rows of the former version away, removeDeleted those of gone objects', async () => {
    const bench = await openBench()
    const options = { mode: 'delta', lineage: ['_file'] } as const
    const [a, b, c] = ['a.csv', 'b.csv', 'c.csv'].map((key, index) => file(bench, key, `id\n${index + 1}\n`))
    if (!a || !b || !c) throw new Error('unreachable')
    await load(bench.engine, [a, b, c], options)
    const changed = again(bench, 'b.csv', 'id\n20\n21\n')
    const result = await loadListed(bench.engine, [a.entry, changed.entry], [changed], {
      ...options,
      replaceChanged: true,
      removeDeleted: true,
    })
    expect(result).toMatchObject({ rowsLoaded: 2, rowsDeleted: 2 })
    expect(await rows(bench.engine, 'SELECT id FROM t ORDER BY id')).toEqual([[1], [20], [21]])
    expect((await ledger(bench.engine)).map(([key, , count]) => [key, count])).toEqual([
      ['a.csv', 1],
      ['b.csv', 2],
    ])
    const back = await loadListed(bench.engine, [a.entry], [], { ...options, removeDeleted: true })
    expect(back).toMatchObject({ rowsLoaded: 0, rowsDeleted: 2 })
    expect(await rows(bench.engine, 'SELECT id FROM t')).toEqual([[1]])
  })

  test('without the column _file nothing can be replaced, and it is said before anything is read', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')], { mode: 'delta' })
    const options = { mode: 'delta', replaceChanged: true, lineage: ['_file'] } as const
    expect(await failure(loadListed(bench.engine, [], [], options))).toMatchObject({
      kind: 'config',
      code: 'NoFileColumn',
    })
    expect(
      await failure(loadListed(bench.engine, [], [], { mode: 'delta', removeDeleted: true })),
    ).toMatchObject({ kind: 'config', code: 'NoFileColumn' })
  })

  test('rows from before the column _file are not left behind in silence', async () => {
    const bench = await openBench()
    const first = file(bench, 'a.csv', 'id\n1\n')
    await load(bench.engine, [first], { mode: 'delta' })
    const lineage = { mode: 'delta', lineage: ['_file'] } as const
    await load(bench.engine, [file(bench, 'b.csv', 'id\n2\n')], { ...lineage, schemaPolicy: 'evolve' })
    const changed = again(bench, 'a.csv', 'id\n10\n')
    expect(
      await failure(
        loadListed(bench.engine, [changed.entry], [changed], { ...lineage, replaceChanged: true }),
      ),
    ).toMatchObject({ kind: 'config', code: 'NoFileColumn' })
    expect(await rows(bench.engine, 'SELECT id FROM t ORDER BY id')).toEqual([[1], [2]])
  })
})

describe('merge', () => {
  const merge = { mode: 'merge', key: ['id'] } as const

  test('upserts: rows before + rows loaded - rows deleted = rows after', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,v\n1,a\n2,b\n')], merge)
    const result = await load(bench.engine, [file(bench, 'b.csv', 'id,v\n2,B\n3,c\n')], merge)
    expect(result).toMatchObject({ rowsRead: 2, rowsLoaded: 2, rowsDeleted: 1 })
    expect(await rows(bench.engine, 'FROM t ORDER BY id')).toEqual([
      [1, 'a'],
      [2, 'B'],
      [3, 'c'],
    ])
  })

  test('the newest object wins, whatever the order of the keys, and in it the last row', async () => {
    const bench = await openBench()
    const result = await load(
      bench.engine,
      [
        file(bench, 'a.csv', 'id,v\n1,newer\n2,first\n2,last\n', { modified: 2_000 }),
        file(bench, 'b.csv', 'id,v\n1,older\n', { modified: 1_000 }),
      ],
      merge,
    )
    expect(result).toMatchObject({ rowsRead: 4, rowsLoaded: 4, rowsDeleted: 2 })
    expect(await rows(bench.engine, 'FROM t ORDER BY id')).toEqual([
      [1, 'newer'],
      [2, 'last'],
    ])
  })

  test('the last row wins in a file of many row groups', async () => {
    const bench = await openBench()
    const count = 400_000
    const lines = Array.from({ length: count }, (_, line) => `${line % 1_000},${line}`)
    await load(bench.engine, [file(bench, 'a.csv', `id,line\n${lines.join('\n')}\n`)], merge)
    expect(await rows(bench.engine, 'SELECT count(*), min(line), max(line) FROM t')).toEqual([
      [1_000, count - 1_000, count - 1],
    ])
  })

  test('several key columns, of any name', async () => {
    const bench = await openBench()
    const key = ['se"lect', 'order']
    const text = (value: string) => `"se""lect",order,v\n1,a,${value}\n1,b,${value}\n`
    await load(bench.engine, [file(bench, 'a.csv', text('old'))], { mode: 'merge', key })
    await load(bench.engine, [file(bench, 'b.csv', '"se""lect",order,v\n1,b,new\n')], { mode: 'merge', key })
    expect(await rows(bench.engine, 'FROM t ORDER BY "order"')).toEqual([
      [1, 'a', 'old'],
      [1, 'b', 'new'],
    ])
  })

  test('a null key is a data error that names the object and the column', async () => {
    const bench = await openBench()
    expect(await failure(load(bench.engine, [file(bench, 'a.csv', 'id,v\n1,a\n,b\n')], merge))).toMatchObject(
      {
        kind: 'data',
        code: 'NullKey',
        place: { column: 'id', object: 's3://bucket/a.csv' },
      },
    )
  })

  test('a key that is no column, or none at all', async () => {
    const bench = await openBench()
    const files = [file(bench, 'a.csv', 'id\n1\n')]
    expect(await failure(load(bench.engine, files, { mode: 'merge', key: ['nope'] }))).toMatchObject({
      kind: 'config',
      hint: 'Columns: id.',
    })
    expect(await failure(load(bench.engine, files, { mode: 'merge' }))).toMatchObject({ kind: 'config' })
  })

  test('loading the same objects again changes nothing', async () => {
    const bench = await openBench()
    const files = [file(bench, 'a.csv', 'id,v\n1,a\n2,b\n')]
    await load(bench.engine, files, merge)
    const before = await ledger(bench.engine)
    expect(await load(bench.engine, files, merge)).toMatchObject({ rowsLoaded: 2, rowsDeleted: 2 })
    expect(await rows(bench.engine, 'SELECT count(*) FROM t')).toEqual([[2]])
    expect(await ledger(bench.engine)).toEqual(before)
  })
})
