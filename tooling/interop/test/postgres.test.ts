import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CheckStep, withContext } from '@penstock/core'
import { type PostgresDestinationInput, postgresDestination } from '@penstock/destination-postgres'
import { duckdb } from '@penstock/engine-duckdb'
import { startPostgres, type TestPostgres } from '@penstock/postgres-fixture'
import { exportTo } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { interopTask, type Mode } from '../src/postgres-task.ts'
import { findPrograms } from '../src/programs.ts'
import { run } from '../src/run.ts'

/* PostgreSQL of the system, which is another release than the one of the other tests: kills, TLS, memory. */

const rows = 200_000
const kills = Number(process.env.PENSTOCK_KILLS ?? 3)
const found = findPrograms('initdb', 'postgres')
const openssl = findPrograms('openssl')
let folder: string
let server: TestPostgres
let ca: string

const skipMissing = (context: TestContext) => {
  if ('missing' in found) context.skip(found.missing)
  if ('missing' in openssl) context.skip(openssl.missing)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
  if ('missing' in found || 'missing' in openssl) return
  const [key, certificate] = [join(folder, 'server.key'), join(folder, 'server.crt')]
  await run(openssl.programs.openssl, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...[
      '-keyout',
      key,
      '-out',
      certificate,
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
    ],
  ])
  ca = await readFile(certificate, 'utf8')
  server = await startPostgres({
    bin: dirname(found.programs.postgres),
    settings: { ssl: 'on' },
    files: { 'server.key': await readFile(key, 'utf8'), 'server.crt': ca },
  })
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

const inputOf = (changes: Partial<PostgresDestinationInput> = {}): PostgresDestinationInput => ({
  host: 'localhost',
  port: server.port,
  database: server.database,
  schema: 'killed',
  tls: 'verify-full',
  ca,
  auth: { method: 'password', user: server.user, password: server.password },
  ...changes,
})

const makeOrders = async (path: string, from: number): Promise<void> => {
  const engine = await duckdb(path)
  const transaction = await engine.begin({ runId: `make-${from}`, signal: new AbortController().signal })
  await transaction.execute(
    `CREATE OR REPLACE TABLE orders AS SELECT i AS id, ${from} AS version, 'order ' || i AS name, repeat('x', 200) AS pad
     FROM range(${from}, ${from + rows}) r(i)`,
  )
  await transaction.commit({
    runId: `make-${from}`,
    command: 'make',
    connector: 'sql',
    status: 'succeeded',
    startedAt: new Date().toISOString(),
    tables: [],
  })
  await engine.close()
}

/** Starts a try in a process of its own; its exit code, null when it was killed. */
const tryOnce = (mode: Mode, database: string, killAfterMs?: number): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=penstock:source',
        fileURLToPath(new URL('../src/postgres-child.ts', import.meta.url)),
        JSON.stringify({ input: inputOf(), mode, database }),
      ],
      { stdio: 'ignore' },
    )
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    child.once('error', reject)
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve(code)
    })
  })

const state = async (mode: Mode) => {
  const table = `killed.orders_${mode}`
  const [there] = (await server.query('SELECT to_regclass($1) IS NOT NULL AS there', [table])).rows
  if (!there?.there) return { count: 0, ids: 0, versions: [] }
  const [row] = (
    await server.query(
      `SELECT count(*)::int AS count, count(DISTINCT id)::int AS ids, array_agg(DISTINCT version) AS versions FROM ${table}`,
    )
  ).rows
  return row
}

describe.each(['append', 'overwrite', 'merge'] as const)('%s', (mode) => {
  test('killed at any moment leaves what was there, and the next try is exactly the rows', async (context) => {
    skipMissing(context)
    const database = join(folder, `${mode}.duckdb`)
    await makeOrders(database, 0)
    const started = performance.now()
    expect(await tryOnce(mode, database)).toBe(0)
    const whole = performance.now() - started
    await makeOrders(database, rows / 2)
    const before = await state(mode)
    expect(before).toEqual({ count: rows, ids: rows, versions: [0] })
    const after = {
      append: { count: 2 * rows, ids: 1.5 * rows, versions: [0, rows / 2] },
      overwrite: { count: rows, ids: rows, versions: [rows / 2] },
      merge: { count: 1.5 * rows, ids: 1.5 * rows, versions: [0, rows / 2] },
    }[mode]
    let killed = 0
    for (let count = 0; count < kills; count++) {
      const code = await tryOnce(mode, database, whole * (0.3 + 0.65 * Math.random()))
      if (code === 0) break
      killed++
      // Either none of it, or, where the commit was the last thing that it did, all of it.
      expect([before, after]).toContainEqual(await state(mode))
    }
    expect(killed).toBeGreaterThan(0)
    expect(await tryOnce(mode, database)).toBe(0)
    const books = await server.query(
      'SELECT count(*)::int AS runs FROM killed.penstock_exports WHERE mode = $1',
      [mode],
    )
    // A kill after the runtime had noted its success makes the last try a run of its own.
    if (books.rows[0]?.runs === 2) expect(await state(mode)).toEqual(after)
    else
      expect(mode === 'append' ? (await state(mode)).count % rows : (await state(mode)).count).toBe(
        mode === 'append' ? 0 : after.count,
      )
    const left = await server.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'killed'::regnamespace AND relkind = 'r' AND relname !~ '^(orders|sums)_|^penstock_exports$'",
    )
    expect(left.rows).toEqual([])
  }, 300_000)
})

describe('TLS', () => {
  test.for([
    { tls: 'verify-full', withCa: true, host: 'localhost', status: 'passed' },
    { tls: 'verify-ca', withCa: true, host: '127.0.0.1', status: 'passed' },
    { tls: 'require', withCa: false, host: 'localhost', status: 'passed' },
    { tls: 'verify-full', withCa: true, host: '127.0.0.1', status: 'failed' },
    { tls: 'verify-ca', withCa: false, host: 'localhost', status: 'failed' },
  ] as const)(
    '$tls of $host, with its CA: $withCa, $status',
    async ({ tls, withCa, host, status }, context) => {
      skipMissing(context)
      const { ca: given, ...input } = inputOf({ tls, host })
      const connection = postgresDestination({
        ...input,
        ...(withCa && given !== undefined && { ca: given }),
      })
      const [first] = await withContext(connection, (context) =>
        Array.fromAsync(connection.connector.check(context) as AsyncIterable<CheckStep>),
      )
      expect(first).toMatchObject({ status, ...(status === 'failed' && { error: { kind: 'config' } }) })
    },
  )
})

test('memory and staging stay bounded for what is much larger', async (context) => {
  skipMissing(context)
  const engine = await duckdb(':memory:', { memoryLimitBytes: 256 * 1024 ** 2 })
  const before = process.memoryUsage.rss()
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 50)
  const result = await exportTo({
    ...interopTask(inputOf({ schema: 'large' }), 'append'),
    streams: [{ sql: "SELECT i AS id, repeat('x', 200) AS pad FROM range(3000000) r(i)", name: 'large' }],
    engine,
    resources: { stagingBytes: 160 * 1024 ** 2 },
  })
  clearInterval(timer)
  await engine.close()
  expect(result.error).toBeUndefined()
  expect((await server.query('SELECT count(*)::int AS n FROM large.large')).rows).toEqual([{ n: 3_000_000 }])
  console.log(`peak ${Math.round((peak - before) / 1024 ** 2)} MiB above the start for 640 MB`)
  expect(peak - before).toBeLessThan(500 * 1024 ** 2)
}, 300_000)
