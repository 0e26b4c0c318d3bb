import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { expect, onTestFinished, test } from 'vitest'
import { catalogAws, connectionTo, opened, readAll } from './catalog.ts'

/* A catalog that is not the embedded one: its tokens come from elsewhere, and LoadTable gives metadata without a place. */

test('a token endpoint of its own, and metadata that comes with the table', async () => {
  const { metadata } = icebergFixture('orders_v1')
  const file = fixtureObjects().find(({ key }) => metadata.endsWith(key))
  const content = await readFile(file?.path ?? '', 'utf8')
  const asked: string[] = []
  const answer = (path: string, body: string): string | undefined => {
    if (path === '/login/token')
      return `{"access_token":"${new URLSearchParams(body).get('client_id')}-token"}`
    if (path === '/api/v1/config') return '{"defaults":{},"overrides":{"prefix":"p"}}'
    return path === '/api/v1/p/namespaces/sales/tables/orders' ? `{"metadata":${content}}` : undefined
  }
  const server = createServer(async (request, response) => {
    const found = answer(request.url ?? '', await text(request))
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(found)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const connection = connectionTo(await catalogAws(), {
    catalog: 'rest',
    catalogEndpoint: `${endpoint}/api`,
    oauth: { clientId: 'me', clientSecret: 'hush', tokenEndpoint: `${endpoint}/login/token` },
  })
  await opened(connection, 'orders', async (table, signal) => {
    const scan = await table.scan({ columns: [['id']], signal })
    expect(scan.kind === 'files' && scan.exact?.rows).toBe(5n)
    expect(await readAll(scan)).toBeGreaterThan(0)
  })
  expect(asked).toEqual([
    'POST /login/token -',
    'GET /api/v1/config Bearer me-token',
    'GET /api/v1/p/namespaces/sales/tables/orders Bearer me-token',
  ])
})
