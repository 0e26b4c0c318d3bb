import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSuite, type SourceOptions, testSource } from '../../src/conformance/index.ts'
import { describeSuite } from '../../src/conformance/vitest.ts'
import { apiToken, orderAt, type Shop, startShop } from './shop.ts'
import { type Mutation, shopSource } from './shop-source.ts'

let shop: Shop
beforeAll(async () => {
  shop = await startShop()
})
afterAll(() => shop.close())

const optionsFor = (own: () => Shop): SourceOptions => {
  const configAt = (url: string, more: object = {}) => ({ url, token: apiToken, ...more })
  return {
    get endpoint() {
      return own().url
    },
    config: (url: string) => configAt(url),
    get wrong() {
      return [
        { field: 'token', config: configAt(own().url, { token: 'wrong-token-77' }), kind: 'auth' as const },
      ]
    },
    formerConfigs: [{ url: 'https://shop.example.com', token: apiToken }],
    state: async () => own().writes.length,
    grow: async () => own().grow(),
    get empty() {
      return configAt(own().url, { path: 'empty' })
    },
    get large() {
      return configAt(own().url, { path: 'endless' })
    },
    get expected() {
      return { orders: own().orders.map((order) => ({ ...order })) }
    },
    underPolicy: async ({ policy }) =>
      configAt(
        own().url,
        (policy as { read: string[] }).read.includes('orders') ? {} : { token: 'not-allowed-1' },
      ),
    patienceMs: 5_000,
  }
}

describeSuite(
  testSource(
    shopSource(),
    optionsFor(() => shop),
  ),
)

/** Each mutant with the check that is there for it; `also` are checks that see the same defect by their nature. */
const mutants: readonly { mutation: Mutation; caughtBy: string; also?: readonly string[] }[] = [
  { mutation: 'bad-name', caughtBy: 'spec/contract' },
  { mutation: 'silent-field', caughtBy: 'spec/descriptions' },
  { mutation: 'open-secret', caughtBy: 'spec/secrets-marked' },
  { mutation: 'bad-example', caughtBy: 'spec/examples' },
  { mutation: 'no-json-schema', caughtBy: 'spec/json-schema' },
  { mutation: 'any-key', caughtBy: 'spec/unknown-keys' },
  { mutation: 'check-refuses', caughtBy: 'check/succeeds', also: ['check/tells-what-is-wrong'] },
  { mutation: 'check-passes-all', caughtBy: 'check/tells-what-is-wrong' },
  { mutation: 'check-writes', caughtBy: 'check/leaves-nothing' },
  { mutation: 'schema-varies', caughtBy: 'tables/stable' },
  { mutation: 'one-name', caughtBy: 'tables/unique-names' },
  { mutation: 'double-key', caughtBy: 'tables/keys', also: ['tables/values', 'read/resume', 'read/delta'] },
  { mutation: 'cursor-goes-back', caughtBy: 'tables/cursor-order' },
  { mutation: 'rounds-decimals', caughtBy: 'tables/values' },
  { mutation: 'ignores-page-boundary', caughtBy: 'read/resume', also: ['read/delta'] },
  { mutation: 'delta-without-new-rows', caughtBy: 'read/delta', also: ['read/resume'] },
  { mutation: 'fails-when-empty', caughtBy: 'read/empty' },
  { mutation: 'keeps-pages', caughtBy: 'read/memory' },
  { mutation: 'ignores-signal', caughtBy: 'read/cancelled' },
  { mutation: 'reads-all-ahead', caughtBy: 'read/backpressure' },
  { mutation: 'partial-after-503', caughtBy: 'faults/unavailable' },
  { mutation: 'partial-after-500', caughtBy: 'faults/internal-error' },
  { mutation: 'partial-after-429', caughtBy: 'faults/too-many-requests' },
  { mutation: 'partial-after-reset', caughtBy: 'faults/reset' },
  { mutation: 'partial-after-cut', caughtBy: 'faults/truncated-body', also: ['faults/reset-body'] },
  { mutation: 'takes-first-piece', caughtBy: 'faults/slow' },
  { mutation: 'secret-in-notice', caughtBy: 'secrets/hidden' },
  { mutation: 'secret-in-error', caughtBy: 'secrets/errors' },
  { mutation: 'asks-for-more-than-its-policy', caughtBy: 'policy/least-privilege' },
]

describe('the suite catches a broken source', () => {
  it.concurrent.each(mutants)('$mutation by $caughtBy', async ({ mutation, caughtBy, also = [] }) => {
    const own = await startShop()
    try {
      const card = await runSuite(
        testSource(
          shopSource(mutation),
          optionsFor(() => own),
        ),
      )
      const failed = card.results.filter((result) => result.status === 'failed').map((result) => result.id)
      expect(failed).toContain(caughtBy)
      expect(failed.filter((id) => id !== caughtBy && !also.includes(id))).toEqual([])
    } finally {
      await own.close()
    }
  })
})

describe('a suite', () => {
  it('refuses to skip a check that it does not have', () => {
    expect(() => testSource(shopSource(), { ...optionsFor(() => shop), skip: { nope: 'why' } })).toThrow(
      'nope',
    )
  })

  it('shows why a check was skipped', async () => {
    const suite = testSource(shopSource(), {
      ...optionsFor(() => shop),
      skip: { 'read/delta': 'The shop has no order.' },
    })
    const [only] = suite.checks.filter((check) => check.id === 'read/delta')
    const card = await runSuite({ ...suite, checks: only ? [only] : [] })
    expect(card).toMatchObject({ skipped: 1, results: [{ reason: 'The shop has no order.' }] })
  })

  it('gives orders with the digits that they have', () => {
    expect(orderAt(1).total).toBe('9007199254740994.10')
  })
})
