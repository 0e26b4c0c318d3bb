import { type Aws, startAws } from '@penstock/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { keyAuth, quick, region } from '../../test/embedded.ts'
import { createRole, externalId, roleAuth } from '../../test/roles.ts'
import type { AwsAuthentication } from '../auth/authentication.ts'
import { assertGlueReads, type GlueAccess, openGlue } from './glue.ts'
import { type CatalogRest, openCatalogRest, parseJson, requireProvider } from './rest.ts'
import type { RestAuthorization } from './transport.ts'

const environment = (aws: Aws, clock = () => new Date()) => ({
  region,
  stsEndpoint: aws.endpoint,
  signal: new AbortController().signal,
  clock,
})

/** A catalog with database `sales`, its tables `orders` (Iceberg) and `events` (Parquet, by day). */
const catalogAws = async (): Promise<Aws> => {
  const aws = await startAws()
  onTestFinished(() => aws.close())
  aws.glue.createDatabase({ name: 'sales', description: 'Shops' })
  aws.glue.createTable({ database: 'sales', name: 'orders', metadataLocation: 's3://lake/v1.metadata.json' })
  aws.glue.createTable({
    database: 'sales',
    name: 'events',
    format: 'parquet',
    location: 's3://lake/events/',
    columns: [{ name: 'id', type: 'bigint' }],
    partitionKeys: [{ name: 'day', type: 'date' }],
    partitions: ['01', '02', '03'].map((day) => ({
      values: [`2026-01-${day}`],
      location: `s3://lake/events/${day}/`,
    })),
  })
  return aws
}

const glueOf = (
  aws: Aws,
  auth: AwsAuthentication = keyAuth(aws.root),
  options: { clock?: () => Date; signal?: AbortSignal } = {},
): GlueAccess => {
  const { clock = () => new Date(), signal = new AbortController().signal } = options
  const glue = openGlue({
    region,
    endpoint: aws.endpoint,
    provider: requireProvider(auth, environment(aws, clock)),
    signal,
    clock,
    retry: quick,
  })
  onTestFinished(() => glue.close())
  return glue
}

const restOf = (
  aws: Aws,
  authorization: RestAuthorization | 'glue' | 's3tables' = 'glue',
  path = '/iceberg',
): CatalogRest => {
  const rest = openCatalogRest({
    endpoint: `${aws.endpoint}${path}`,
    title: 'Glue',
    authorization:
      typeof authorization === 'string'
        ? {
            kind: 'sigv4',
            service: authorization,
            region,
            provider: requireProvider(keyAuth(aws.root), environment(aws)),
          }
        : authorization,
    signal: new AbortController().signal,
    clock: () => new Date(),
    retry: quick,
  })
  onTestFinished(() => rest.close())
  return rest
}

const config = { operation: 'GetConfig', action: 'glue:GetCatalog', resource: 'arn', path: 'v1/config' }

const all = async <Entry>(pages: AsyncIterable<readonly Entry[]>): Promise<Entry[]> => {
  const entries: Entry[] = []
  for await (const page of pages) entries.push(...page)
  return entries
}

test('databases, tables and partitions, over all pages', async () => {
  const aws = await catalogAws()
  aws.glue.configure({ pageSize: 1 })
  const glue = glueOf(aws)
  expect(await all(glue.databases())).toEqual([{ name: 'sales', description: 'Shops' }])
  expect((await all(glue.tables('sales'))).map(({ name }) => name)).toEqual(['events', 'orders'])
  const events = await glue.table('sales', 'events')
  expect(events).toMatchObject({
    storage: { location: 's3://lake/events/', columns: [{ name: 'id', type: 'bigint' }] },
    partitionKeys: [{ name: 'day', type: 'date' }],
    lakeFormation: false,
  })
  const found = await all(glue.partitions('sales', 'events', { expression: "day > '2026-01-01'" }))
  expect(found.map(({ values, storage }) => [values, storage.location])).toEqual([
    [['2026-01-02'], 's3://lake/events/02/'],
    [['2026-01-03'], 's3://lake/events/03/'],
  ])
})

test('what is not there, and what may not be asked for, is named', async () => {
  const aws = await catalogAws()
  await expect(glueOf(aws).table('sales', 'none')).rejects.toMatchObject({
    kind: 'not-found',
    message: 'There is no table sales.none in the catalog.',
  })
  const user = aws.identities.createUser({ name: 'nobody' })
  await expect(glueOf(aws, keyAuth(user)).table('sales', 'orders')).rejects.toMatchObject({
    kind: 'permission',
    message: `Access denied to ${user.arn}: glue:GetTable on arn:aws:glue:${region}:111122223333:catalog is not allowed.`,
  })
  await expect(all(glueOf(aws, keyAuth(user)).databases())).rejects.toMatchObject({ kind: 'permission' })
  const wrong = keyAuth({ ...aws.root, secretAccessKey: 'wrong' })
  await expect(glueOf(aws, wrong).database('sales')).rejects.toMatchObject({ kind: 'auth' })
})

test('throttling, failures and broken connections are tried again', async () => {
  const aws = await catalogAws()
  for (const [skip, kind] of (['slow-down', 'internal-error', 'reset'] as const).entries())
    aws.faults.add({ when: { service: 'glue' }, skip, times: 1, fault: { kind } })
  expect(await glueOf(aws).database('sales')).toMatchObject({ name: 'sales' })
  expect(aws.log.entries()).toHaveLength(4)
})

