import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type TableEngine } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { describeTable, listCatalogTables, listNamespaces, query, runCheck } from '@penstock/runtime'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import shop from '../src/third-party-zero-copy.ts'

/* A catalog that a third party wrote in one file is queried as one of Iceberg tables is. */

const token = 'zero-copy-token-of-the-test'
const orders = Array.from({ length: 7 }, (_, index) => ({
  id: index + 1,
  channel: index % 2 === 0 ? 'web' : 'shop',
  amount: (index + 1) * 1.5,
}))

let server: Server
let engine: TableEngine
let asked: URL[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end('"no"')
    if (url.pathname === '/shops') return void response.end('["north","south"]')
    asked.push(url)
    const [page, channel] = [Number(url.searchParams.get('page')), url.searchParams.get('channel')]
    const fields = (url.searchParams.get('fields') ?? '').split(',')
    const rows = orders
      .filter((order) => channel === null || order.channel === channel)
      .slice((page - 1) * 3, page * 3)
      .map((order) => Object.fromEntries(Object.entries(order).filter(([name]) => fields.includes(name))))
    response.end(JSON.stringify(rows))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  engine = await duckdb(':memory:')
})

afterAll(async () => {
  await engine.close()
  server.close()
})

beforeEach(() => {
  asked = []
})

const connection = () => {
  const { port } = server.address() as AddressInfo
  return connect(shop, { baseUrl: `http://127.0.0.1:${port}`, token }, { name: 'shop' })
}

const rowsOf = async (sql: string): Promise<unknown[]> => {
  const { result } = await query({ sql, connections: [connection()], engine })
  const rows: unknown[] = []
  for await (const page of result.rows()) rows.push(...page)
  return rows
}

test('its namespaces, tables and columns', async () => {
  expect(await runCheck(connection())).toMatchObject([{ status: 'passed' }])
  expect(await listNamespaces(connection())).toEqual([
    { namespace: ['north'], shared: true },
    { namespace: ['south'], shared: true },
  ])
  expect(await listCatalogTables(connection(), { namespace: ['north'] })).toEqual([
    { namespace: ['north'], name: 'orders', shared: true },
  ])
  const { schema, details } = await describeTable(connection(), { namespace: ['north'], name: 'orders' })
  expect(schema.columns.map(({ name }) => name)).toEqual(['id', 'channel', 'amount'])
  expect(details).toBeUndefined()
})

test('all pages of it come, and only the columns that the query needs', async () => {
  expect(await rowsOf('select count(*)::int, sum(amount)::int from north.orders')).toEqual([[7, 42]])
  expect(asked.every((url) => url.searchParams.get('fields') === 'amount')).toBe(true)
  expect(asked).toHaveLength(4)
})

test('a filter goes along, and the rows are right whether or not the service applies it', async () => {
  expect(await rowsOf("select id::int from north.orders where channel = 'shop' order by id")).toEqual([
    [2],
    [4],
    [6],
  ])
  expect(asked[0]?.searchParams.get('channel')).toBe('shop')
  asked = []
  expect(await rowsOf('select id::int from north.orders where amount > 9 order by id')).toEqual([[7]])
  expect(asked[0]?.searchParams.get('channel')).toBeNull()
})

test('a limit stops after the pages that it needs', async () => {
  expect(await rowsOf('select id::int from north.orders limit 2')).toHaveLength(2)
  expect(asked[0]?.searchParams.get('limit')).toBe('2')
})

test('it joins with local tables and with itself', async () => {
  await rowsOf('create table names as select id, id + 100 as number from south.orders where id < 3')
  const sql =
    'select n.number::int, s.amount from names n join north.orders s using (id) join south.orders o using (id) order by 1'
  expect(await rowsOf(sql)).toEqual([
    [101, 1.5],
    [102, 3],
  ])
})
