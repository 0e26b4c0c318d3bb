import { type AddressInfo, createServer } from 'node:net'
import { type CheckStep, withContext } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'
import { startTcpProxy } from './tcp-proxy.ts'

let bench: Bench
beforeAll(async () => {
  bench = await openBench()
  await bench.server.query(`CREATE SCHEMA sales; CREATE ROLE guest LOGIN PASSWORD 'guest-password'`)
  await bench.put('warm', 'SELECT 1 AS id')
})
afterAll(() => bench.close())

const guest = { auth: { method: 'password' as const, user: 'guest', password: 'guest-password' } }
const many = "SELECT i AS id, repeat('x', 100) AS pad FROM range(20000) r(i)"
const counted = (table: string) =>
  bench.rows(`SELECT count(*)::int, count(DISTINCT id)::int AS ids FROM sales.${table}`)

describe('what the server refuses is told in the words of the user', () => {
  test('a missing permission, with the way to the grants', async () => {
    const error = await bench.failure('denied', 'SELECT 1 AS id', { to: guest })
    expect(error).toMatchObject({ kind: 'permission', code: '42501' })
    expect(error?.hint).toContain('penstock policy')
  })

  test('each missing permission by the check', async () => {
    const connection = bench.connection(guest)
    const steps = await withContext(connection, (context) =>
      Array.fromAsync(connection.connector.check(context) as AsyncIterable<CheckStep>),
    )
    expect(steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'connect passed',
      'schema passed',
      'write failed',
      'temporary passed',
      'books failed',
    ])
  })

  test('the row and the column of a wrong value, counted over lines and files', async () => {
    await bench.server.query('CREATE TABLE sales.codes (id bigint, code varchar(3))')
    const sql =
      "SELECT i AS id, CASE WHEN i = 2 THEN 'long' ELSE 'a' || chr(10) END AS code FROM range(5) r(i)"
    expect(await bench.failure('codes', sql)).toMatchObject({
      kind: 'data',
      place: { table: 'codes', column: 'code', line: 3, value: 'long' },
      message: expect.stringContaining('Row 3 of codes'),
    })
  })

  test('the key that is there already', async () => {
    const key = { key: ['id'] }
    await bench.put('unique', 'SELECT 1 AS id', key)
    expect(await bench.failure('unique', 'SELECT 2 AS id UNION ALL SELECT 1', key)).toMatchObject({
      kind: 'data',
      code: '23505',
      place: { line: 2, value: '1' },
    })
    expect(await bench.rows('SELECT id FROM sales.unique')).toEqual([[1]])
  })

  test('a NUL character', async () => {
    expect(await bench.failure('nul', "SELECT 'a' || chr(0) AS t")).toMatchObject({
      kind: 'data',
      code: '22021',
    })
  })

  test('a server that is only read', async () => {
    await bench.server.query(
      'ALTER ROLE guest SET default_transaction_read_only = on; GRANT ALL ON SCHEMA sales TO guest',
    )
    await bench.server.query('GRANT ALL ON ALL TABLES IN SCHEMA sales TO guest')
    expect(await bench.failure('replica', 'SELECT 1 AS id', { to: guest })).toMatchObject({
      kind: 'config',
      code: '25006',
    })
  })
})

describe('time', () => {
  test('a lock that another has is waited for, not for ever', async () => {
    await bench.server.query('CREATE TABLE sales.locked (id bigint); BEGIN; LOCK TABLE sales.locked')
    const error = await bench.failure('locked', 'SELECT 1::BIGINT AS id', { to: { lockTimeoutSeconds: 0.1 } })
    await bench.server.query('ROLLBACK')
    expect(error).toMatchObject({ kind: 'conflict', code: '55P03' })
  })

  test('a statement has its limit', async () => {
    await bench.server.query(`CREATE FUNCTION sales.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NEW; END';
      CREATE TABLE sales.slow (id integer); CREATE TRIGGER slow BEFORE INSERT ON sales.slow FOR EACH ROW EXECUTE FUNCTION sales.slow()`)
    const error = await bench.failure('slow', 'SELECT 1 AS id', { to: { statementTimeoutSeconds: 0.1 } })
    expect(error).toMatchObject({ kind: 'throttled', code: '57014' })
  })

  test('a cancelled run stops the statement on the server, too', async () => {
    const controller = new AbortController()
    const running = bench.failure('slow', 'SELECT 1 AS id', { signal: controller.signal, name: 'cancelled' })
    const sleeping = async () =>
      (await bench.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length
    await expect.poll(sleeping).toBe(1)
    controller.abort()
    expect(await running).toMatchObject({ kind: 'cancelled' })
    expect(await sleeping()).toBe(0)
  })

  test('a server that takes the connection and says nothing is given up', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const error = await bench.failure('silent', 'SELECT 1 AS id', {
      to: { port, connectTimeoutSeconds: 0.1 },
    })
    silent.close()
    expect(error).toMatchObject({ kind: 'network', message: expect.stringContaining('within 0.1 seconds') })
  })
})

describe('a connection that breaks', () => {
  /** From the log-in over the statements before the rows to the middle of them. */
  test.each([200, 1_500, 3_000, 200_000, 2_000_000])(
    'after %i bytes leaves nothing, and the next try is whole',
    async (bytes) => {
      const proxy = await startTcpProxy(bench.server)
      const name = `cut_${bytes}`
      const to = { port: proxy.port }
      proxy.cutAfter(bytes)
      expect(await bench.failure(name, many, { to })).toMatchObject({ kind: 'network' })
      await proxy.close()
      expect(await bench.rows(`SELECT to_regclass('sales.${name}')::text`)).toEqual([[null]])
      expect((await bench.put(name, many)).error).toBeUndefined()
      expect(await counted(name)).toEqual([[20_000, 20_000]])
    },
  )

  test('by the end of the server process is told as such', async () => {
    await bench.server.query('ALTER TABLE sales.slow RENAME TO ended')
    const running = bench.failure('ended', 'SELECT 1 AS id')
    const pid = async () =>
      (await bench.rows("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0]?.[0]
    await expect.poll(pid).toBeDefined()
    await bench.server.query('SELECT pg_terminate_backend($1)', [await pid()])
    expect(await running).toMatchObject({ kind: 'network' })
  })
})

test('two tries of one run at once leave one copy', async () => {
  const other = await duckdb(':memory:')
  const run = (engine: typeof other) =>
    exportTo({
      destination: bench.connection(),
      engine,
      name: 'twice',
      runId: 'run-twice',
      streams: [{ sql: many, name: 'twice' }],
    })
  const records = await Promise.all(
    [run(other), run(bench.engine)].map((running) => running.catch((error) => error)),
  )
  await other.close()
  expect(await counted('twice')).toEqual([[20_000, 20_000]])
  expect(records.filter(({ status }) => status === 'succeeded').length).toBeGreaterThan(0)
})
