import { expect, test } from 'vitest'
import { zeroCopyPolicy } from './zero-copy.ts'

const region = 'eu-central-1'
const byId = (policy: ReturnType<typeof zeroCopyPolicy>) =>
  Object.fromEntries(policy.Statement.map((statement) => [statement.Sid, statement]))

test('without a choice all databases and tables of the catalog', () => {
  const policy = byId(zeroCopyPolicy({ region, catalog: 'glue', locations: [] }))
  expect(policy.ReadTables).toMatchObject({
    Action: ['glue:GetTable', 'glue:GetPartitions'],
    Resource: [
      'arn:aws:glue:eu-central-1:*:catalog',
      'arn:aws:glue:eu-central-1:*:database/*',
      'arn:aws:glue:eu-central-1:*:table/*/*',
    ],
  })
  expect(policy.ReadFiles).toMatchObject({ Action: 's3:GetObject', Resource: ['arn:aws:s3:::*/*'] })
})

test('chosen tables and known locations narrow it', () => {
  const policy = byId(
    zeroCopyPolicy({
      region,
      catalog: 'glue',
      catalogId: '111122223333:cat1/cat2',
      shares: [{ database: 'sales', tables: ['orders', 'items'] }, { database: 'web' }],
      locations: ['s3://lake/sales/', 's3://lake/web', 's3a://other'],
    }),
  )
  const arn = 'arn:aws:glue:eu-central-1:111122223333'
  expect(policy.ReadTables?.Resource).toEqual([
    `${arn}:catalog`,
    `${arn}:catalog/cat1/cat2`,
    `${arn}:database/cat1/cat2/sales`,
    `${arn}:database/cat1/cat2/web`,
    `${arn}:table/cat1/cat2/sales/orders`,
    `${arn}:table/cat1/cat2/sales/items`,
    `${arn}:table/cat1/cat2/web/*`,
  ])
  expect(policy.ListFiles?.Resource).toEqual(['arn:aws:s3:::lake', 'arn:aws:s3:::other'])
  expect(policy.ReadFiles?.Resource).toEqual([
    'arn:aws:s3:::lake/sales/*',
    'arn:aws:s3:::lake/web*',
    'arn:aws:s3:::other/*',
  ])
})

test('tables of S3 Tables are read by rights on the table bucket', () => {
  const catalogId = 'arn:aws:s3tables:eu-central-1:111122223333:bucket/daily'
  const policy = byId(zeroCopyPolicy({ region, catalog: 's3-tables', catalogId, locations: [] }))
  expect(policy.ReadTables?.Resource).toBe(`${catalogId}/table/*`)
  expect(policy.ReadFiles).toBeUndefined()
})

test('without TLS all of it is denied, and addresses narrow what is allowed', () => {
  const { Statement } = zeroCopyPolicy(
    { region, catalog: 'glue', locations: ['s3://lake/'] },
    { secureTransport: true, sourceIps: ['203.0.113.0/24'] },
  )
  expect(Statement.at(-1)).toMatchObject({ Effect: 'Deny', Action: ['glue:*', 's3:*'] })
  for (const { Effect, Condition } of Statement)
    if (Effect === 'Allow') expect(Condition).toEqual({ IpAddress: { 'aws:SourceIp': ['203.0.113.0/24'] } })
})
