import { icebergFixture } from '@penstock/iceberg-fixtures'
import type { Aws } from '@penstock/testkit'
import { describe, expect, test } from 'vitest'
import type { ZeroCopyContext } from '../src/config.ts'
import { zeroCopyGlue } from '../src/index.ts'
import { catalogAws, connectionTo, namespacesOf, opened, readAll, tablesOf, using } from './catalog.ts'
import { icebergTables } from './sales.ts'

const names = ['branches', 'events', 'orders_v1', 'position_deletes']

const zeroCopyTables = (context: ZeroCopyContext, namespace: readonly string[]) =>
  zeroCopyGlue.tables(context, { namespace })

/** Opens a table, plans a scan of all of it, and gives the rows that the metadata knows and the requests that it took. */
const readTable = (connection: ReturnType<typeof connectionTo>, name: string, namespace?: string[]) =>
  opened(
    connection,
    name,
    async (table, signal) => {
      const columns = table.schema.columns.map((column) => [column.name] as const)
      const scan = await table.scan({ columns, signal })
      expect(scan.kind).toBe('files')
      return { table, scan, bytes: await readAll(scan) }
    },
    namespace ? { namespace } : {},
  )

describe.each(['glue-rest', 'glue-api'] as const)('%s', (catalog) => {
  test('lists namespaces and tables over all pages, with formats', async () => {
    const aws = await catalogAws()
    aws.glue.createDatabase({ name: 'web' })
    aws.glue.createTable({ database: 'sales', name: 'old', format: 'orc', location: 's3://fixtures/old/' })
    aws.glue.createTable({ database: 'sales', name: 'seen', tableType: 'VIRTUAL_VIEW' })
    aws.glue.configure({ pageSize: 1 })
    const connection = connectionTo(aws, { catalog })
    expect(await namespacesOf(connection)).toEqual(['sales', 'web'])
    const tables = await tablesOf(connection, 'sales')
    expect(tables.map(({ name }) => name).sort()).toEqual([...names, 'old', 'seen'].sort())
    expect(tables.find(({ name }) => name === 'branches')).toMatchObject({ format: 'iceberg' })
    expect(tables.find(({ name }) => name === 'events')).toMatchObject({ format: 'csv' })
    expect(tables.find(({ name }) => name === 'old')).toMatchObject({ unsupported: 'it has ORC files' })
    expect(tables.find(({ name }) => name === 'seen')).toMatchObject({ unsupported: 'it is a view' })
  })

  test.each(icebergTables)('reads the files of %s', async (name) => {
    const aws = await catalogAws()
    const { table, scan, bytes } = await readTable(connectionTo(aws, { catalog }), name)
    const rows = icebergFixture(name).reads.find(({ at }) => Object.keys(at).length === 0)?.rows ?? []
    if (scan.kind === 'files' && scan.exact) expect(scan.exact.rows).toBe(BigInt(rows.length))
    expect(table.schema.columns.map((column) => column.name)).toEqual(Object.keys(rows[0] ?? {}))
    expect(bytes).toBeGreaterThan(0)
    // Sizes come from the manifests: nobody asks for them.
    expect(aws.log.entries().filter(({ method }) => method === 'HEAD')).toEqual([])
  })

  test('Hive tables: files by partition, pruned, without markers', async () => {
    const aws = await catalogAws()
    await opened(connectionTo(aws, { catalog }), 'events', async (table, signal) => {
      expect(table.schema.columns.map(({ name }) => name)).toEqual(['id', 'note', 'day', 'hour'])
      const all = await table.scan({ columns: [['id']], signal })
      expect(all.kind === 'files' && all.files.map(({ file }) => file.url)).toHaveLength(4)
      const day = BigInt(Date.UTC(2026, 0, 2) / 86_400_000)
      const scan = await table.scan({
        columns: [['note'], ['hour'], ['day']],
        filter: {
          kind: 'and',
          of: [
            { kind: 'compare', column: ['day'], operator: '=', value: day },
            { kind: 'compare', column: ['hour'], operator: '>', value: 9n },
          ],
        },
        signal,
      })
      expect(scan.kind === 'files' && scan.files).toMatchObject([
        {
          file: { url: 's3://fixtures/events/day=2026-01-02/hour=10/a.csv', size: 5 },
          format: { type: 'csv', header: false, delimiter: ',', quote: '"' },
          columns: [
            { name: 'note', source: { from: 'position', index: 1 } },
            { name: 'hour', source: { from: 'constant', value: 10n } },
            { name: 'day', source: { from: 'constant', value: day } },
          ],
          residual: false,
        },
      ])
      expect(await readAll(scan)).toBe(5)
    })
  })

  test('what is not there, and what can not be read, is named', async () => {
    const aws = await catalogAws()
    const table = (name: string, more: object) => aws.glue.createTable({ database: 'sales', name, ...more })
    table('orc', { format: 'orc', location: 's3://fixtures/x/' })
    table('avro', { format: 'avro', location: 's3://fixtures/x/' })
    table('view', { tableType: 'VIRTUAL_VIEW' })
    table('delta', { parameters: { 'spark.sql.sources.provider': 'delta' } })
    table('projected', { format: 'csv', parameters: { 'projection.enabled': 'true' } })
    table('gone', { metadataLocation: 's3://fixtures/nowhere.metadata.json' })
    aws.glue.createTable({
      database: 'sales',
      name: 'odd',
      format: 'parquet',
      location: 's3://fixtures/odd/',
      columns: [{ name: 'a', type: 'uniontype<int,string>' }],
    })
    const connection = connectionTo(aws, { catalog })
    const failure = (name: string) => readTable(connection, name)
    await expect(failure('none')).rejects.toMatchObject({
      kind: 'not-found',
      message: 'There is no table sales.none in the catalog.',
    })
    for (const [name, reason] of [
      ['orc', 'it has ORC files'],
      ['avro', 'Avro files in the manner of Hive'],
      ['view', 'it is a view'],
      ['delta', 'it is a Delta Lake table'],
      ['projected', 'its partitions are projected'],
      ['odd', 'uniontype<int,string>'],
    ] as const)
      await expect(failure(name)).rejects.toMatchObject({
        kind: 'data',
        message: expect.stringContaining(reason),
      })
    aws.glue.configure({ restMetadata: 'null' })
    await expect(failure('gone')).rejects.toMatchObject({ kind: 'not-found', code: 'NoMetadataFile' })
    await expect(tablesOf(connection, 'none')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('tables under Lake Formation are refused, unless the user knows that there are no filters', async () => {
    const aws = await catalogAws()
    const { metadata: metadataLocation } = icebergFixture('orders_v1')
    aws.glue.createTable({ database: 'sales', name: 'open', metadataLocation, lakeFormation: {} })
    aws.glue.createTable({
      database: 'sales',
      name: 'filtered',
      metadataLocation,
      lakeFormation: { rowFilter: 'id > 3' },
    })
    const refused = { kind: 'permission', code: 'LakeFormation' }
    for (const name of ['open', 'filtered'])
      await expect(readTable(connectionTo(aws, { catalog }), name)).rejects.toMatchObject(refused)
    const direct = connectionTo(aws, { catalog, lakeFormation: 'direct' })
    expect((await readTable(direct, 'open')).bytes).toBeGreaterThan(0)
    if (catalog === 'glue-rest') await expect(readTable(direct, 'filtered')).rejects.toMatchObject(refused)
    const tables = await tablesOf(connectionTo(aws, { catalog }), 'sales')
    expect(tables.find(({ name }) => name === 'open')?.unsupported).toBe('registered with Lake Formation')
  })

  test('a catalog below the default one', async () => {
    const aws = await catalogAws()
    aws.glue.createDatabase({ name: 'inner', catalog: 'cat1/cat2' })
    const { metadata: metadataLocation } = icebergFixture('branches')
    aws.glue.createTable({ database: 'inner', name: 't', catalog: 'cat1/cat2', metadataLocation })
    for (const warehouse of ['cat1/cat2', `${aws.account}:cat1/cat2`]) {
      const connection = connectionTo(aws, { catalog, warehouse })
      expect(await namespacesOf(connection)).toEqual(['inner'])
      expect((await readTable(connection, 't', ['inner'])).bytes).toBeGreaterThan(0)
    }
    for (const warehouse of [':', aws.account])
      expect(await namespacesOf(connectionTo(aws, { catalog, warehouse }))).toEqual(['sales'])
  })

  test('throttling, failures and broken connections in between are got over', async () => {
    const aws = await catalogAws()
    const service = catalog === 'glue-api' ? 'glue' : 'iceberg'
    for (const [index, kind] of (['slow-down', 'internal-error', 'reset'] as const).entries()) {
      aws.faults.add({ when: { service }, skip: index * 2, times: 1, fault: { kind } })
      aws.faults.add({ when: { service: 's3' }, skip: index * 2, times: 1, fault: { kind } })
    }
    expect((await readTable(connectionTo(aws, { catalog }), 'branches')).bytes).toBeGreaterThan(0)
  })
})

describe('s3-tables', () => {
  const setUp = async (): Promise<{ aws: Aws; fields: object; arn: string }> => {
    const aws = await catalogAws()
    const { arn, catalog } = aws.glue.createTableBucket({ name: 'daily', region: 'eu-central-1' })
    aws.glue.createDatabase({ name: 'ns', catalog })
    const { metadata: metadataLocation } = icebergFixture('orders_v1')
    aws.glue.createTable({ database: 'ns', name: 'orders', catalog, metadataLocation })
    return { aws, arn, fields: { catalog: 's3-tables', warehouse: arn } }
  }

  test('namespaces and tables by the endpoint of S3 Tables', async () => {
    const { aws, fields } = await setUp()
    aws.glue.configure({ restMetadata: 'null' })
    const connection = connectionTo(aws, fields as Record<string, unknown>)
    expect(await namespacesOf(connection)).toEqual(['ns'])
    expect(await tablesOf(connection, 'ns')).toEqual([{ namespace: ['ns'], name: 'orders' }])
    expect((await readTable(connection, 'orders', ['ns'])).bytes).toBeGreaterThan(0)
  })

  test('the warehouse has to be the ARN of a table bucket', async () => {
    const { aws } = await setUp()
    expect(() => connectionTo(aws, { catalog: 's3-tables', warehouse: 'daily' })).toThrow(
      'ARN of a table bucket',
    )
  })
})

describe('rest', () => {
  const location = icebergFixture('orders_v1').metadata

  const setUp = async (): Promise<Aws> => {
    const aws = await catalogAws()
    aws.rest.createNamespace({ levels: ['Top'] })
    aws.rest.createNamespace({ levels: ['Top', 'low er'] })
    aws.rest.createTable({ namespace: ['Top', 'low er'], name: 'Orders', metadataLocation: location })
    return aws
  }

  test('namespaces of several levels, names as they are', async () => {
    const aws = await setUp()
    aws.rest.configure({ prefix: 'cat/one' })
    aws.glue.configure({ pageSize: 1 })
    const connection = connectionTo(aws, { catalog: 'rest', warehouse: 'any' })
    expect(await namespacesOf(connection)).toEqual(['Top', 'Top.low er'])
    expect(await tablesOf(connection, 'Top', 'low er')).toEqual([
      { namespace: ['Top', 'low er'], name: 'Orders' },
    ])
    expect((await readTable(connection, 'Orders', ['Top', 'low er'])).bytes).toBeGreaterThan(0)
  })

  test('a bearer token', async () => {
    const aws = await setUp()
    aws.rest.configure({ auth: { kind: 'bearer', token: 'hush-hush' } })
    expect(await namespacesOf(connectionTo(aws, { catalog: 'rest', token: 'hush-hush' }))).toHaveLength(2)
    for (const token of [undefined, 'wrong'])
      await expect(
        namespacesOf(connectionTo(aws, { catalog: 'rest', ...(token && { token }) })),
      ).rejects.toMatchObject({
        kind: 'auth',
        code: 'NotAuthorized',
      })
  })

  test('client credentials; a token that ends in between is fetched again', async () => {
    const aws = await setUp()
    aws.rest.configure({
      auth: { kind: 'oauth2', clientId: 'me', clientSecret: 'hush-hush', scope: 'catalog' },
    })
    const oauth = { clientId: 'me', clientSecret: 'hush-hush', scope: 'catalog' }
    const connection = connectionTo(aws, { catalog: 'rest', oauth })
    await using(connection, async (context) => {
      const list = async () => {
        const found: string[] = []
        for await (const { name } of await zeroCopyTables(context, ['Top', 'low er'])) found.push(name)
        return found
      }
      expect(await list()).toEqual(['Orders'])
      aws.rest.expireTokens()
      expect(await list()).toEqual(['Orders'])
    })
    expect(aws.log.entries().filter(({ operation }) => operation === 'GetToken')).toHaveLength(2)
    const wrong = connectionTo(aws, { catalog: 'rest', oauth: { ...oauth, clientSecret: 'no-no-no' } })
    await expect(namespacesOf(wrong)).rejects.toMatchObject({ kind: 'auth' })
    await expect(namespacesOf(wrong)).rejects.not.toThrow('no-no-no')
  })

  test('credentials that the catalog hands out, only where they are asked for', async () => {
    const aws = await setUp()
    const { arn } = aws.identities.createRole({
      name: 'vended',
      trustPolicy: {
        Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: aws.account } },
      },
      policies: [{ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } }],
    })
    aws.rest.configure({ vendRole: arn })
    const auth = { method: 'anonymous' }
    const read = (fields: object) =>
      readTable(connectionTo(aws, { catalog: 'rest', auth, ...fields }), 'Orders', ['Top', 'low er'])
    await expect(read({})).rejects.toMatchObject({ kind: 'permission' })
    expect(aws.log.entries().some(({ accessDelegation }) => accessDelegation !== undefined)).toBe(false)
    expect((await read({ vendedCredentials: true })).bytes).toBeGreaterThan(0)
    expect(aws.log.entries().some(({ accessDelegation }) => accessDelegation === 'vended-credentials')).toBe(
      true,
    )
  })

  test('vended credentials that expire are handed out again', async () => {
    const aws = await setUp()
    const { arn } = aws.identities.createRole({
      name: 'vended',
      trustPolicy: {
        Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: aws.account } },
      },
      policies: [{ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } }],
    })
    aws.rest.configure({ vendRole: arn })
    const connection = connectionTo(aws, {
      catalog: 'rest',
      auth: { method: 'anonymous' },
      vendedCredentials: true,
    })
    await opened(
      connection,
      'Orders',
      async (table, signal) => {
        const scan = await table.scan({ columns: [], signal })
        aws.identities.expireSessions({ role: arn })
        expect(await readAll(scan)).toBeGreaterThan(0)
      },
      { namespace: ['Top', 'low er'] },
    )
  })
})
