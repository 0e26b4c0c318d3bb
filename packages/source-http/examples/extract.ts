import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { http } from '../src/index.ts'

// A service with two pages of two orders.
const service = createServer((request, response) => {
  const page = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('page'))
  const orders = page > 2 ? [] : [1, 2].map((n) => ({ id: (page - 1) * 2 + n, total: 10.5 * n }))
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ data: orders }))
})
await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))

const source = http({
  baseUrl: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
  auth: { method: 'none' },
  tables: {
    orders: {
      path: '/orders',
      records: 'data',
      columns: { id: 'bigint', total: 'decimal(18,2)' },
      key: ['id'],
      paging: { style: 'page' },
    },
  },
})
const engine = await duckdb(':memory:')
const run = await extract({ source, engine, tables: [{ table: 'orders' }] })
console.log(run.status, run.tables[0]?.rowsLoaded)
const result = await engine.query('SELECT * FROM orders ORDER BY id')
for await (const rows of result.rows()) console.log(rows)
await engine.close()
service.close()
