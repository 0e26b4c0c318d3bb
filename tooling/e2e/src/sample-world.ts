import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandLine, commandEnvironment, startCommandLine } from '@penstock/demo/run-command'
import { duckdb } from '@penstock/engine-duckdb'
import { type Aws, startAws } from '@penstock/testkit'
import { sampleObjects } from '../../../apps/cli/src/sample/sample.ts'

/** Where the samples of the documentation run: an account with all that they name, and a folder with files. */
export interface SampleWorld {
  readonly commandLine: CommandLine
  readonly variables: Readonly<Record<string, string>>
  readonly folder: string
  /** Puts the folder back to what a page begins with. `project` is the text of penstock.yaml. */
  reset(project: string | undefined): Promise<void>
  close(): Promise<void>
}

const region = 'eu-central-1'
const account = '111122223333'

export const openSampleWorld = async (): Promise<SampleWorld> => {
  const root = await mkdtemp(join(tmpdir(), 'penstock-samples-'))
  const folder = join(root, 'project')
  await mkdir(folder)
  const database = join(root, 'warehouse.duckdb')
  const aws = await startAws({ region, account })
  await fillTables(database, root)
  await fillAccount(aws, root)
  const variables = {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: aws.root.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.root.secretAccessKey,
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
    reset: async (project) => {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
      for (const name of ['warehouse.duckdb', 'w.duckdb'])
        await writeFile(join(folder, name), await readFile(database))
      await writeFile(join(folder, 'orders.csv'), 'id,amount\n1,2\n')
      await writeFile(join(folder, 'tags.xml'), tags)
      for (const name of ['site', 'reports']) {
        await mkdir(join(folder, name))
        await writeFile(join(folder, name, 'index.html'), '<h1>Orders</h1>\n')
      }
      if (project !== undefined)
        await writeFile(join(folder, 'penstock.yaml'), project.replaceAll('ENDPOINT', aws.endpoint))
    },
    close: async () => {
      await commandLine.close()
      await aws.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

const tags = '<Tagging><TagSet><Tag><Key>team</Key><Value>data</Value></Tag></TagSet></Tagging>'

const fillTables = async (database: string, root: string): Promise<void> => {
  const engine = await duckdb(database)
  const run = (sql: string) => engine.queryMounted(sql, { mounts: [] })
  await run(`CREATE TABLE orders AS SELECT i AS id, i AS order_id, i % 3 = 0 AS paid,
    lpad((i % 9)::VARCHAR, 5, '0') AS customer_id, (i * 7 % 500)::DECIMAL(12, 2) AS amount,
    ['web', 'shop'][1 + i % 2] AS channel, ['open', 'sent'][1 + i % 2] AS status,
    DATE '2026-11-01' + (i % 30)::INTEGER AS day FROM range(200) rows(i)`)
  await run(`CREATE TABLE events AS SELECT i AS id, TIMESTAMP '2026-11-01' + INTERVAL (i) MINUTE AS at
    FROM range(100) rows(i)`)
  await run(`CREATE TABLE customers AS SELECT lpad(i::VARCHAR, 5, '0') AS customer_id, 'Ada' AS name
    FROM range(9) rows(i)`)
  await engine.copyTo('FROM orders', join(root, 'orders.parquet'), { type: 'parquet' })
  await engine.close()
}

const fillAccount = async (aws: Aws, root: string): Promise<void> => {
  aws.identities.createRole({
    name: 'penstock',
    account,
    trustPolicy: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }],
    },
    policies: [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }],
  })
  for (const name of ['sales', 'my-bucket', 'partner-bucket', 'web', 'lake']) aws.s3.createBucket({ name })
  aws.s3.createBucket({ name: 'sample', region: 'us-east-1' })
  const put = (bucket: string, key: string, body: string | Buffer) => aws.s3.putObject({ bucket, key, body })
  for (const { key, body } of sampleObjects()) {
    for (const bucket of ['sample', 'sales', 'my-bucket']) await put(bucket, key, body)
    await put('sales', `shop/${key}`, body)
  }
  for (const key of ['a.csv', 'b.csv', 'exports/20261101/a.csv', 'exports/20261102/b.csv'])
    await put('sales', key, 'id,amount\n1,2.50\n')
  await put('sales', 'legacy/old.csv', Buffer.from('id;city;day\n1;Zürich;31.12.1999\n', 'latin1'))
  await put('sales', 'logs/2026/a.ndjson', '{"at":"2026-11-01T00:00:00Z","text":"begin"}\n')
  await put('lake', 'orders.csv', 'id,amount\n1,2\n')
  const orders = await readFile(join(root, 'orders.parquet'))
  aws.glue.createDatabase({ name: 'sales' })
  for (const name of ['orders', 'items']) {
    await put('lake', `warehouse/${name}/1.parquet`, orders)
    aws.glue.createTable({
      database: 'sales',
      name,
      format: 'parquet',
      location: `s3://lake/warehouse/${name}/`,
      columns: [
        ...['id', 'order_id'].map((column) => ({ name: column, type: 'bigint' })),
        { name: 'paid', type: 'boolean' },
        { name: 'customer_id', type: 'string' },
        { name: 'amount', type: 'decimal(12,2)' },
        ...['channel', 'status'].map((column) => ({ name: column, type: 'string' })),
        { name: 'day', type: 'date' },
      ],
    })
  }
}
