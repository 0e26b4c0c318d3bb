import {
  BatchCreatePartitionCommand,
  CreateDatabaseCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  DeleteDatabaseCommand,
  DeleteTableCommand,
  GetCatalogCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  GlueClient,
  type GlueServiceException,
  paginateGetDatabases,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Aws, startAws } from '../aws.ts'
import type { PolicyStatement } from '../types.ts'

let aws: Aws
let glue: GlueClient

type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
const clientOf = (credentials: Keys) =>
  new GlueClient({ endpoint: aws.endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 })

beforeAll(async () => {
  aws = await startAws()
  glue = clientOf(aws.root)
  aws.glue.createDatabase({ name: 'Sales', description: 'All of it' })
  aws.glue.createTable({
    database: 'sales',
    name: 'orders',
    metadataLocation: 's3://lake/o/v1.metadata.json',
  })
  aws.glue.createTable({
    database: 'sales',
    name: 'events',
    format: 'parquet',
    location: 's3://lake/events/',
    columns: [{ name: 'id', type: 'bigint' }],
    partitionKeys: [
      { name: 'day', type: 'date' },
      { name: 'hour', type: 'int' },
    ],
    partitions: ['2026-01-01', '2026-01-02', '2026-01-03'].flatMap((day) =>
      ['2', '10'].map((hour) => ({
        values: [day, hour],
        location: `s3://lake/events/day=${day}/hour=${hour}/`,
      })),
    ),
  })
})

beforeEach(() => {
  aws.log.clear()
  aws.glue.configure({ pageSize: 100 })
})

afterAll(async () => {
  glue?.destroy()
  await aws?.close()
})

const errorOf = (promise: Promise<unknown>): Promise<GlueServiceException> =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: GlueServiceException) => error,
  )

