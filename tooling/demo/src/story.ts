// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunRecord } from '@penstock/core'
import { type Account, bucket, type PrintedPolicies, region } from './account.ts'
import type { createDemoData } from './data.ts'
import { expectEqual, expectText, type Terminal } from './terminal.ts'
import { warehouseAt } from './warehouse.ts'

export interface Stage {
  readonly terminal: Terminal
  readonly account: Account
  readonly data: Awaited<ReturnType<typeof createDemoData>>
  /** Folder of the project. */
  readonly folder: string
}

const pipelines = `pipelines:
  everything:
    connection: lake
    into: warehouse.duckdb
    tables:
      - object: customers.csv
      - folder: orders/
      - folder: events/
      - object: payments.parquet
  daily:
    connection: lake
    into: warehouse.duckdb
    options: { mode: delta }
    tables:
      - folder: orders/
      - folder: events/
`

/** Tables of a run as `name rows+rejected`, to compare with what should have come. */
const loaded = (run: RunRecord): string[] =>
  run.tables.map(({ name, objects, rowsLoaded, rowsRejected }) => {
    return `${name}: ${objects} objects, ${rowsLoaded} rows, ${rowsRejected} rejected`
  })

/** From keys to a connection that works: what the other side has to allow, and the proof that it does. */
export const connectAndCheck = async ({ terminal, account, data }: Stage): Promise<void> => {
  const { say, penstock, heading } = terminal
  heading('A bucket')
  say(`An S3 and an STS of our own run inside this process: real HTTP, real signatures, real
    policies, no account needed. A shop has uploaded ${data.first.length} objects to the bucket "${bucket}":
    customers as CSV, orders as gzipped CSV and events as NDJSON (one file a day), payments as
    Parquet.`)

  heading('Connect')
  say('A project is a folder with a file penstock.yaml.')
  await penstock(['init'])
  say(`The connection will assume a role, which is better than a key that may do everything. Secrets stay
    in the environment: the file only holds their names.`)
  const { endpoint } = account.aws
  const set = (field: string, value: string) => ['--set', `${field}=${value}`]
  const connected = await penstock(
    [
      ...['connect', 'lake', '--auth', 'assumed-role'],
      ...set('region', region),
      ...set('bucket', bucket),
      ...set('endpoint', endpoint),
      ...set('stsEndpoint', endpoint),
      ...set('auth.roleArn', account.roleArn),
      ...set('auth.source.accessKeyId', '${env:LAKE_KEY_ID}'),
      ...set('auth.source.secretAccessKey', '${env:LAKE_SECRET}'),
    ],
    { lines: 6 },
  )
  expectText('The trust policy', connected.text, ['sts:ExternalId'])
  say(`The rest of that output is the trust policy of the role: who may assume it, and with which
    external id. Penstock made the external id. The other policy says what the role may do:`)
  const printed = await penstock(['policy', 'lake', '--json'], { lines: 0 })
  const policies: PrintedPolicies = JSON.parse(printed.text)
  const actions = [policies.policy.Statement].flat().flatMap(({ Action }) => Action ?? [])
  terminal.show(`${actions.join(', ')}\n${`on ${bucket} alone`}`)
  account.createExtractRole(policies)
  say(`The role now has exactly these two policies and no other permission. So every step from here
    on also proves that they are enough. Does the connection work?`)
  const checked = await penstock(['check', 'lake'])
  expectText('The check', checked.text, ['Assume', 'Read an object'])

  heading('Look before you load')
  say('What is there? Files of one folder are one table.')
  const tables = await penstock(['tables', 'lake'])
  expectText('The tables', tables.text, ['customers', 'orders', 'events', 'payments', 'parquet'])
  say('What would loading do? A plan changes nothing, and tells the types it found.')
  const plan = await penstock(['plan', 'lake', '--folder', 'orders/', '--into', 'warehouse.duckdb'])
  expectText('The plan', plan.text, ['orders', 'order_id', 'bigint'])
}

