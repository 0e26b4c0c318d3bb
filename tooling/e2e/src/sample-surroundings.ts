import type { Surroundings } from './typescript-samples.ts'

const aws = `import { startAws } from '@penstock/testkit'\nconst aws = await startAws()\n`
const closeAws = 'await aws.close()'

/** The service that the fixture of docs/writing-a-connector.md asks its reader to write. */
const shopService = `import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export const token = 'shop-token-71c4'

export const startService = async () => {
  const at = (id: number) => new Date(Date.UTC(2026, 0, 1, 0, id)).toISOString()
  const orders: { id: number; total: string; updated_at: string }[] = []
  const addOrder = () => {
    const id = orders.length + 1
    orders.push({ id, total: \`\${id}.50\`, updated_at: at(id) })
  }
  for (let count = 0; count < 5; count++) addOrder()
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://shop')
    if (request.headers.authorization !== \`Bearer \${token}\`) return void response.writeHead(401).end('{}')
    const since = searchParams.get('since') ?? ''
    const start = (Number(searchParams.get('page')) - 1) * 2
    response.end(JSON.stringify(orders.filter((order) => order.updated_at >= since).slice(start, start + 2)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: \`http://127.0.0.1:\${(server.address() as AddressInfo).port}\`,
    orders: () => structuredClone(orders),
    addOrder,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
`

/** Runs the suite with the fixture that the module of the sample exports. */
const runFixture = `
const { runSuite, withFixture } = await import('@penstock/testkit/conformance')
const card = await withFixture(exported, (suite) => runSuite(suite))
const failed = card.results.filter(({ status }) => status === 'failed')
if (failed.length > 0 || card.passed < 30) throw new Error(JSON.stringify(failed))`

/**
 * What the blocks of the pages need to be whole modules; one that is not here is run as it stands, where the account of
 * the samples and a folder with \`warehouse.duckdb\` are. \`shopSource\`: the source that the fixture is about.
 */
export const surroundingsOf = (shopSource: string): Readonly<Record<string, Surroundings>> => ({
  'README.md#2': {
    before: `const get = async (_: { config: { repo: string } }, path: string) =>
  path.includes('page=1') ? [{ id: 1, title: 'Leaks', updated_at: '2026-01-01T00:00:00Z' }] : []`,
  },
  'docs/actions-s3.md#1': {
    before: `const roleArn = 'arn:aws:iam::111122223333:role/penstock'\nconst externalId = 'penstock-6f0c'`,
  },
  'docs/export.md#1': {
    before: `const auth = { method: 'default-chain' } as const`,
    after: `if (record.status !== 'succeeded') throw record.error`,
  },
  'docs/writing-a-connector.md#2': {
    after: `
import { connect } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
const engine = await duckdb(':memory:')
const tables = [{ glob: '*.csv', table: 'orders' }]
const run = await extract({ source: connect(exported, { folder: '.' }), tables, engine })
await engine.close()
if (run.tables[0]?.rowsLoaded !== 1) throw new Error(JSON.stringify(run))`,
  },
  'docs/writing-a-connector.md#3': {
    after: runFixture,
    modules: { '../src/index.ts': shopSource, './service.ts': shopService },
  },
  'packages/core/README.md#1': {
    before: `const get = async (_: { config: { station: string } }, __: string) => [{ id: 1, at: '', degrees: 1.5 }]`,
  },
  'packages/engine-duckdb/README.md#1': {
    before: `import type { FileEntry, RunRecord, StagedFile } from '@penstock/core'
declare const runId: string
declare const signal: AbortSignal
declare const listing: AsyncIterable<readonly FileEntry[]>
declare const record: RunRecord
declare const staged: (entry: FileEntry) => StagedFile`,
    compiledOnly: 'It shows what the runtime does with an engine.',
  },
  'packages/iceberg/README.md#1': {
    before: `import type { FileReader } from '@penstock/iceberg'
declare const reader: FileReader
declare const signal: AbortSignal`,
    compiledOnly: 'Its table is one of the reader; the tests of the package read many.',
  },
  'packages/source-http/README.md#1': { compiledOnly: 'Its service is one of the reader.' },
  'packages/testkit/README.md#2': { before: aws, after: closeAws },
  'packages/testkit/README.md#3': {
    before: `${aws}const otherPolicy = { Statement: { Effect: 'Deny' as const, Action: '*', Resource: '*' } }`,
    after: closeAws,
  },
  'packages/testkit/README.md#4': { before: aws, after: closeAws },
  'packages/testkit/README.md#5': { before: `const folder = './aws'` },
  'apps/ui/README.md#1': {
    before: `import type { UiOptions } from '@penstock/ui'\ndeclare const host: Omit<UiOptions, 'file'>`,
    compiledOnly: 'The command line gives it what it needs: penstock ui.',
  },
})