describe('the Glue API, as the SDK speaks it', () => {
  test('databases and tables, whatever the case of their names', async () => {
    const { Database } = await glue.send(new GetDatabaseCommand({ Name: 'SALES' }))
    expect(Database).toMatchObject({ Name: 'sales', Description: 'All of it', CatalogId: aws.account })
    expect(Database?.CreateTime).toBeInstanceOf(Date)
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'Sales', Name: 'ORDERS' }))
    expect(Table).toMatchObject({
      Name: 'orders',
      DatabaseName: 'sales',
      IsRegisteredWithLakeFormation: false,
      Parameters: { table_type: 'ICEBERG', metadata_location: 's3://lake/o/v1.metadata.json' },
    })
  })

  test('lists come in pages that the token continues', async () => {
    for (const name of ['a', 'b', 'c']) aws.glue.createDatabase({ name, catalog: 'paged' })
    aws.glue.configure({ pageSize: 2 })
    const pages: string[][] = []
    for await (const { DatabaseList } of paginateGetDatabases({ client: glue }, { CatalogId: 'paged' }))
      pages.push((DatabaseList ?? []).map(({ Name }) => Name ?? ''))
    expect(pages).toEqual([['a', 'b'], ['c']])
    const one = await glue.send(new GetTablesCommand({ DatabaseName: 'sales', MaxResults: 1 }))
    expect(one.TableList?.map(({ Name }) => Name)).toEqual(['events'])
    expect((await errorOf(glue.send(new GetDatabasesCommand({ NextToken: 'x' })))).name).toBe(
      'InvalidInputException',
    )
  })

  test('GetTables takes a pattern', async () => {
    const found = await glue.send(new GetTablesCommand({ DatabaseName: 'sales', Expression: 'ord.*' }))
    expect(found.TableList?.map(({ Name }) => Name)).toEqual(['orders'])
  })

  test('catalogs lie in each other and do not mix', async () => {
    aws.glue.createDatabase({ name: 'inner', catalog: 'one/two' })
    const id = `${aws.account}:one/two`
    const { DatabaseList } = await glue.send(new GetDatabasesCommand({ CatalogId: id }))
    expect(DatabaseList?.map(({ Name }) => Name)).toEqual(['inner'])
    expect((await glue.send(new GetCatalogCommand({ CatalogId: id }))).Catalog).toMatchObject({ Name: 'two' })
    const other = await glue.send(new GetDatabasesCommand({}))
    expect(other.DatabaseList?.map(({ Name }) => Name)).toEqual(['sales'])
    expect((await errorOf(glue.send(new GetCatalogCommand({ CatalogId: 'none' })))).name).toBe(
      'EntityNotFoundException',
    )
  })

  test('what is written is read back, and gone when it is deleted', async () => {
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'made' } }))
    const input = { Name: 'T', Parameters: { a: '1' }, PartitionKeys: [{ Name: 'day', Type: 'string' }] }
    await glue.send(new CreateTableCommand({ DatabaseName: 'made', TableInput: input }))
    expect(
      (await errorOf(glue.send(new CreateTableCommand({ DatabaseName: 'made', TableInput: input })))).name,
    ).toBe('AlreadyExistsException')
    await glue.send(
      new UpdateTableCommand({
        DatabaseName: 'made',
        TableInput: { ...input, Parameters: { a: '2' } },
        VersionId: '0',
      }),
    )
    const stale = new UpdateTableCommand({ DatabaseName: 'made', TableInput: input, VersionId: '0' })
    expect((await errorOf(glue.send(stale))).message).toContain('changed by somebody else')
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'made', Name: 't' }))
    expect(Table).toMatchObject({ Parameters: { a: '2' }, VersionId: '1' })
    const at = { DatabaseName: 'made', TableName: 't' }
    await glue.send(new CreatePartitionCommand({ ...at, PartitionInput: { Values: ['1'] } }))
    const batch = new BatchCreatePartitionCommand({
      ...at,
      PartitionInputList: [{ Values: ['1'] }, { Values: ['2'] }],
    })
    expect((await glue.send(batch)).Errors).toMatchObject([
      { PartitionValues: ['1'], ErrorDetail: { ErrorCode: 'AlreadyExistsException' } },
    ])
    expect((await glue.send(new GetPartitionsCommand(at))).Partitions).toHaveLength(2)
    await glue.send(new DeleteTableCommand({ DatabaseName: 'made', Name: 't' }))
    await glue.send(new DeleteDatabaseCommand({ Name: 'made' }))
    expect((await errorOf(glue.send(new GetDatabaseCommand({ Name: 'made' })))).name).toBe(
      'EntityNotFoundException',
    )
  })

  test.each([
    ["day = '2026-01-02'", ['2026-01-02/10', '2026-01-02/2']],
    ["hour > 9 AND day < '2026-01-03'", ['2026-01-01/10', '2026-01-02/10']],
    [
      "(day IN ('2026-01-01') OR hour = 2) AND NOT hour = 10",
      ['2026-01-01/2', '2026-01-02/2', '2026-01-03/2'],
    ],
    ["day between '2026-01-02' and '2026-01-03' and hour <> 2", ['2026-01-02/10', '2026-01-03/10']],
    ["day LIKE '%-03'", ['2026-01-03/10', '2026-01-03/2']],
    ['hour IS NULL', []],
  ])('GetPartitions with %s', async (Expression, expected) => {
    const found = await glue.send(
      new GetPartitionsCommand({
        DatabaseName: 'sales',
        TableName: 'events',
        Expression,
        ExcludeColumnSchema: true,
      }),
    )
    expect(found.Partitions?.map(({ Values }) => Values?.join('/'))).toEqual(expected)
    expect(found.Partitions?.[0]?.StorageDescriptor?.Columns).toBeUndefined()
  })

  test('a wrong expression is refused', async () => {
    for (const Expression of ['id = 1', 'day =', "day = '1' extra", 'day ~ 1']) {
      const error = await errorOf(
        glue.send(new GetPartitionsCommand({ DatabaseName: 'sales', TableName: 'events', Expression })),
      )
      expect(error).toMatchObject({ name: 'InvalidInputException' })
    }
  })

  test('of a table with Lake Formation grants only those columns are seen', async () => {
    aws.glue.createTable({
      database: 'sales',
      name: 'filtered',
      columns: [
        { name: 'id', type: 'int' },
        { name: 'salary', type: 'int' },
      ],
      lakeFormation: { columns: ['id'] },
    })
    const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'sales', Name: 'filtered' }))
    expect(Table?.IsRegisteredWithLakeFormation).toBe(true)
    expect(Table?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual(['id'])
  })

  test('a request that is not as the API has it', async () => {
    expect((await errorOf(glue.send(new GetTableCommand({ DatabaseName: 'sales', Name: '' })))).name).toBe(
      'ValidationException',
    )
  })
})

