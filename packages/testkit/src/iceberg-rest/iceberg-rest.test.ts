import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RawRequest, send } from '../../test/clients.ts'
import { type Aws, startAws } from '../aws.ts'

let aws: Aws

/** With an id that a JavaScript number cannot hold. */
const metadata = '{"format-version":2,"current-snapshot-id":9007199254740993123}'
const location = 's3://lake/orders/metadata/v1.metadata.json'

beforeAll(async () => {
  aws = await startAws()
  aws.s3.createBucket({ name: 'lake' })
  await aws.s3.putObject({ bucket: 'lake', key: 'orders/metadata/v1.metadata.json', body: metadata })
  await aws.s3.putObject({ bucket: 'lake', key: 'zipped.gz.metadata.json', body: gzipSync(metadata) })
  aws.glue.createDatabase({ name: 'sales' })
  aws.glue.createTable({ database: 'sales', name: 'orders', metadataLocation: location })
  aws.glue.createTable({
    database: 'sales',
    name: 'zipped',
    metadataLocation: 's3://lake/zipped.gz.metadata.json',
  })
  aws.glue.createTable({ database: 'sales', name: 'lost', metadataLocation: 's3://lake/nowhere' })
  aws.glue.createTable({ database: 'sales', name: 'plain', format: 'parquet', location: 's3://lake/plain/' })
  aws.glue.createTable({
    database: 'sales',
    name: 'filtered',
    metadataLocation: location,
    lakeFormation: { rowFilter: "region = 'EU'" },
  })
  aws.glue.createDatabase({ name: 'inner', catalog: 'cat1/cat2' })
  const { catalog } = aws.glue.createTableBucket({ name: 'tables' })
  aws.glue.createDatabase({ name: 'ns', catalog })
  aws.s3.createBucket({ name: '63a8e430-6e0b-4f5a--table-s3' })
  await aws.s3.putObject({ bucket: '63a8e430-6e0b-4f5a--table-s3', key: 'metadata/v1.json', body: metadata })
  aws.glue.createTable({
    database: 'ns',
    name: 'daily',
    catalog,
    metadataLocation: 's3://63a8e430-6e0b-4f5a--table-s3/metadata/v1.json',
  })
  aws.rest.createNamespace({ levels: ['Top'] })
  aws.rest.createNamespace({ levels: ['Top', 'below'] })
  aws.rest.createTable({ namespace: ['Top', 'below'], name: 'Orders', metadataLocation: location })
})

beforeEach(() => {
  aws.log.clear()
  aws.faults.clear()
  aws.glue.configure({ pageSize: 100, restMetadata: 'inline' })
  aws.rest.configure({ auth: { kind: 'none' } })
})

afterAll(() => aws?.close())

interface Answer {
  status: number
  text: string
  body: {
    error?: { code: number; type: string; message: string }
    overrides?: { prefix?: string }
    namespaces?: string[][]
    identifiers?: { namespace: string[]; name: string }[]
    'next-page-token'?: string | null
    metadata?: unknown
    'metadata-location'?: string
    config?: Record<string, string>
  }
}

async function get(path: string, options: Omit<RawRequest, 'path'> = {}): Promise<Answer> {
  const { status, text } = await send(aws, { service: 'glue', ...options, path })
  return { status, text, body: JSON.parse(text) as Answer['body'] }
}

