// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { startPostgres, type TestPostgres } from '@penstock/postgres-fixture'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Run } from '../src/commands/run.ts'
import { startLake, type TestLake } from './lake.ts'
import { runCommand } from './run-command.ts'

let lake: TestLake
let server: TestPostgres
beforeAll(async () => {
  ;[lake, server] = await Promise.all([startLake(), startPostgres()])
  for (const [name, value] of Object.entries({ ...lake.env, WAREHOUSE_PASSWORD: server.password }))
    vi.stubEnv(name, value)
  await lake.project.write(`${(await lake.project.text()).trimEnd()}
  warehouse:
    connector: destination-postgres
    host: ${server.host}
    port: ${server.port}
    database: ${server.database}
    schema: serving
    auth: { method: password, user: ${server.user}, password: "\${env:WAREHOUSE_PASSWORD}" }
pipelines:
  daily:
    into: w.duckdb
    connection: lake
    steps:
      - id: load
        extract: { tables: [{ folder: orders/ }] }
      - id: sums
        sql: CREATE OR REPLACE TABLE sums AS SELECT channel, count(*) AS n FROM orders GROUP BY ALL
      - id: serve
        export:
          connection: warehouse
          mode: merge
          streams: [{ table: sums, key: [channel] }, { table: orders, name: all_orders, key: [order_id] }]
`)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await Promise.all([lake?.close(), server?.close()])
})

it('takes objects of S3 over DuckDB to PostgreSQL, and again, and tells no secret', async () => {
  for (let round = 0; round < 2; round++) {
    const run = await runCommand(Run, 'daily', '--project', lake.project.folder, '--json')
    expect(run).toMatchObject({ code: 0 })
    expect(run.stdout + run.stderr).not.toContain(server.password)
    const { rows } = await server.query(
      'SELECT (SELECT sum(n)::int FROM serving.sums) AS counted, count(*)::int AS orders FROM serving.all_orders',
    )
    expect(rows).toEqual([{ counted: 3000, orders: 3000 }])
  }
}, 60_000)