describe('rights', () => {
  const arn = (rest: string) => `arn:aws:glue:eu-central-1:${aws.account}:${rest}`
  const userWith = (...Statement: PolicyStatement[]) =>
    clientOf(
      aws.identities.createUser({
        name: `u${Math.random()}`,
        policies: [{ Version: '2012-10-17', Statement }],
      }),
    )

  test.each([
    ['GetDatabases', new GetDatabasesCommand({}), ['catalog', 'database/*']],
    [
      'GetTables',
      new GetTablesCommand({ DatabaseName: 'sales' }),
      ['catalog', 'database/sales', 'table/sales/*'],
    ],
    [
      'GetTable',
      new GetTableCommand({ DatabaseName: 'sales', Name: 'orders' }),
      ['catalog', 'database/sales', 'table/sales/orders'],
    ],
    [
      'GetPartitions',
      new GetPartitionsCommand({ DatabaseName: 'sales', TableName: 'events' }),
      ['catalog', 'database/sales', 'table/sales/events'],
    ],
    ['GetCatalog', new GetCatalogCommand({ CatalogId: '111122223333' }), ['catalog']],
  ])('%s needs its action on the resource and all that it lies in', async (action, command, resources) => {
    const allowed = (names: string[]): PolicyStatement => ({
      Effect: 'Allow',
      Action: `glue:${action}`,
      Resource: names.map(arn),
    })
    const full = userWith(allowed(resources))
    await full.send(command as GetTableCommand)
    expect(aws.log.entries()[0]?.actions).toEqual(
      resources.map((name) => ({ action: `glue:${action}`, resource: arn(name), allowed: true })),
    )
    for (const missing of resources) {
      const rest = resources.filter((name) => name !== missing)
      const client = userWith(rest.length > 0 ? allowed(rest) : { ...allowed(resources), Effect: 'Deny' })
      const error = await errorOf(client.send(command as GetTableCommand))
      expect(error.name).toBe('AccessDeniedException')
      expect(error.message).toContain(`glue:${action} on resource: ${arn(missing)}`)
      client.destroy()
    }
    full.destroy()
  })

  test('who may not ask does not learn what is there', async () => {
    const client = userWith({ Effect: 'Allow', Action: 's3:*', Resource: '*' })
    const denied = (Name: string) => errorOf(client.send(new GetTableCommand({ DatabaseName: 'none', Name })))
    expect((await denied('x')).name).toBe('AccessDeniedException')
    client.destroy()
  })

  test('keys, secrets, tokens and clocks that are wrong', async () => {
    const send = async (client: GlueClient) => {
      const { name } = await errorOf(client.send(new GetDatabasesCommand({})))
      client.destroy()
      return name
    }
    expect(await send(clientOf({ ...aws.root, accessKeyId: 'AKIANOBODYNOBODY1234' }))).toBe(
      'UnrecognizedClientException',
    )
    expect(await send(clientOf({ ...aws.root, secretAccessKey: 'wrong' }))).toBe('InvalidSignatureException')
    aws.faults.add({ times: 1, fault: { kind: 'clock-skew', ms: 3_600_000 } })
    expect(await send(clientOf(aws.root))).toBe('InvalidSignatureException')
  })

  test('faults are answered in the words of Glue', async () => {
    aws.faults.add({
      when: { service: 'glue', operation: 'GetTable', key: 'sales.orders' },
      times: 1,
      fault: { kind: 'slow-down' },
    })
    const get = () => glue.send(new GetTableCommand({ DatabaseName: 'sales', Name: 'orders' }))
    expect((await errorOf(get())).name).toBe('ThrottlingException')
    await get()
  })
})