describe('the endpoint of Glue', () => {
  test('config tells the prefix, for the account, the default and nested catalogs', async () => {
    for (const [warehouse, prefix] of [
      ['111122223333', 'catalogs/111122223333'],
      ['%3A', 'catalogs/111122223333'],
      ['cat1%2Fcat2', 'catalogs/111122223333:cat1/cat2'],
    ]) {
      const { body } = await get(`/iceberg/v1/config?warehouse=${warehouse}`)
      expect(body.overrides?.prefix).toBe(prefix)
    }
    expect((await get('/iceberg/v1/config?warehouse=other')).body.error).toMatchObject({
      code: 404,
      type: 'EntityNotFoundException',
    })
  })

  test('namespaces and tables of a catalog, also of those that are no Iceberg tables', async () => {
    const at = '/iceberg/v1/catalogs/111122223333/namespaces'
    expect((await get(at)).body.namespaces).toEqual([['sales']])
    const { identifiers } = (await get(`${at}/sales/tables`)).body
    expect(identifiers?.map(({ name }) => name)).toEqual(['filtered', 'lost', 'orders', 'plain', 'zipped'])
    const nested = '/iceberg/v1/catalogs/111122223333:cat1/cat2/namespaces'
    expect((await get(nested)).body.namespaces).toEqual([['inner']])
    expect((await get(`${at}/none`)).body.error).toMatchObject({
      code: 404,
      type: 'NoSuchNamespaceException',
    })
  })

  test('pages follow their token', async () => {
    aws.glue.configure({ pageSize: 2 })
    const at = '/iceberg/v1/catalogs/111122223333/namespaces/sales/tables'
    const names: string[] = []
    for (let token: string | null | undefined = ''; token !== null; ) {
      const { body } = await get(`${at}?pageToken=${token}`)
      expect(body.identifiers?.length).toBeLessThanOrEqual(2)
      names.push(...(body.identifiers ?? []).map(({ name }) => name))
      token = body['next-page-token'] ?? null
    }
    expect(names).toEqual(['filtered', 'lost', 'orders', 'plain', 'zipped'])
  })

  test('a table comes with its metadata, every digit of it', async () => {
    const at = '/iceberg/v1/catalogs/111122223333/namespaces/sales/tables'
    const found = await get(`${at}/orders`)
    expect(found.text).toContain('9007199254740993123')
    expect(found.body['metadata-location']).toBe(location)
    expect((await get(`${at}/zipped`)).text).toContain('9007199254740993123')
    aws.glue.configure({ restMetadata: 'null' })
    expect((await get(`${at}/orders`)).body).toMatchObject({ metadata: null, 'metadata-location': location })
  })

  test.each([
    ['none', 404, 'NoSuchTableException'],
    ['plain', 404, 'NoSuchIcebergTableException'],
    ['lost', 400, 'InvalidInputException'],
    ['filtered', 403, 'AccessDeniedException'],
  ])('table %s is refused', async (name, status, type) => {
    const answer = await get(`/iceberg/v1/catalogs/111122223333/namespaces/sales/tables/${name}`)
    expect(answer).toMatchObject({ status, body: { error: { code: status, type } } })
  })

  test('rights are those of the Glue API', async () => {
    const user = aws.identities.createUser({ name: 'nobody' })
    const at = '/iceberg/v1/catalogs/111122223333/namespaces'
    for (const [path, action] of [
      ['/iceberg/v1/config?warehouse=111122223333', 'glue:GetCatalog'],
      [at, 'glue:GetDatabases'],
      [`${at}/sales`, 'glue:GetDatabase'],
      [`${at}/sales/tables`, 'glue:GetTables'],
      [`${at}/sales/tables/orders`, 'glue:GetTable'],
    ] as const) {
      const { status, body } = await get(path, { credentials: user })
      expect(status).toBe(403)
      expect(body.error).toMatchObject({ code: 403, type: 'AccessDeniedException' })
      expect(body.error?.message).toContain(`perform: ${action} on resource: arn:aws:glue:us-east-1:`)
    }
  })

  test('requests without a signature, or with a wrong one', async () => {
    const path = '/iceberg/v1/config'
    expect((await get(path, { credentials: null })).body.error?.type).toBe(
      'MissingAuthenticationTokenException',
    )
    const wrong = { ...aws.root, secretAccessKey: 'wrong' }
    expect((await get(path, { credentials: wrong })).body.error?.type).toBe('InvalidSignatureException')
  })

  test('a bucket may be called iceberg', async () => {
    aws.s3.createBucket({ name: 'iceberg' })
    await aws.s3.putObject({ bucket: 'iceberg', key: 'v1/config', body: 'x' })
    expect((await send(aws, { path: '/iceberg/v1/config' })).text).toBe('x')
  })

  test('faults are answered as REST errors', async () => {
    aws.faults.add({
      when: { service: 'iceberg', operation: 'LoadTable', key: 'sales.*' },
      fault: { kind: 'slow-down' },
    })
    const { status, body } = await get('/iceberg/v1/catalogs/111122223333/namespaces/sales/tables/orders')
    expect(status).toBe(429)
    expect(body.error?.type).toBe('ThrottlingException')
  })
})

