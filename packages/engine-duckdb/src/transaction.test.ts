import type { BeginLoadOptions, EngineTransaction, RunRecord, TableEngine } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { type Bench, failure, file, load, openBench, rows } from '../test/support.ts'

const { signal } = new AbortController()
const options: BeginLoadOptions = { table: 't', mode: 'delta', schemaPolicy: 'strict', onBadRow: 'fail' }

const record = (runId: string, more: Partial<RunRecord> = {}): RunRecord => ({
  runId,
  command: 'extract',
  connector: 'test',
  status: 'succeeded',
  startedAt: `2026-01-01T00:00:0${runId.length % 10}Z`,
  tables: [],
  ...more,
})

/** Loads one small file and stops before the commit. */
const loadOne = async (
  bench: Bench,
  transaction: EngineTransaction,
  key: string,
  more: Partial<BeginLoadOptions> = {},
) => {
  const tableLoad = await transaction.load({ ...options, ...more })
  await tableLoad.addFiles([file(bench, key, 'id\n1\n')], { signal })
  return tableLoad.finish()
}

const begin = (engine: TableEngine, runId = 'r') => engine.begin({ runId, signal })

describe('visibility', () => {
  test('nothing is seen before the commit, all of it after', async () => {
    const bench = await openBench()
    const transaction = await begin(bench.engine)
    await loadOne(bench, transaction, 'a.csv')
    await transaction.saveCursor('t', '"2026"')
    expect(await bench.engine.tables()).toEqual([])
    expect(await bench.engine.describe('t')).toBeUndefined()
    expect(await bench.engine.runs()).toEqual([])
    await transaction.commit(record('r'))
    expect(await bench.engine.tables()).toEqual(['t'])
    expect(await bench.engine.runs()).toEqual([record('r')])
    const next = await begin(bench.engine)
    expect(await next.cursor('T')).toBe('"2026"')
    expect(await next.cursor('other')).toBeUndefined()
    await next.rollback()
  })

  test('a reader sees the old table while another is loaded', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id,v\n1,x\n')])
    const transaction = await begin(bench.engine)
    await loadOne(bench, transaction, 'b.csv', { mode: 'full' })
    expect(await rows(bench.engine, 'SELECT id, v FROM t')).toEqual([[1, 'x']])
    await transaction.commit(record('r'))
    expect(await rows(bench.engine, 'FROM t')).toEqual([[1]])
  })

  test('rollback leaves nothing, and can be called at any time', async () => {
    const bench = await openBench()
    const transaction = await begin(bench.engine)
    await loadOne(bench, transaction, 'a.csv')
    await transaction.rollback()
    await transaction.rollback()
    expect(await bench.engine.tables()).toEqual([])
    expect(await rows(bench.engine, 'SELECT count(*) FROM _penstock.ledger')).toEqual([[0]])
    expect(await failure(transaction.cursor('t'))).toMatchObject({ kind: 'internal' })
    const committed = await begin(bench.engine)
    await committed.commit(record('r'))
    await committed.rollback()
    expect(await bench.engine.runs()).toHaveLength(1)
    expect(await failure(committed.commit(record('r')))).toMatchObject({ kind: 'internal' })
  })

  test('a load that is not finished is not committed', async () => {
    const bench = await openBench()
    const transaction = await begin(bench.engine)
    const tableLoad = await transaction.load(options)
    await tableLoad.addFiles([file(bench, 'a.csv', 'id\n1\n')], { signal })
    expect(await failure(transaction.commit(record('r')))).toMatchObject({ kind: 'internal' })
    await tableLoad.finish()
    expect(await failure(tableLoad.finish())).toMatchObject({ kind: 'internal' })
    await transaction.commit(record('r'))
    expect(await bench.engine.tables()).toEqual(['t'])
  })

  test('several tables in one transaction', async () => {
    const bench = await openBench()
    const transaction = await begin(bench.engine)
    await loadOne(bench, transaction, 'a.csv', { table: 'one' })
    await loadOne(bench, transaction, 'a.csv', { table: 'two' })
    await transaction.commit(record('r'))
    expect(await bench.engine.tables()).toEqual(['one', 'two'])
  })
})

describe('two writers', () => {
  test('of one new table: the second to commit is refused, and its rows are not doubled', async () => {
    const bench = await openBench()
    const [first, second] = [await begin(bench.engine, 'first'), await begin(bench.engine, 'second')]
    await loadOne(bench, first, 'a.csv')
    const late = (async () => {
      await loadOne(bench, second, 'a.csv')
      await first.commit(record('first'))
      await second.commit(record('second'))
    })()
    expect(await failure(late)).toMatchObject({ kind: 'conflict' })
    await second.rollback()
    await first.commit(record('first')).catch(() => {})
    expect(await rows(bench.engine, 'SELECT count(*) FROM t')).toEqual([[1]])
  })

  test('of one existing table: the second is refused when it begins to load', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')], { mode: 'delta' })
    const [first, second] = [await begin(bench.engine, 'first'), await begin(bench.engine, 'second')]
    await loadOne(bench, first, 'b.csv')
    expect(await failure(second.load(options))).toMatchObject({
      kind: 'conflict',
      code: 'ConcurrentWrite',
      place: { table: 't' },
    })
    await first.commit(record('first'))
    await second.rollback()
  })

  test('a comparison that is out of date can not be loaded from', async () => {
    const bench = await openBench()
    const object = file(bench, 'b.csv', 'id\n1\n')
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')], { mode: 'delta' })
    const late = await begin(bench.engine, 'late')
    const comparison = await late.compare(
      't',
      (async function* () {
        yield [object.entry]
      })(),
    )
    expect(comparison.added.objects).toBe(1)
    await load(bench.engine, [object], { mode: 'delta' })
    expect(await failure(late.load(options))).toMatchObject({ kind: 'conflict' })
    await late.rollback()
  })

  test('of different tables: both commit', async () => {
    const bench = await openBench()
    const [first, second] = [await begin(bench.engine, 'first'), await begin(bench.engine, 'second')]
    await Promise.all([
      loadOne(bench, first, 'a.csv', { table: 'one' }),
      loadOne(bench, second, 'a.csv', { table: 'two' }),
    ])
    await first.commit(record('first'))
    await second.commit(record('second'))
    expect(await bench.engine.tables()).toEqual(['one', 'two'])
    expect(await bench.engine.runs()).toHaveLength(2)
  })
})

