import type { Mount, Scan, ZeroCopyTable } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { type FixtureValue, icebergFixture } from '@penstock/iceberg-fixtures'
import { type PolicyDocument, startAws } from '@penstock/testkit'
import { defineFixture, type ZeroCopyOptions } from '@penstock/testkit/conformance'
import { zeroCopyGlue } from '../src/index.ts'
import { fillSales, region } from './sales.ts'

type ReadFiles = NonNullable<ZeroCopyOptions['readFiles']>

/** The files of one scan as the engine reads them: a table whose scans are all this one. */
const mountOf = (table: ZeroCopyTable, { files, receipt }: Extract<Scan, { kind: 'files' }>): Mount => ({
  name: 'catalog',
  open: async () => ({ ...table, scan: async () => ({ kind: 'files', files, receipt }) }),
})

/** A value as its writer reads it, in the form that the engine gives. */
const engineValue = (name: string, value: FixtureValue): unknown => {
  if (name === 'id') return Number.isSafeInteger(Number(value)) ? Number(value) : BigInt(String(value))
  return typeof value === 'string' ? value.replace(/\.000000Z$/, 'Z') : value
}

const rowsOf = (table: string) =>
  (icebergFixture(table).reads[0]?.rows ?? []).map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, engineValue(name, value)])),
  )

/** What the writers of the tables read; of `events`, what `fillSales` puts there. */
const expectedRows = {
  'sales.orders_v1': rowsOf('orders_v1'),
  'sales.position_deletes': rowsOf('position_deletes'),
  'sales.events': ['2026-01-01', '2026-01-02'].flatMap((day) =>
    [9, 10].map((hour) => ({ id: hour, note: 'x', day, hour })),
  ),
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

export default defineFixture(zeroCopyGlue, async () => {
  const aws = await startAws()
  await fillSales(aws)
  const engine = await duckdb(':memory:')
  const keysOf = ({ accessKeyId, secretAccessKey }: typeof aws.root) => ({
    method: 'access-key' as const,
    accessKeyId,
    secretAccessKey,
  })
  const configAt = (endpoint: string) => ({
    region,
    endpoint,
    stsEndpoint: endpoint,
    catalogEndpoint: `${endpoint}/iceberg`,
    auth: keysOf(aws.root),
    maxAttempts: 3,
    shares: [{ namespace: 'sales', tables: ['orders_v1', 'position_deletes', 'events'] }],
    dataLocations: ['s3://fixtures/'],
  })
  const working = configAt(aws.endpoint)
  let users = 0
  const asUser = (...policies: PolicyDocument[]) => ({
    ...working,
    auth: keysOf(aws.identities.createUser({ name: `user${++users}`, policies })),
  })

  const readFiles: ReadFiles = async (scan, { table, columns, signal }) => {
    const wanted = columns.length > 0 ? columns.map(quoted).join(', ') : '1'
    const query = await engine.queryMounted(`SELECT ${wanted} FROM sales.${quoted(table.name)}`, {
      mounts: [mountOf(table, scan)],
      signal,
    })
    const rows = (await Array.fromAsync(query.result.rows())).flat()
    return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])))
  }

  return {
    close: async () => {
      await engine.close()
      await aws.close()
    },
    endpoint: aws.endpoint,
    config: configAt,
    aws,
    tables: ['orders_v1', 'position_deletes', 'events'].map((name) => ({ namespace: ['sales'], name })),
    readFiles,
    expected: expectedRows,
    wrong: [
      { field: 'region', config: { ...working, region: 'South 2' }, kind: 'config' },
      {
        field: 'secretAccessKey',
        config: { ...working, auth: { ...working.auth, secretAccessKey: 'wrong-secret-access-key' } },
        kind: 'auth',
      },
      { field: 'warehouse', config: { ...working, warehouse: '999999999999' }, kind: 'permission' },
      {
        field: 'shares',
        config: { ...working, shares: [{ namespace: 'sales', tables: ['nowhere'] }] },
        kind: 'not-found',
      },
      { field: 'catalog', config: { ...working, catalog: 's3-tables' }, kind: 'config' },
    ],
    formerConfigs: [
      { region: 'eu-central-1', auth: { method: 'default-chain' } },
      {
        region: 'eu-central-1',
        catalog: 'glue-api',
        shares: [{ namespace: 'sales' }],
        auth: {
          method: 'assumed-role',
          roleArn: 'arn:aws:iam::111122223333:role/penstock',
          externalId: 'a1b2c3d4',
        },
      },
    ],
    state: async () => aws.s3.listKeys('fixtures'),
    forbidden: asUser(),
    underPolicy: async ({ policy }) => asUser(policy as PolicyDocument),
  }
})
