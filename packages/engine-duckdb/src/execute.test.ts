import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunRecord, TableEngine } from '@penstock/core'
import { afterEach, describe, expect, test } from 'vitest'
import { failure, openBench, rows } from '../test/support.ts'
import { duckdb } from './duckdb.ts'

const record = (runId: string): RunRecord => ({
  runId,
  command: 'run',
  connector: 'sql',
  status: 'succeeded',
  startedAt: '2026-01-01T00:00:00Z',
  tables: [],
})

const execute = async (
  engine: TableEngine,
  sql: string,
  options: { maxRows?: number; signal?: AbortSignal } = {},
) => {
  const signal = options.signal ?? new AbortController().signal
  const transaction = await engine.begin({ runId: 'r1', signal })
  try {
    const results = await transaction.execute(sql, { maxRows: options.maxRows ?? 0 })
    await transaction.commit(record('r1'))
    return results
  } finally {
    await transaction.rollback()
  }
}

describe('execute', () => {
  test('runs statements in order and tells what each did', async () => {
    const { engine } = await openBench()
    const results = await execute(
      engine,
      `CREATE TABLE t AS SELECT range AS n FROM range(10); -- and then
       DELETE FROM t WHERE n > 7; INSERT INTO t VALUES (100); SELECT n FROM t ORDER BY n DESC`,
      { maxRows: 2 },
    )
    expect(results.map(({ rowsChanged }) => rowsChanged)).toEqual([0, 2, 1, 0])
    expect(results.at(-1)).toMatchObject({ columns: [{ name: 'n' }], rows: [[100], [7]] })
    expect(await rows(engine, 'SELECT count(*) FROM t')).toEqual([[9]])
  })

  test('keeps all or nothing, with the record of the run', async () => {
    const { engine } = await openBench()
    const error = await failure(
      execute(engine, 'CREATE TABLE t AS SELECT 1 AS n; INSERT INTO t VALUES (1, 2)'),
    )
    expect(error).toMatchObject({ kind: 'config', code: 'InvalidSql' })
    expect(await engine.tables()).toEqual([])
    expect(await engine.runs()).toEqual([])
    await execute(engine, 'CREATE TABLE t AS SELECT 1 AS n')
    expect((await engine.runs({ runId: 'r1' })).map(({ status }) => status)).toEqual(['succeeded'])
  })

  test('a SELECT that fails on its way is an error, and nothing stays', async () => {
    const { engine } = await openBench()
    const sql = `CREATE TABLE t AS SELECT 1 AS n;
      SELECT CASE WHEN range < 1000000 THEN range ELSE error('stop here') END FROM range(1000001)`
    expect((await failure(execute(engine, sql))).message).toBeTruthy()
    expect(await engine.tables()).toEqual([])
  })

  test.each([
    'COMMIT',
    'BEGIN',
    "ATTACH ':memory:' AS other",
    'SET threads = 1',
    "COPY (SELECT 1) TO 'out.csv'",
    'LOAD json',
    "PRAGMA memory_limit = '1GB'",
    'CHECKPOINT',
    'EXPLAIN SELECT 1',
  ])('%s is refused', async (sql) => {
    const { engine } = await openBench()
    expect(await failure(execute(engine, `CREATE TABLE t AS SELECT 1; ${sql}`))).toMatchObject({
      kind: 'config',
    })
    expect(await engine.tables()).toEqual([])
  })

  test('an empty text is refused', async () => {
    const { engine } = await openBench()
    expect(await failure(execute(engine, ' -- nothing '))).toMatchObject({ code: 'InvalidSql' })
  })

  test('ends when the signal is aborted', async () => {
    const { engine } = await openBench()
    const controller = new AbortController()
    const running = failure(
      execute(engine, 'CREATE TABLE t AS SELECT count(*) FROM range(100000000000)', {
        signal: controller.signal,
      }),
    )
    setTimeout(() => controller.abort(), 20)
    expect(await running).toMatchObject({ kind: 'cancelled' })
    expect(await engine.tables()).toEqual([])
  })
})

describe('a contained engine', () => {
  let engine: TableEngine | undefined
  afterEach(() => engine?.close())

  test('reads its own database and nothing else', async () => {
    const { folder } = await openBench()
    const path = join(folder, 'secret.csv')
    writeFileSync(path, 'a\n1\n')
    engine = await duckdb(join(folder, 'contained.duckdb'), { contained: true })
    await execute(engine, 'CREATE TABLE t AS SELECT 1 AS n')
    for (const sql of [
      `SELECT * FROM read_csv('${path}')`,
      `CREATE TABLE u AS FROM read_text('${path}')`,
      `SELECT * FROM glob('${folder}/*')`,
      `SELECT * FROM '${path}'`,
    ]) {
      const error = await failure(execute(engine, sql, { maxRows: 10 }))
      expect(['Contained', 'InvalidSql']).toContain(error.code)
    }
    expect(await engine.tables()).toEqual(['t'])
  })
})
