import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandLine, commandEnvironment, startCommandLine } from '@penstock/demo/run-command'
import { duckdb } from '@penstock/engine-duckdb'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { type Aws, type PolicyDocument, startAws } from '@penstock/testkit'
import { parse, stringify } from 'yaml'
import { addSampleTables, sampleObjects } from '../../../apps/cli/src/sample/sample.ts'

/** Where the samples of the documentation run: an account with all that they name, and a folder with files. */
export interface SampleWorld {
  readonly commandLine: CommandLine
  readonly variables: Readonly<Record<string, string>>
  readonly folder: string
  /** Puts the folder back to what a page begins with. */
  reset(): Promise<void>
  /** Adds entries to penstock.yaml; connections without an endpoint get those of the account. */
  addToProject(yaml: string): Promise<void>
  close(): Promise<void>
}

const region = 'eu-central-1'
const account = '111122223333'

/** `programs`: with what the samples in TypeScript expect beside what commands make themselves. */
export const openSampleWorld = async ({ programs = false } = {}): Promise<SampleWorld> => {
  const root = await mkdtemp(join(tmpdir(), 'penstock-samples-'))
  const folder = join(root, 'project')
  await mkdir(folder)
  const database = join(root, 'warehouse.duckdb')
  const aws = await startAws({ region, account })
  await fillTables(database, root)
  await fillAccount(aws, root)
  if (programs) await fillForPrograms(aws)
  const reader = aws.identities.createUser({ name: 'reader', policies: [everything] })
  const variables = {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: reader.accessKeyId,
    AWS_SECRET_ACCESS_KEY: reader.secretAccessKey,
  }
  const abort = new AbortController()
  const commandLine = await startCommandLine({
    root,
    folder,
    environment: commandEnvironment(root, variables),
    signal: abort.signal,
  })
  return {
    commandLine,
    variables,
    folder,
    reset: async () => {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
      await writeFile(join(folder, 'w.duckdb'), await readFile(database))
      if (programs) await writeFile(join(folder, 'warehouse.duckdb'), await readFile(database))
      await writeFile(join(folder, 'orders.csv'), 'id,amount\n1,2\n')
      await writeFile(join(folder, 'tags.xml'), tags)
      for (const name of ['site', 'reports', 'out']) {
        await mkdir(join(folder, name))
        await writeFile(join(folder, name, 'index.html'), '<h1>Orders</h1>\n')
      }
    },
    addToProject: async (yaml) => {
      const path = join(folder, 'penstock.yaml')
      const before = existsSync(path) ? await readFile(path, 'utf8') : ''
      await writeFile(path, stringify(merged(parse(before) ?? {}, parse(yaml), aws.endpoint)))
    },
    close: async () => {
      await commandLine.close()
      await aws.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

type Sections = Readonly<Record<string, Readonly<Record<string, object>> | null>>

const merged = (before: Sections, added: Sections, endpoint: string): Sections => ({
  ...before,
  ...Object.fromEntries(
    Object.entries(added).map(([section, entries]) => [
      section,
      Array.isArray(entries)
        ? entries
        : {
            ...before[section],
            ...(section === 'connections' ? mapValues(entries ?? {}, withEndpoint(endpoint)) : entries),
          },
    ]),
  ),
})

const mapValues = <Value>(entries: Readonly<Record<string, Value>>, change: (value: Value) => Value) =>
  Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value)]))

const withEndpoint = (endpoint: string) => (connection: object) => ({
  ...endpointFields(connection, endpoint),
  ...connection,
})

/** Fields by which a connection of a connector reaches the account. */
export const endpointFields = (connection: object, endpoint: string): Readonly<Record<string, string>> => ({
  endpoint,
  stsEndpoint: endpoint,
  ...('connector' in connection && connection.connector === 'zero-copy-glue'
    ? { catalogEndpoint: `${endpoint}/iceberg` }
    : {}),
})

const everything: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
}

const tags = '<Tagging><TagSet><Tag><Key>team</Key><Value>data</Value></Tag></TagSet></Tagging>'

