import { afterAll, beforeAll } from 'vitest'
import { testZeroCopy, type ZeroCopyOptions } from '../../src/conformance/index.ts'
import { describeSuite } from '../../src/conformance/vitest.ts'
import { describeMutants, type Mutant } from './mutants.ts'
import { apiToken, blindToken, type Shop, startShop } from './shop.ts'
import { type CatalogMutation, catalogOrders, catalogRoute, shopCatalog } from './shop-catalog.ts'
import { useMutants } from './shop-client.ts'

let shop: Shop
beforeAll(async () => {
  shop = await startShop(1, catalogRoute)
})
afterAll(() => shop.close())

const optionsFor = (own: () => Shop): ZeroCopyOptions => {
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
    expected: { 'north.orders': catalogOrders },
    readFiles: async ({ files }) => (await Promise.all(files.map(readLines))).flat(),
    get forbidden() {
      return configAt(own().url, { token: blindToken })
    },
    underPolicy: async ({ policy }) =>
      configAt(
        own().url,
        (policy as { read: string[] }).read.includes('catalog') ? {} : { token: blindToken },
      ),
    patienceMs: 5_000,
  }
}

type Read = NonNullable<ZeroCopyOptions['readFiles']>

const readLines = async ({ file, columns }: Parameters<Read>[0]['files'][number]) => {
  const bytes = Buffer.concat(await Array.fromAsync(file.read({ start: 0, end: file.size })))
  const lines = bytes.toString().trim().split('\n')
  return lines.map((line) => {
    const row = JSON.parse(line) as Record<string, unknown>
    return Object.fromEntries(
      columns.map(({ name, source }) => [name, source.from === 'constant' ? source.value : row[name]]),
    )
  })
}

const sound = testZeroCopy(
  shopCatalog(),
  optionsFor(() => shop),
)
describeSuite(sound)

const mutants: readonly Mutant<CatalogMutation>[] = [
  ...useMutants('scan/cancelled'),
  { mutation: 'namespace-twice', caughtBy: 'catalog/namespaces' },
  { mutation: 'tables-of-others', caughtBy: 'catalog/tables' },
  { mutation: 'schema-varies', caughtBy: 'catalog/schema' },
  { mutation: 'missing-is-empty', caughtBy: 'catalog/not-found' },
  { mutation: 'forbidden-is-empty', caughtBy: 'catalog/forbidden' },
  { mutation: 'partition-of-nothing', caughtBy: 'catalog/details' },
  { mutation: 'one-snapshot-for-all', caughtBy: 'catalog/versions' },
  { mutation: 'null-where-none-may-be', caughtBy: 'scan/rows-fit' },
  { mutation: 'loses-a-row-in-a-second-scan', caughtBy: 'scan/twice' },
  { mutation: 'rounds-decimals', caughtBy: 'scan/values' },
  { mutation: 'another-column', caughtBy: 'scan/columns' },
  { mutation: 'filter-loses', caughtBy: 'scan/filters' },
  { mutation: 'half-of-an-or', caughtBy: 'scan/filters' },
  { mutation: 'limit-too-low', caughtBy: 'scan/limit' },
  { mutation: 'limit-unused', caughtBy: 'scan/claims' },
  { mutation: 'false-residual', caughtBy: 'scan/claims' },
  { mutation: 'false-bounds', caughtBy: 'scan/claims' },
  { mutation: 'scan-writes', caughtBy: 'scan/read-only' },
  { mutation: 'asks-for-more-than-its-policy', caughtBy: 'policy/least-privilege' },
]

describeMutants(sound, mutants, async (mutation) => {
  const own = await startShop(1, catalogRoute)
  return {
    suite: testZeroCopy(
      shopCatalog(mutation),
      optionsFor(() => own),
    ),
    close: own.close,
  }
})
