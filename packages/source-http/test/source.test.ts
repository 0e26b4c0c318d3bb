import { type Connection, ConnectorError, type RowTable, withContext } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpConnectionInput, http, type sourceHttp } from '../src/index.ts'
import { clientSecret, type Service, startService, token } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await startService(10)
})
afterAll(() => service.close())

type Table = HttpConnectionInput['tables'][string]

const connection = (table: Partial<Table>, more: Partial<HttpConnectionInput> = {}) =>
  http({
    baseUrl: service.url,
    auth: { method: 'bearer', token },
    tables: { orders: { path: '/all', columns: { id: 'bigint' }, ...table } },
    maxAttempts: 3,
    ...more,
  })

const rowsOf = (source: Connection<typeof sourceHttp>, signal?: AbortSignal) =>
  withContext(
    source,
    async (context) => {
      const [table] = source.connector.tables(context as never, {}) as RowTable[]
      const pages = await Array.fromAsync(
        (table as RowTable).read({ since: undefined, signal: context.signal }),
      )
      return pages.flat().map((row) => (table as RowTable).row.parse(row)) as Record<string, unknown>[]
    },
    signal ? { signal } : {},
  )

const failure = async (promise: Promise<unknown>): Promise<ConnectorError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (ConnectorError.isInstance(error)) return error
  throw error ?? new Error('It did not fail')
}

const ids = Array.from({ length: 10 }, (_, index) => index + 1)

describe('paging', () => {
  it.each<[string, Partial<Table>, number]>([
    ['none', { path: '/all', records: 'data.items' }, 1],
    ['page', { path: '/page', paging: { style: 'page' } }, 5],
    ['page with a size', { path: '/page', paging: { style: 'page', size: 4, sizeParameter: 'limit' } }, 3],
    ['offset', { path: '/offset', paging: { style: 'offset', size: 4 } }, 3],
    ['cursor', { path: '/cursor', records: 'items', paging: { style: 'cursor', next: 'next' } }, 4],
    ['next-url', { path: '/next-url', records: 'items', paging: { style: 'next-url', next: 'next' } }, 4],
    ['link', { path: '/link', paging: { style: 'link' } }, 4],
  ])('%s gives every record once', async (_, table, requests) => {
    service.requests.length = 0
    expect((await rowsOf(connection(table))).map((row) => row.id)).toEqual(ids)
    expect(service.requests).toHaveLength(requests)
  })

  it('refuses to send credentials to another host', async () => {
    service.answerNext(200, { link: '<https://evil.example.com/x>; rel="next"' }, '[{"id":1}]')
    const error = await failure(rowsOf(connection({ path: '/link', paging: { style: 'link' } })))
    expect(error).toMatchObject({ kind: 'data', message: expect.stringContaining('evil.example.com') })
  })

  it('ends with an error when pages go in a circle', async () => {
    for (let count = 0; count < 2; count++)
      service.answerNext(200, {}, '{"items":[{"id":1}],"next":"/next-url?from=1"}')
    const table = {
      path: '/next-url',
      records: 'items',
      paging: { style: 'next-url' as const, next: 'next' },
    }
    expect(await failure(rowsOf(connection(table)))).toMatchObject({ kind: 'data' })
  })
})

describe('values', () => {
  it('keep every digit on their way into a table', async () => {
    const engine = await duckdb(':memory:')
    const source = connection({
      path: '/all',
      records: 'data.items',
      columns: {
        id: 'bigint',
        big: 'bigint',
        price: 'decimal(18,2)',
        ratio: 'double',
        at: 'timestamp',
        paid: 'boolean',
        name: { type: 'text', path: 'customer.name' },
        customer: 'json',
        note: 'text',
      },
      key: ['id'],
    })
    try {
      const run = await extract({ source, tables: [{ table: 'orders' }], engine })
      expect(run.error).toBeUndefined()
      expect(run).toMatchObject({ status: 'succeeded', tables: [{ rowsLoaded: 10 }] })
      const sql =
        'SELECT big::text, price::text, ratio, "at"::text, paid, name, customer::text, note FROM orders ORDER BY id LIMIT 3'
      const rows = (await Array.fromAsync((await engine.query(sql)).rows())).flat()
      expect(rows[0]).toEqual([
        '9007199254740994',
        '1.10',
        0.1,
        '2026-01-01 00:01:00+00',
        false,
        'n1',
        '{"name":"n1","limit":12345678901234567890}',
        'ü1',
      ])
      expect(rows[2]?.at(-1)).toBeNull()
    } finally {
      await engine.close()
    }
  })

  it('that do not fit are told with row and column', async () => {
    const engine = await duckdb(':memory:')
    try {
      const source = connection({
        path: '/all',
        records: 'data.items',
        columns: { id: 'bigint', note: 'bigint' },
      })
      const run = await extract({ source, tables: [{ table: 'orders' }], engine })
      expect(run).toMatchObject({
        status: 'failed',
        error: { kind: 'data', place: { line: 1, column: 'note' } },
      })
    } finally {
      await engine.close()
    }
  })
})

