import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSuite, type SourceOptions, testSource } from '../../src/conformance/index.ts'
import { describeSuite } from '../../src/conformance/vitest.ts'
import { describeMutants, type Mutant } from './mutants.ts'
import { apiToken, orderAt, type Shop, startShop } from './shop.ts'
import { type ClientMutation, definitionMutants, useMutants } from './shop-client.ts'
import { type FileMutation, fileSource, shopFiles } from './shop-files.ts'
import { type SourceMutation, shopSource } from './shop-source.ts'

let shop: Shop
beforeAll(async () => {
  shop = await startShop()
})
afterAll(() => shop.close())

const optionsFor = (own: () => Shop, all: object = {}): SourceOptions => {
  const configAt = (url: string, more: object = {}) => ({ url, token: apiToken, ...all, ...more })
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

const sound = testSource(
  shopSource(),
  optionsFor(() => shop),
)
describeSuite(sound)

const mutants: readonly Mutant<SourceMutation>[] = [
  ...definitionMutants,
  ...useMutants('read/cancelled'),
  { mutation: 'schema-varies', caughtBy: 'tables/stable' },
  { mutation: 'one-name', caughtBy: 'tables/unique-names' },
  { mutation: 'row-misfits', caughtBy: 'tables/rows-fit' },
  { mutation: 'double-key', caughtBy: 'tables/keys', also: ['tables/values', 'read/resume', 'read/delta'] },
  { mutation: 'cursor-goes-back', caughtBy: 'tables/cursor-order' },
  { mutation: 'rounds-decimals', caughtBy: 'tables/values' },
  { mutation: 'loses-a-row-in-a-second-read', caughtBy: 'read/full-twice', also: ['read/delta'] },
  { mutation: 'ignores-page-boundary', caughtBy: 'read/resume', also: ['read/delta'] },
  { mutation: 'delta-without-new-rows', caughtBy: 'read/delta', also: ['read/resume'] },
  { mutation: 'delta-with-all-rows', caughtBy: 'read/delta-alone' },
  { mutation: 'fails-when-empty', caughtBy: 'read/empty' },
  { mutation: 'keeps-pages', caughtBy: 'read/memory' },
  { mutation: 'reads-all-ahead', caughtBy: 'read/backpressure' },
  { mutation: 'asks-for-more-than-its-policy', caughtBy: 'policy/least-privilege' },
]

type FilesOnly = Exclude<FileMutation, ClientMutation>
const fileMutants: readonly Mutant<FilesOnly>[] = [
  { mutation: 'lists-a-file-twice', caughtBy: 'files/listing' },
  { mutation: 'unknown-format', caughtBy: 'files/formats' },
  { mutation: 'range-off-by-one', caughtBy: 'files/bytes' },
  { mutation: 'deaf-read', caughtBy: 'files/cancelled' },
  { mutation: 'empty-is-an-error', caughtBy: 'files/empty' },
  { mutation: 'version-of-the-listing', caughtBy: 'files/growth', also: ['files/changed'] },
  { mutation: 'bytes-of-any-version', caughtBy: 'files/changed' },
]

/** A shop with files, and a suite of the source of files. */
const filesOf = async (mutation?: FileMutation) => {
  const { route, grow, change } = shopFiles()
  const own = await startShop(1, route)
  const { expected: _, empty: __, large: ___, underPolicy: ____, ...options } = optionsFor(() => own)
  const empty = { url: own.url, token: apiToken, path: 'none' }
  return { suite: testSource(fileSource(mutation), { ...options, empty, grow, change }), close: own.close }
}

const files = await filesOf()
afterAll(files.close)
describeSuite(files.suite)

describeMutants(sound, [...mutants, ...fileMutants], async (mutation) => {
  if (isFileMutation(mutation)) return filesOf(mutation)
  const own = await startShop(3)
  const options = optionsFor(() => own, mutation === 'new-required-field' ? { region: 'north' } : {})
  // Collecting garbage takes longer than all the rest.
  const skip = mutation === 'keeps-pages' ? {} : { 'read/memory': 'Only its mutant needs it.' }
  return { suite: testSource(shopSource(mutation), { ...options, skip }), close: own.close }
})

function isFileMutation(mutation: string): mutation is FilesOnly {
  return fileMutants.some((mutant) => mutant.mutation === mutation)
}

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