describe('cancellation', () => {
  test('an abort ends a load and leaves nothing', async () => {
    const bench = await openBench()
    const controller = new AbortController()
    const transaction = await bench.engine.begin({ runId: 'r', signal: controller.signal })
    const tableLoad = await transaction.load(options)
    const lines = Array.from({ length: 300_000 }, (_, line) => `${line},${'x'.repeat(40)}`)
    const big = file(bench, 'a.csv', `id,text\n${lines.join('\n')}\n`)
    const loading = tableLoad.addFiles([big], { signal: controller.signal })
    setImmediate(() => controller.abort())
    expect(await failure(loading)).toMatchObject({ kind: 'cancelled' })
    expect(await failure(tableLoad.finish())).toMatchObject({ kind: 'cancelled' })
    expect(await failure(transaction.commit(record('r')))).toMatchObject({ kind: 'cancelled' })
    await transaction.rollback()
    expect(await bench.engine.tables()).toEqual([])
  })

  test('an abort with a reason of its own stays that reason', async () => {
    const bench = await openBench()
    const controller = new AbortController()
    const transaction = await bench.engine.begin({ runId: 'r', signal: controller.signal })
    const reason = await failure(bench.engine.query('nonsense'))
    controller.abort(reason)
    expect(await failure(transaction.load(options))).toBe(reason)
    await transaction.rollback()
  })

  test('a rollback ends a comparison whose listing never ends', async () => {
    const bench = await openBench()
    const transaction = await begin(bench.engine)
    const comparing = failure(
      transaction.compare(
        't',
        (async function* () {
          yield []
          await new Promise(() => {})
        })(),
      ),
    )
    await transaction.rollback()
    expect(await comparing).toMatchObject({ kind: 'cancelled' })
  })
})

describe('runs', () => {
  test('newest first; the last record of a run counts', async () => {
    const bench = await openBench()
    const early = record('early', { startedAt: '2026-01-01T00:00:00Z', status: 'failed' })
    const late = record('late', { startedAt: '2026-01-02T00:00:00Z' })
    await bench.engine.recordRun(early)
    await bench.engine.recordRun({ ...late, status: 'running' })
    await bench.engine.recordRun(late)
    expect(await bench.engine.runs()).toEqual([late, early])
    expect(await bench.engine.runs({ limit: 1 })).toEqual([late])
    expect(await bench.engine.runs({ runId: "early'" })).toEqual([])
    expect(await bench.engine.runs({ runId: 'early' })).toEqual([early])
  })
})

describe('names', () => {
  const names = ['select', 'a"b', "it's", 'schema.table', 'Zoë 🦆', 'a; DROP TABLE t; --', 'x'.repeat(300)]

  test.each(names)('table and columns called %s', async (name) => {
    const bench = await openBench()
    const header = `"${name.replaceAll('"', '""')}"`
    for (const mode of ['full', 'delta', 'merge'] as const) {
      const content = `${header},other\n${mode.length},x\n`
      await load(bench.engine, [file(bench, `${mode}.csv`, content)], { table: name, mode, key: [name] })
    }
    const quoted = `"${name.replaceAll('"', '""')}"`
    expect(await rows(bench.engine, `SELECT ${quoted}, other FROM ${quoted} ORDER BY 1`)).toEqual([
      [4, 'x'],
      [5, 'x'],
    ])
    expect(await bench.engine.tables()).toEqual([name])
    expect(await rows(bench.engine, 'SELECT DISTINCT table_name FROM _penstock.ledger')).toHaveLength(1)
  })

  test('names differ by ASCII case alone: one table', async () => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, 'a.csv', 'id\n1\n')], { table: 'Orders', mode: 'delta' })
    await load(bench.engine, [file(bench, 'b.csv', 'ID\n2\n')], { table: 'ORDERS', mode: 'delta' })
    expect(await bench.engine.tables()).toEqual(['Orders'])
    expect(await rows(bench.engine, 'SELECT id FROM orders ORDER BY 1')).toEqual([[1], [2]])
  })

  test.each(['', ' ', 'a\0b'])('a table called %j is refused', async (table) => {
    const bench = await openBench()
    const transaction = await begin(bench.engine)
    expect(await failure(transaction.load({ ...options, table }))).toMatchObject({ kind: 'config' })
    await transaction.rollback()
  })
})
