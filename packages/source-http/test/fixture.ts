import { defineFixture } from '@penstock/testkit/conformance'
import { sourceHttp } from '../src/index.ts'
import { startService, token } from './service.ts'

const columns = { id: 'bigint', big: 'bigint', price: 'decimal(18,2)', at: 'timestamp', note: 'text' }
/** The first rows of the service, with the digits that it sends. */
const expected = Array.from({ length: 10 }, (_, index) => index + 1).map((id) => ({
  id,
  big: 9007199254740993n + BigInt(id),
  price: `${id}.10`,
  at: `2026-01-01T00:${String(id).padStart(2, '0')}:00.000Z`,
  note: id % 3 === 0 ? null : `ü${id}`,
}))
const tablesAt = (path: string) => ({
  orders: {
    path,
    columns,
    key: ['id'],
    cursor: 'at',
    sinceParameter: 'since',
    paging: { style: 'page' as const },
  },
})
const auth = { method: 'bearer' as const, token }
const configAt = (baseUrl: string) => ({ baseUrl, auth, tables: tablesAt('/page'), maxAttempts: 2 })

export default defineFixture(sourceHttp, async () => {
  const service = await startService(expected.length)
  const working = configAt(service.url)
  return {
    close: () => service.close(),
    endpoint: service.url,
    config: configAt,
    wrong: [
      { field: 'token', config: { ...working, auth: { ...auth, token: 'wrong-token-00' } }, kind: 'auth' },
      { field: 'path', config: { ...working, tables: tablesAt('/nowhere') }, kind: 'not-found' },
      { field: 'baseUrl', config: { ...working, baseUrl: 'http://api.example.com' }, kind: 'config' },
      { field: 'records', config: { ...working, tables: tablesAt('/all') }, kind: 'data' },
    ],
    formerConfigs: [
      {
        baseUrl: 'https://api.example.com/v1',
        auth: { method: 'header', name: 'X-Api-Key', value: 'key' },
        tables: { orders: { path: '/orders', records: 'data', columns: { id: 'bigint' } } },
      },
    ],
    state: async () => undefined,
    grow: async () => service.grow(),
    expected: { orders: expected },
    empty: { ...working, tables: tablesAt('/empty') },
    large: {
      ...working,
      tables: { orders: { path: '/endless', columns, paging: { style: 'page' as const } } },
    },
    skip: {
      'check/leaves-nothing': 'A service has no state that could be compared; only GET is ever sent.',
    },
  }
})
