import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, onTestFinished, test } from 'vitest'
import { type Bench, failure, file, load, rows } from '../../test/support.ts'
import { duckdb } from '../index.ts'

/** A database file on which users work with another tool between the loads. */
const openShared = () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-belongings-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'w.duckdb')
  const withEngine = async <Result>(use: (bench: Bench) => Promise<Result>): Promise<Result> => {
    const engine = await duckdb(path)
    try {
      return await use({ folder, engine })
    } finally {
      await engine.close()
    }
  }
  const asUser = async (...statements: string[]) => {
    const instance = await DuckDBInstance.create(path)
    const connection = await instance.connect()
    try {
      for (const statement of statements) await connection.run(statement)
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  }
  return { withEngine, asUser }
}

const csv = (bench: Bench, key: string, content: string, options = {}) =>
  load(bench.engine, [file(bench, key, content)], options)

test('a full load makes indexes and comments again, and views go on', async () => {
  const { withEngine, asUser } = openShared()
  await withEngine((bench) => csv(bench, 'a.csv', 'id,name\n1,x\n'))
  await asUser(
    'CREATE UNIQUE INDEX "my index" ON t (id)',
    "COMMENT ON TABLE t IS 'what it''s for'",
    "COMMENT ON COLUMN t.name IS 'full name'",
    'CREATE VIEW v AS SELECT name FROM t',
  )
  await withEngine(async (bench) => {
    await csv(bench, 'b.csv', 'id,name\n2,y\n3,z\n')
    expect(await rows(bench.engine, 'FROM v ORDER BY 1')).toEqual([['y'], ['z']])
    expect(await rows(bench.engine, 'SELECT index_name, is_unique FROM duckdb_indexes()')).toEqual([
      ['my index', true],
    ])
    expect(await rows(bench.engine, "SELECT comment FROM duckdb_tables() WHERE table_name = 't'")).toEqual([
      ["what it's for"],
    ])
    expect(
      await rows(
        bench.engine,
        "SELECT comment FROM duckdb_columns() WHERE column_name = 'name' AND table_name = 't'",
      ),
    ).toEqual([['full name']])
    expect(await failure(csv(bench, 'c.csv', 'id,name\n4,a\n4,b\n'))).toMatchObject({
      kind: 'data',
      code: 'Constraint',
    })
    expect(await rows(bench.engine, 'SELECT count(*) FROM t')).toEqual([[2]])
  })
})

test('evolve widens an indexed column', async () => {
  const { withEngine, asUser } = openShared()
  await withEngine((bench) => csv(bench, 'a.csv', 'id,amount\n1,10\n', { mode: 'delta' }))
  await asUser('CREATE INDEX by_id ON t (id)', 'CREATE INDEX by_amount ON t (amount)')
  await withEngine(async (bench) => {
    await csv(bench, 'b.csv', 'id,amount,note\n2,1.5,hello\n', { mode: 'delta', schemaPolicy: 'evolve' })
    expect(await rows(bench.engine, 'SELECT id, amount::VARCHAR, note FROM t ORDER BY id')).toEqual([
      [1, '10.0', null],
      [2, '1.5', 'hello'],
    ])
    expect(await rows(bench.engine, 'SELECT index_name FROM duckdb_indexes() ORDER BY 1')).toEqual([
      ['by_amount'],
      ['by_id'],
    ])
  })
})

test('a table with constraints is filled, not replaced', async () => {
  const { withEngine, asUser } = openShared()
  await asUser(
    "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR NOT NULL, made DATE DEFAULT '2026-01-01')",
  )
  await withEngine(async (bench) => {
    await csv(bench, 'a.csv', 'id,name\n1,x\n')
    await csv(bench, 'b.csv', 'id,name\n1,y\n2,z\n')
    expect(await rows(bench.engine, 'FROM t ORDER BY id')).toEqual([
      [1, 'y', '2026-01-01'],
      [2, 'z', '2026-01-01'],
    ])
    expect(await failure(csv(bench, 'c.csv', 'id,name\n1,x\n1,y\n'))).toMatchObject({
      kind: 'data',
      code: 'Constraint',
    })
    expect(await failure(csv(bench, 'd.csv', 'id,name,more\n1,x,y\n'))).toMatchObject({
      kind: 'conflict',
      code: 'ConstrainedTable',
      place: { column: 'more' },
    })
    await csv(bench, 'e.csv', 'id,name\n2,Z\n3,n\n', { mode: 'merge', key: ['id'], schemaPolicy: 'evolve' })
    expect(await rows(bench.engine, 'SELECT id, name FROM t ORDER BY id')).toEqual([
      [1, 'y'],
      [2, 'Z'],
      [3, 'n'],
    ])
  })
})

test('a view of that name is not touched', async () => {
  const { withEngine, asUser } = openShared()
  await asUser('CREATE VIEW T AS SELECT 42 AS id')
  await withEngine(async (bench) => {
    expect(await failure(csv(bench, 'a.csv', 'id\n1\n'))).toMatchObject({
      kind: 'conflict',
      code: 'TargetIsView',
    })
    expect(await rows(bench.engine, 'FROM t')).toEqual([[42]])
  })
})

test('a table that a foreign key needs is refused, not broken', async () => {
  const { withEngine, asUser } = openShared()
  await asUser(
    'CREATE TABLE t (id BIGINT PRIMARY KEY)',
    'INSERT INTO t VALUES (1)',
    'CREATE TABLE child (t_id BIGINT REFERENCES t (id))',
    'INSERT INTO child VALUES (1)',
  )
  await withEngine(async (bench) => {
    expect(await failure(csv(bench, 'a.csv', 'id\n2\n'))).toMatchObject({ kind: 'data', code: 'Constraint' })
    expect(await rows(bench.engine, 'FROM t')).toEqual([[1]])
  })
})

test('a table that somebody dropped or emptied by hand', async () => {
  const { withEngine, asUser } = openShared()
  await withEngine(async (bench) => {
    await csv(bench, 'a.csv', 'id\n1\n', { mode: 'delta' })
    await csv(bench, 'a.csv', 'id\n1\n', { mode: 'delta', table: 'other' })
  })
  await asUser('DROP TABLE t')
  await withEngine(async (bench) => {
    await csv(bench, 'b.csv', 'id\n2\n', { mode: 'delta' })
    expect(await rows(bench.engine, 'FROM t')).toEqual([[2]])
    expect(await rows(bench.engine, 'SELECT table_name, key FROM _penstock.ledger ORDER BY 1')).toEqual([
      ['other', 'a.csv'],
      ['t', 'b.csv'],
    ])
  })
})

test('a table of the reject table’s name with other columns is not written to', async () => {
  const { withEngine, asUser } = openShared()
  await asUser('CREATE TABLE t__rejects (mine INTEGER)')
  await withEngine(async (bench) => {
    const options = { onBadRow: 'reject', columnTypes: { id: { type: 'int', bits: 64, signed: true } } }
    expect(await failure(csv(bench, 'a.csv', 'id\n1\nx\n', options))).toMatchObject({
      kind: 'conflict',
      code: 'RejectTable',
    })
    expect(await csv(bench, 'a.csv', 'id\n1\n', options)).toMatchObject({ rowsLoaded: 1 })
    expect(await bench.engine.tables()).toEqual(['t', 't__rejects'])
  })
})