describe('auth', () => {
  it.each<[string, HttpConnectionInput['auth']]>([
    ['a bearer token', { method: 'bearer', token }],
    ['a header', { method: 'header', name: 'X-Api-Key', value: token }],
    ['user and password', { method: 'basic', user: 'ada', password: token }],
  ])('by %s', async (_, auth) => {
    expect(await rowsOf(connection({ path: '/page' }, { auth }))).toHaveLength(3)
  })

  const client = (secret = clientSecret): HttpConnectionInput['auth'] => ({
    method: 'oauth2-client-credentials',
    tokenUrl: `${service.url}/token`,
    clientId: 'app',
    clientSecret: secret,
  })

  it('by client credentials takes one token for a run, and a new one when it is refused', async () => {
    const before = service.tokens()
    const table = { path: '/page', paging: { style: 'page' as const } }
    expect(await rowsOf(connection(table, { auth: client() }))).toHaveLength(10)
    expect(service.tokens() - before).toBe(1)
    const source = connection(table, { auth: client() })
    await withContext(source, async (context) => {
      const [orders] = source.connector.tables(context as never, {}) as RowTable[]
      const read = (orders as RowTable).read({ since: undefined, signal: context.signal })
      const pages = read[Symbol.asyncIterator]()
      await pages.next()
      service.revoke()
      expect((await pages.next()).value).toHaveLength(3)
    })
    expect(service.tokens() - before).toBe(3)
  })

  it('tells a wrong client secret as such, without showing it', async () => {
    const error = await failure(rowsOf(connection({ path: '/page' }, { auth: client('wrong-secret-99') })))
    expect(error).toMatchObject({ kind: 'auth', hint: expect.stringContaining('clientSecret') })
    expect(JSON.stringify(error)).not.toContain('wrong-secret-99')
  })
})

describe('limits', () => {
  it('waits as the service asks, and goes on', async () => {
    service.answerNext(429, { 'retry-after': '0' })
    service.answerNext(503)
    expect(await rowsOf(connection({ path: '/page' }))).toHaveLength(3)
  })

  it('gives up after the configured attempts', async () => {
    service.requests.length = 0
    for (let count = 0; count < 3; count++) service.answerNext(503)
    expect(await failure(rowsOf(connection({ path: '/page' })))).toMatchObject({ kind: 'network' })
    expect(service.requests).toHaveLength(3)
  })

  it('does not try again what can not heal', async () => {
    service.requests.length = 0
    service.answerNext(403)
    expect(await failure(rowsOf(connection({ path: '/page' })))).toMatchObject({ kind: 'permission' })
    expect(service.requests).toHaveLength(1)
  })

  it('holds the rate of requests', async () => {
    const started = performance.now()
    await rowsOf(connection({ path: '/page', paging: { style: 'page' } }, { requestsPerSecond: 20 }))
    // Five requests begin at least 50 ms apart.
    expect(performance.now() - started).toBeGreaterThan(190)
  })

  it('refuses an answer that is too large, and one that is no JSON', async () => {
    expect(await failure(rowsOf(connection({ path: '/page' }, { maxResponseMiB: 0.0001 })))).toMatchObject({
      kind: 'resource',
    })
    service.answerNext(200, {}, '<html>')
    expect(await failure(rowsOf(connection({ path: '/page' })))).toMatchObject({
      kind: 'data',
      place: { value: '<html>' },
    })
  })

  it('does not follow a redirect with credentials', async () => {
    service.answerNext(302, { location: 'https://evil.example.com/' })
    expect(await failure(rowsOf(connection({ path: '/page' })))).toMatchObject({
      kind: 'config',
      code: 'Http302',
    })
  })
})

describe('configuration', () => {
  it.each<[string, Partial<Table>, string]>([
    ['a key that is no column', { key: ['nope'] }, 'nope'],
    ['a cursor without its parameter', { columns: { id: 'bigint' }, cursor: 'id' }, 'sinceParameter'],
    ['an unknown type', { columns: { id: 'varchar' } }, 'decimal(p,s)'],
    ['no column', { columns: {} }, 'at least one column'],
  ])('refuses %s', (_, table, text) => {
    expect(() => connection(table)).toThrow(text)
  })

  it('refuses plain http beyond this machine and credentials in the URL', () => {
    expect(() => connection({}, { baseUrl: 'http://api.example.com' })).toThrow('https://')
    expect(() => connection({}, { baseUrl: 'https://a:b@api.example.com' })).toThrow('credentials')
    expect(connection({}, { baseUrl: 'http://api.example.com', allowInsecure: true }).config.baseUrl).toBe(
      'http://api.example.com',
    )
  })
})