test('a clock that is off is corrected', async () => {
  const aws = await catalogAws()
  const clock = () => new Date(Date.now() - 3_600_000)
  expect(await glueOf(aws, keyAuth(aws.root), { clock }).database('sales')).toMatchObject({ name: 'sales' })
})

test('the session of a role is renewed when it has ended', async () => {
  const aws = await catalogAws()
  const { user, roleArn } = createRole(aws, {
    statements: [{ Effect: 'Allow', Action: 'glue:*', Resource: '*' }],
  })
  const glue = glueOf(aws, roleAuth(roleArn, user, { externalId }))
  await glue.database('sales')
  aws.identities.expireSessions({ role: roleArn })
  await glue.database('sales')
  expect(aws.log.entries().filter(({ operation }) => operation === 'AssumeRole')).toHaveLength(2)
})

test('an abort ends the request', async () => {
  const aws = await catalogAws()
  aws.faults.add({ when: { service: 'glue' }, fault: { kind: 'hang' } })
  const stop = new AbortController()
  const asked = glueOf(aws, keyAuth(aws.root), { signal: stop.signal }).database('sales')
  await expect.poll(() => aws.log.entries().length).toBe(1)
  stop.abort()
  await expect(asked).rejects.toMatchObject({ kind: 'cancelled' })
})

test('only operations that read are sent', () => {
  for (const operation of ['GetTable', 'BatchGetPartition', 'SearchTables'])
    expect(() => assertGlueReads(operation)).not.toThrow()
  for (const operation of ['CreateTable', 'UpdateTable', 'DeleteDatabase', 'StartJobRun', 'Getaway'])
    expect(() => assertGlueReads(operation)).toThrow('read-only')
})

test('signed requests of both services, paths that are encoded already included', async () => {
  const aws = await catalogAws()
  expect(await restOf(aws).get(config)).toMatchObject({ overrides: { prefix: 'catalogs/111122223333' } })
  const { arn, catalog } = aws.glue.createTableBucket({ name: 'daily' })
  aws.glue.createDatabase({ name: 'ns', catalog })
  const tables = restOf(aws, 's3tables')
  const path = `v1/${encodeURIComponent(arn)}/namespaces`
  expect(await tables.get({ ...config, path })).toMatchObject({ namespaces: [['ns']] })
})

test('refusals of the REST endpoint are told like those of the API', async () => {
  const aws = await catalogAws()
  const call = { ...config, operation: 'LoadTable', subject: 'table sales.none' }
  const path = 'v1/catalogs/111122223333/namespaces/sales/tables/none'
  await expect(restOf(aws).get({ ...call, path })).rejects.toMatchObject({
    kind: 'not-found',
    message: 'There is no table sales.none in the catalog.',
  })
  aws.glue.createTable({
    database: 'sales',
    name: 'filtered',
    metadataLocation: 's3://lake/v1',
    lakeFormation: { columns: ['id'] },
  })
  await expect(restOf(aws).get({ ...call, path: path.replace('none', 'filtered') })).rejects.toMatchObject({
    kind: 'permission',
    code: 'LakeFormation',
  })
  aws.faults.add({ times: 3, fault: { kind: 'slow-down' } })
  await restOf(aws).get(config)
})

test('a bearer token that is refused is renewed once', async () => {
  const aws = await catalogAws()
  aws.rest.configure({ auth: { kind: 'bearer', token: 'second' } })
  const asked: (string | undefined)[] = []
  const token = async ({ rejected }: { rejected?: string }) => {
    asked.push(rejected)
    return rejected === undefined ? 'first' : 'second'
  }
  const rest = restOf(aws, { kind: 'bearer', token }, '/_iceberg')
  expect(await rest.get({ ...config, path: 'v1/namespaces' })).toMatchObject({ namespaces: [] })
  expect(asked).toEqual([undefined, 'first'])
  const wrong = restOf(aws, { kind: 'bearer', token: async () => 'wrong' }, '/_iceberg')
  await expect(wrong.get({ ...config, path: 'v1/namespaces' })).rejects.toMatchObject({
    kind: 'auth',
    code: 'NotAuthorized',
  })
})

test('an answer that is no JSON, and an endpoint without TLS', async () => {
  const aws = await catalogAws()
  aws.s3.createBucket({ name: 'page', publicRead: true })
  await aws.s3.putObject({ bucket: 'page', key: 'v1/config', body: '<html>' })
  await expect(restOf(aws, { kind: 'none' }, '/page').get(config)).rejects.toMatchObject({
    kind: 'data',
    code: 'InvalidAnswer',
  })
  expect(() =>
    openCatalogRest({
      endpoint: 'http://catalog.example.com',
      title: 'The catalog',
      authorization: { kind: 'none' },
      signal: new AbortController().signal,
      clock: () => new Date(),
    }),
  ).toThrow('Plain http')
})

test('numbers keep every digit', () => {
  expect(parseJson('[9007199254740993123,-9007199254740993,9007199254740991,1.5,1e300]')).toEqual([
    9007199254740993123n,
    -9007199254740993n,
    9007199254740991,
    1.5,
    1e300,
  ])
})