/** A full load under faults, then two delta loads. */
export const loadAndFollow = async (stage: Stage): Promise<void> => {
  const { account, data, folder } = stage
  const { say, penstock, heading, show } = stage.terminal
  const warehouse = warehouseAt(join(folder, 'warehouse.duckdb'))
  heading('Load everything')
  say('Loads that come again are written down as pipelines, in penstock.yaml:')
  const file = join(folder, 'penstock.yaml')
  const project = await readFile(file, 'utf8')
  expectText('The project file', project, ['# pipelines:'])
  await writeFile(file, `${project}\n${pipelines}`)
  show(pipelines.trim())
  say(`To make it harder, S3 will refuse one request (503 Slow Down) and cut the connection in the
    middle of another.`)
  const { faults, log } = account.aws
  faults.add({ when: { operation: 'GetObject', key: 'orders/*' }, times: 1, fault: { kind: 'slow-down' } })
  faults.add({
    when: { operation: 'GetObject', key: 'events/*' },
    times: 1,
    fault: { kind: 'reset-body', afterBytes: 65_536 },
  })
  await penstock(['run', 'everything'])
  expectEqual('The full load', loaded(await warehouse.lastRun()), [
    'customers: 1 objects, 500 rows, 0 rejected',
    'orders: 2 objects, 4000 rows, 0 rejected',
    'events: 2 objects, 8000 rows, 0 rejected',
    'payments: 1 objects, 4000 rows, 0 rejected',
  ])
  for (const { applied, rule } of faults.list()) expectEqual(`Faults of ${rule.fault.kind}`, applied, 1)
  faults.clear()
  expectEqual(
    'Customer ids keep their zeros',
    await warehouse.value("SELECT count(*) FROM customers WHERE customer_id = '00007'"),
    '1',
  )
  say(`Both were repeated, and no row is missing or doubled. Customer "00007" kept its zeros, and order
    numbers beyond 2^53 kept their last digits.`)

  heading('Only what is new')
  await account.upload(data.later)
  say(`A day later the shop has uploaded ${data.later.map(({ key }) => key).join(' and ')}. A delta load
    takes these and leaves the rest alone: the database remembers every object it has loaded.`)
  await penstock(['run', 'daily'])
  expectEqual('The delta load', loaded(await warehouse.lastRun()), [
    'orders: 1 objects, 2000 rows, 0 rejected',
    'events: 1 objects, 4000 rows, 0 rejected',
  ])
  say('The same again: nothing is new, so nothing is loaded, and nothing is read but the listing.')
  const before = log.entries().length
  await penstock(['run', 'daily'])
  expectEqual('Rows after a second delta load', await warehouse.value('SELECT count(*) FROM orders'), '6000')
  const reads = log
    .entries()
    .slice(before)
    .filter(({ operation }) => operation === 'GetObject')
  expectEqual('Objects that a second delta load reads', reads.length, 0)
}

/** A bad file: refused, then loaded with its bad row aside; then questions to the tables. */
export const rejectAndAsk = async ({ terminal, account, data, folder }: Stage): Promise<void> => {
  const { say, penstock, heading } = terminal
  const warehouse = warehouseAt(join(folder, 'warehouse.duckdb'))
  const into = ['warehouse.duckdb']
  heading('A bad file')
  await account.upload([data.bad])
  say(`Now ${data.bad.key} arrives, and one amount in it is the word "twelve". The load
    fails, says where, and leaves the table as it was.`)
  const failed = await penstock(['run', 'daily'], { code: 7 })
  expectText('The error', failed.text, [data.bad.key, '1234', 'amount', 'twelve'])
  expectEqual('Rows after the failure', await warehouse.value('SELECT count(*) FROM orders'), '6000')
  say('Or put bad rows aside, at most one in a hundred, and load the others:')
  await penstock([
    ...['extract', 'lake', '--folder', 'orders/', '--mode', 'delta', '--on-bad-row', 'reject'],
    ...['--max-rejects', '1%', '--into', ...into],
  ])
  expectEqual('The load with a reject', loaded(await warehouse.lastRun()), [
    'orders: 1 objects, 1999 rows, 1 rejected',
  ])
  say('The row that was put aside, and its place:')
  const place = 'select parse_filename(object) as file, line, column_name, reason from orders__rejects'
  const rejects = await penstock(['query', place, '--from', ...into])
  expectText('The rejected row', rejects.text, ['2026-04-04.csv.gz', '1234', 'amount', 'decimal'])

  heading('Ask')
  say('Three tables from three formats, joined:')
  const sql =
    'select city, count(*) as orders, sum(amount) as ordered, sum(paid) as paid ' +
    'from orders join customers using (customer_id) left join payments using (order_id) ' +
    'group by city order by ordered desc'
  const answer = await penstock(['query', sql, '--from', ...into])
  expectText('The answer', answer.text, ['São Paulo', '東京', 'ordered'])
  say('And what ran, for whoever asks later:')
  const runs = await penstock(['runs'])
  expectText('The history', runs.text, ['everything', 'daily', 'failed'])
  expectEqual(
    'Orders in the end',
    await warehouse.value("SELECT count(DISTINCT order_id) || ' of ' || count(*) FROM orders"),
    '7999 of 7999',
  )
}