const fillTables = async (database: string, root: string): Promise<void> => {
  const engine = await duckdb(database)
  const run = (sql: string) => engine.queryMounted(sql, { mounts: [] })
  await run(`CREATE TABLE orders AS SELECT i AS id, i AS order_id, i % 3 = 0 AS paid,
    lpad((i % 9)::VARCHAR, 5, '0') AS customer_id, (i * 7 % 500)::DECIMAL(12, 2) AS amount,
    ['web', 'shop'][1 + i % 2] AS channel, ['open', 'sent'][1 + i % 2] AS status,
    DATE '2026-11-01' + (i % 30)::INTEGER AS day, TIMESTAMP '2026-11-01' + INTERVAL (i) MINUTE AS updated_at
    FROM range(200) rows(i)`)
  await run(`CREATE TABLE events AS SELECT i AS id, TIMESTAMP '2026-11-01' + INTERVAL (i) MINUTE AS at
    FROM range(100) rows(i)`)
  await run(`CREATE TABLE customers AS SELECT lpad(i::VARCHAR, 5, '0') AS customer_id, 'Ada' AS name
    FROM range(9) rows(i)`)
  await engine.copyTo('FROM orders', join(root, 'orders.parquet'), { type: 'parquet' })
  await engine.close()
}

const fillForPrograms = async (aws: Aws): Promise<void> => {
  for (const day of ['20261101', '20261102'])
    await aws.s3.putObject({
      bucket: 'sales',
      key: `exports/${day}/visits.ndjson`,
      body: '{"page":"/","seconds":3}\n',
    })
}

const fillAccount = async (aws: Aws, root: string): Promise<void> => {
  aws.identities.createRole({
    name: 'penstock',
    account,
    trustPolicy: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' },
      ],
    },
    policies: [everything],
  })
  for (const name of ['sales', 'my-bucket', 'partner', 'partner-bucket', 'web', 'lake'])
    aws.s3.createBucket({ name })
  aws.s3.createBucket({ name: 'sample', region: 'us-east-1' })
  const put = (bucket: string, key: string, body: string | Buffer) => aws.s3.putObject({ bucket, key, body })
  for (const { key, body } of sampleObjects()) {
    for (const bucket of ['sample', 'sales', 'my-bucket', 'lake']) await put(bucket, key, body)
    await put('sales', `shop/${key}`, body)
  }
  addSampleTables(aws)
  for (const key of ['a.csv', 'b.csv', 'exports/20261101/a.csv', 'exports/20261102/b.csv'])
    await put('sales', key, 'id,amount\n1,2.50\n')
  await put('sales', 'legacy/old.csv', Buffer.from('id;city;day\n1;Zürich;31.12.1999\n', 'latin1'))
  await put('sales', 'logs/2026/a.ndjson', '{"at":"2026-11-01T00:00:00Z","text":"begin"}\n')
  await put('lake', 'orders.csv', 'id,amount\n1,2\n')
  await put('sales', 'crm/customers.csv', 'customer_id,name\n00001,Ada\n')
  const orders = await readFile(join(root, 'orders.parquet'))
  aws.glue.createDatabase({ name: 'sales' })
  await put('lake', 'warehouse/orders/1.parquet', orders)
  aws.glue.createTable({
    database: 'sales',
    name: 'orders',
    format: 'parquet',
    location: 's3://lake/warehouse/orders/',
    columns: [
      ...['id', 'order_id'].map((name) => ({ name, type: 'bigint' })),
      { name: 'paid', type: 'boolean' },
      { name: 'customer_id', type: 'string' },
      { name: 'amount', type: 'decimal(12,2)' },
      ...['channel', 'status'].map((name) => ({ name, type: 'string' })),
      { name: 'day', type: 'date' },
    ],
  })
  const profiles = icebergFixture('t_month')
  aws.s3.createBucket({ name: fixtureBucket })
  for (const { key, path } of fixtureObjects(profiles.table))
    await put(fixtureBucket, key, await readFile(path))
  aws.glue.createTable({ database: 'sales', name: 'profiles', metadataLocation: profiles.metadata })
}
