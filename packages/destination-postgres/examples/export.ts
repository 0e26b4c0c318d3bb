import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { postgresDestination } from '../src/index.ts'

const [host = '127.0.0.1', database = 'postgres', user = 'postgres'] = process.argv.slice(2)
const destination = postgresDestination({
  host,
  database,
  port: Number(process.env.PGPORT ?? 5432),
  schema: 'penstock_example',
  auth: { method: 'password', user, password: process.env.PGPASSWORD ?? '' },
})
const engine = await duckdb(':memory:')
const run = await exportTo({
  destination,
  engine,
  name: 'numbers',
  mode: 'merge',
  streams: [{ sql: 'SELECT i AS id, i * i AS square FROM range(1000) r(i)', name: 'numbers', key: ['id'] }],
})
console.log(
  run.status,
  run.error?.message ?? '',
  run.export?.streams[0]?.rows,
  run.export?.streams[0]?.written,
)
await engine.close()
