import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import {
  ask,
  fileTable,
  memoryFile,
  mountOf,
  openEngine,
  openWriter,
  temporaryFolder,
} from './mount-support.ts'

const open = async (path?: string) => {
  const writer = await openWriter()
  const select = 'SELECT i AS id FROM range(10) t(i)'
  const file = memoryFile('s3://lake/a.parquet', await writer.parquet(select))
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(select), [{ file }]) })]
  return { engine: await openEngine(path), mounts }
}

describe('SQL over mounted tables reaches nothing else', () => {
  const outside = join(temporaryFolder(), 'out')
  it.each([
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "FROM '/etc/passwd'",
    "FROM '/tmp/x.parquet'",
    "SELECT * FROM sales.orders WHERE id IN (SELECT length(content) FROM read_text('/etc/passwd'))",
    "WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x, sales.orders",
    "SELECT (SELECT content FROM read_text('/etc/passwd')) FROM sales.orders",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT * FROM query_table('sales.orders')",
    "SELECT getenv('HOME') FROM sales.orders",
    `COPY sales.orders TO '${outside}'`,
    `COPY (SELECT * FROM sales.orders) TO '${outside}'`,
    `ATTACH '${outside}'`,
    "ATTACH 'https://example.com/x.duckdb'",
    "SELECT * FROM read_csv('https://example.com/x.csv')",
    'INSTALL httpfs',
    'LOAD httpfs',
    'PRAGMA database_list',
    "PRAGMA enable_profiling='json'",
    'SET threads = 1',
    'SET enable_external_access = true',
    'RESET ALL',
    'CALL force_checkpoint()',
    'SELECT * FROM force_checkpoint()',
    "SELECT * FROM enable_logging('QueryLog')",
    'SELECT * FROM duckdb_secrets()',
    'SELECT * FROM duckdb_settings()',
    'DROP TABLE x',
    'DELETE FROM x',
    'CREATE VIEW v AS SELECT * FROM sales.orders',
    'CREATE TEMP TABLE v AS SELECT * FROM sales.orders',
    'CREATE MACRO m() AS 1',
    'EXPLAIN ANALYZE SELECT * FROM sales.orders',
    'SELECT 1 FROM sales.orders; SELECT 2',
    `EXPORT DATABASE '${outside}'`,
    'BEGIN',
    '',
  ])('%s', async (sql) => {
    const { engine, mounts } = await open()
    const error = await ask(engine, sql, { mounts }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'config' })
    expect(existsSync(outside)).toBe(false)
  })

  it('nor does any later SQL of the engine', async () => {
    const { engine, mounts } = await open()
    await ask(engine, 'SELECT count(*) FROM sales.orders', { mounts })
    const error = await engine
      .query("SELECT * FROM read_text('/etc/passwd')")
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ kind: 'permission' })
  })
})

it('what the local database brings along reaches no file, and has no part in finding tables', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'w.duckdb')
  const outside = join(folder, 'outside.csv')
  writeFileSync(outside, 'secret\n1\n')
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  for (const statement of [
    `CREATE VIEW secrets AS SELECT * FROM read_csv('${outside}')`,
    `CREATE MACRO json_serialize_sql(sql) AS '{"statements": [{}]}'`,
    `CREATE MACRO duckdb_schemas() AS TABLE SELECT 'sales' AS schema_name, 'w' AS database_name`,
  ])
    await connection.run(statement)
  connection.disconnectSync()
  instance.closeSync()
  for (const sql of ['SELECT * FROM sales.orders, secrets', 'SELECT * FROM secrets']) {
    const { engine, mounts } = await open(path)
    const error = await ask(engine, sql, { mounts }).catch((reason: unknown) => reason)
    expect(error, sql).toMatchObject({ kind: 'permission' })
    expect((await ask(engine, 'SELECT count(*) FROM sales.orders', { mounts })).rows).toEqual([[10]])
    await engine.close()
  }
})

describe('rows are kept in the local database by choice', () => {
  it('CREATE TABLE AS and INSERT INTO', async () => {
    const { engine, mounts } = await open(join(temporaryFolder(), 'w.duckdb'))
    const kept = await ask(engine, 'CREATE TABLE "kept rows" AS SELECT * FROM sales.orders WHERE id < 3', {
      mounts,
    })
    expect(kept.rows).toEqual([[3]])
    await ask(engine, '-- more\nINSERT INTO "kept rows" (id) SELECT id FROM sales.orders WHERE id > 7', {
      mounts,
    })
    expect(await engine.tables()).toEqual(['kept rows'])
    const joined = await ask(
      engine,
      'SELECT o.id FROM sales.orders o JOIN "kept rows" k USING (id) ORDER BY 1',
      { mounts },
    )
    expect(joined.rows).toEqual([[0], [1], [2], [8], [9]])
  })

  it('not when the database is read-only', async () => {
    const path = join(temporaryFolder(), 'w.duckdb')
    const first = await openEngine(path)
    await first.close()
    const { mounts } = await open()
    const engine = await openEngine(path, { readOnly: true })
    expect((await ask(engine, 'SELECT count(*) FROM sales.orders', { mounts })).rows).toEqual([[10]])
    const error = await ask(engine, 'CREATE TABLE x AS SELECT * FROM sales.orders', { mounts }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ kind: 'config' })
  })

  it('a failing statement keeps nothing', async () => {
    const { engine, mounts } = await open(join(temporaryFolder(), 'w.duckdb'))
    await expect(
      ask(engine, "CREATE TABLE x AS SELECT id, ('a' || id)::INTEGER FROM sales.orders", { mounts }),
    ).rejects.toMatchObject({ kind: 'data' })
    expect(await engine.tables()).toEqual([])
  })
})

describe('names', () => {
  it('of several connections are told by connection.namespace.table', async () => {
    const { engine, mounts } = await open()
    const two = [...mounts, { ...mounts[0], name: 'other' } as (typeof mounts)[0]]
    const { rows } = await ask(
      engine,
      'SELECT count(*), max(lake.sales.orders.id) FROM lake.sales.orders, other.sales.orders o',
      { mounts: two },
    )
    expect(rows).toEqual([[100, 9]])
    await expect(ask(engine, 'FROM sales.orders', { mounts: two })).rejects.toMatchObject({
      code: 'AmbiguousTable',
    })
    await expect(ask(engine, 'FROM laek.sales.orders', { mounts: two })).rejects.toMatchObject({
      code: 'NoSuchMount',
      hint: 'Did you mean lake?',
    })
  })

  it('two queries at once, as long as no SQL names their connection', async () => {
    const { engine, mounts } = await open()
    const first = await engine.queryMounted('SELECT id FROM sales.orders', { mounts })
    const second = await ask(engine, 'SELECT count(*) FROM sales.orders', { mounts })
    expect(second.rows).toEqual([[10]])
    await first.close()
    const named = await engine.queryMounted('FROM lake.sales.orders', { mounts })
    await expect(ask(engine, 'FROM lake.sales.orders', { mounts })).rejects.toMatchObject({
      kind: 'conflict',
    })
    await named.close()
    expect((await ask(engine, 'FROM lake.sales.orders', { mounts })).rows).toHaveLength(10)
  })
})