describe('the endpoint of S3 Tables', () => {
  const arn = 'arn:aws:s3tables:us-east-1:111122223333:bucket/tables'
  const prefix = encodeURIComponent(arn)
  const signed = { service: 's3tables' }

  test('the prefix is the percent-encoded ARN, and the signature encodes it once more', async () => {
    const { body } = await get(`/iceberg/v1/config?warehouse=${prefix}`, signed)
    expect(body.overrides?.prefix).toBe(prefix)
    const at = `/iceberg/v1/${prefix}/namespaces`
    expect((await get(at, signed)).body.namespaces).toEqual([['ns']])
    expect((await get(`${at}/ns/tables/daily`, signed)).text).toContain('9007199254740993123')
  })

  test('its rights are those of S3 Tables, for the files of a table as well', async () => {
    const statement = (Action: string, Resource: string) => ({ Effect: 'Allow' as const, Action, Resource })
    const user = aws.identities.createUser({
      name: 'tables',
      policies: [{ Statement: [statement('s3tables:GetTableMetadataLocation', `${arn}/table/*`)] }],
    })
    const path = `/iceberg/v1/${prefix}/namespaces/ns/tables/daily`
    const { body } = await get(path, { ...signed, credentials: user })
    expect(body.error?.message).toContain(`s3tables:GetTableData on resource: ${arn}/table/ns.daily`)
    const read = () =>
      send(aws, { path: '/63a8e430-6e0b-4f5a--table-s3/metadata/v1.json', credentials: user })
    expect((await read()).status).toBe(403)
    aws.identities.putUserPolicy(
      'tables',
      { Statement: statement('s3tables:GetTableData', `${arn}/table/*`) },
      'more',
    )
    expect((await get(path, { ...signed, credentials: user })).status).toBe(200)
    expect((await read()).text).toBe(metadata)
  })

  test('the tables are seen through Glue too', async () => {
    const { body } = await get('/iceberg/v1/catalogs/s3tablescatalog/tables/namespaces/ns/tables')
    expect(body.identifiers).toEqual([{ namespace: ['ns'], name: 'daily' }])
  })
})

describe('the catalog that is none of AWS', () => {
  const open = (path: string, headers: Record<string, string> = {}) =>
    get(path, { credentials: null, headers })

  test('namespaces of several levels; names keep their case', async () => {
    expect((await open('/_iceberg/v1/namespaces')).body.namespaces).toEqual([['Top']])
    expect((await open('/_iceberg/v1/namespaces?parent=Top')).body.namespaces).toEqual([['Top', 'below']])
    const { body } = await open('/_iceberg/v1/namespaces/Top%1Fbelow/tables')
    expect(body.identifiers).toEqual([{ namespace: ['Top', 'below'], name: 'Orders' }])
  })

  test('a bearer token', async () => {
    aws.rest.configure({ auth: { kind: 'bearer', token: 'secret-token' } })
    const path = '/_iceberg/v1/namespaces'
    expect(await open(path)).toMatchObject({
      status: 401,
      body: { error: { type: 'NotAuthorizedException' } },
    })
    expect((await open(path, { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await open(path, { authorization: 'Bearer secret-token' })).status).toBe(200)
  })

  test('client credentials, until the token ends', async () => {
    aws.rest.configure({ auth: { kind: 'oauth2', clientId: 'me', clientSecret: 'hush', scope: 'catalog' } })
    const ask = async (form: Record<string, string>) => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString()
      const { status, text } = await send(aws, {
        method: 'POST',
        path: '/_iceberg/v1/oauth/tokens',
        body,
        credentials: null,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      return { status, body: JSON.parse(text) as { error?: string; access_token?: string } }
    }
    expect((await ask({ client_id: 'me', client_secret: 'no', scope: 'catalog' })).body.error).toBe(
      'invalid_client',
    )
    expect((await ask({ client_id: 'me', client_secret: 'hush' })).body.error).toBe('invalid_scope')
    const { body } = await ask({ client_id: 'me', client_secret: 'hush', scope: 'catalog' })
    const authorization = `Bearer ${body.access_token}`
    expect((await open('/_iceberg/v1/namespaces', { authorization })).status).toBe(200)
    aws.rest.expireTokens()
    expect((await open('/_iceberg/v1/namespaces', { authorization })).body.error?.message).toContain(
      'expired',
    )
  })

  test('credentials come with a table only where they are asked for', async () => {
    const { arn } = aws.identities.createRole({
      name: 'vended',
      trustPolicy: {
        Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '111122223333' } },
      },
      policies: [{ Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' } }],
    })
    aws.rest.configure({ vendRole: arn })
    const path = '/_iceberg/v1/namespaces/Top%1Fbelow/tables/Orders'
    expect((await open(path)).body.config).toEqual({})
    const { config = {} } = (await open(path, { 'x-iceberg-access-delegation': 'vended-credentials' })).body
    const credentials = {
      accessKeyId: config['s3.access-key-id'] ?? '',
      secretAccessKey: config['s3.secret-access-key'] ?? '',
      sessionToken: config['s3.session-token'] ?? '',
    }
    expect((await send(aws, { path: '/lake/orders/metadata/v1.metadata.json', credentials })).text).toBe(
      metadata,
    )
  })
})
