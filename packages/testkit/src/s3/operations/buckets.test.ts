import {
  type BucketCannedACL,
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf, send } from '../../../test/clients.ts'
import { type Aws, startAws } from '../../aws.ts'

let aws: Aws
let s3: S3Client

const codeOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => 'ok',
    (error: { name: string }) => error.name,
  )
const create = (
  Bucket: string,
  { constraint, client = s3 }: { constraint?: string; client?: S3Client } = {},
) =>
  client.send(
    new CreateBucketCommand({
      Bucket,
      ...(constraint !== undefined && {
        CreateBucketConfiguration: { LocationConstraint: constraint as BucketLocationConstraint },
      }),
    }),
  )

beforeAll(async () => {
  aws = await startAws()
  s3 = clientOf(aws)
})

afterAll(() => aws.close())

describe('CreateBucket', () => {
  test.each([
    ['ab'],
    ['a'.repeat(64)],
    ['Upper'],
    ['under_score'],
    ['-begin'],
    ['end-'],
    ['two..dots'],
    ['192.168.0.1'],
    ['xn--a'],
    ['sthree-a'],
    ['amzn-s3-demo-a'],
    ['a-s3alias'],
    ['a--ol-s3'],
    ['a.mrap'],
    ['a--x-s3'],
    ['a--table-s3'],
  ])('%s is no name for a bucket', async (name) => {
    const reply = await send(aws, { path: `/${name}`, method: 'PUT' })
    expect(reply).toMatchObject({ status: 400, code: 'InvalidBucketName' })
  })

  test.each([
    ['us-east-1', undefined, 'ok', ''],
    ['us-east-1', 'eu-west-1', 'ok', 'eu-west-1'],
    ['us-east-1', 'EU', 'ok', 'eu-west-1'],
    ['us-east-1', 'us-east-1', 'InvalidLocationConstraint', ''],
    ['us-east-1', 'mars-north-1', 'InvalidLocationConstraint', ''],
    ['eu-west-1', undefined, 'IllegalLocationConstraintException', ''],
    ['eu-west-1', 'eu-west-1', 'ok', 'eu-west-1'],
    ['eu-west-1', 'us-west-2', 'IllegalLocationConstraintException', ''],
  ])('through %s with the constraint %s: %s', async (region, constraint, outcome, location) => {
    const name = `made-${region}-${constraint}`.toLowerCase()
    const body =
      constraint === undefined
        ? ''
        : `<CreateBucketConfiguration><LocationConstraint>${constraint}</LocationConstraint></CreateBucketConfiguration>`
    const reply = await send(aws, { path: `/${name}`, method: 'PUT', body, region })
    expect(reply.code ?? 'ok').toBe(outcome)
    if (outcome !== 'ok') return
    const { LocationConstraint } = await s3.send(new GetBucketLocationCommand({ Bucket: name }))
    expect(LocationConstraint ?? '').toBe(location)
  })

  test('a bucket that one owns: fine in us-east-1, a conflict elsewhere; another’s is always one', async () => {
    const stranger = clientOf(aws, { credentials: aws.identities.rootOf('999988887777') })
    await create('mine-us')
    expect(await codeOf(create('mine-us'))).toBe('ok')
    await create('mine-eu', { constraint: 'eu-west-1' })
    expect(await codeOf(create('mine-eu', { constraint: 'eu-west-1' }))).toBe('BucketAlreadyOwnedByYou')
    expect(await codeOf(create('mine-us', { client: stranger }))).toBe('BucketAlreadyExists')
  })

  test('strangers make no buckets, and broken documents neither', async () => {
    expect((await send(aws, { path: '/nobodys', method: 'PUT', credentials: null })).code).toBe(
      'AccessDenied',
    )
    expect((await send(aws, { path: '/broken', method: 'PUT', body: '<x' })).code).toBe('MalformedXML')
  })
})

test('each account lists its own buckets, by pages', async () => {
  const other = clientOf(aws, { credentials: aws.identities.rootOf('444455556666') })
  for (const name of ['list-b', 'list-a', 'list-c']) await create(name, { client: other })
  const all = await other.send(new ListBucketsCommand({}))
  expect(all.Buckets?.map(({ Name }) => Name)).toEqual(['list-a', 'list-b', 'list-c'])
  const first = await other.send(new ListBucketsCommand({ MaxBuckets: 2 }))
  const token = first.ContinuationToken ?? ''
  const rest = await other.send(new ListBucketsCommand({ MaxBuckets: 2, ContinuationToken: token }))
  expect(rest.Buckets?.map(({ Name, BucketRegion }) => [Name, BucketRegion])).toEqual([
    ['list-c', 'us-east-1'],
  ])
  const prefixed = await other.send(new ListBucketsCommand({ Prefix: 'list-b' }))
  expect(prefixed.Buckets).toHaveLength(1)
})

test('a bucket is deleted when it is empty, whatever uploads are open', async () => {
  await create('short')
  await s3.send(new PutObjectCommand({ Bucket: 'short', Key: 'k', Body: 'x' }))
  const remove = () => codeOf(s3.send(new DeleteBucketCommand({ Bucket: 'short' })))
  expect(await remove()).toBe('BucketNotEmpty')
  aws.s3.deleteObject('short', 'k')
  await send(aws, { path: '/short/open?uploads', method: 'POST' })
  expect(await remove()).toBe('ok')
  expect(await remove()).toBe('NoSuchBucket')
})

describe('regions', () => {
  beforeAll(() => aws.s3.createBucket({ name: 'far-away', region: 'eu-central-1' }))

  test('the global endpoint says that the signature names the wrong region', async () => {
    const reply = await send(aws, { path: '/far-away?list-type=2' })
    expect(reply).toMatchObject({ status: 400, code: 'AuthorizationHeaderMalformed' })
    expect(reply.headers['x-amz-bucket-region']).toBe('eu-central-1')
    expect(reply.text).toContain('<Region>eu-central-1</Region>')
  })

  test('a regional endpoint redirects', async () => {
    const reply = await send(aws, { path: '/far-away/key', region: 'us-west-2' })
    expect(reply).toMatchObject({ status: 301, code: 'PermanentRedirect' })
    expect(reply.headers['x-amz-bucket-region']).toBe('eu-central-1')
    expect(reply.text).toContain('<Endpoint>far-away.s3.eu-central-1.amazonaws.com</Endpoint>')
  })

  test('HEAD tells the region without a body; the location is told to all', async () => {
    const head = await send(aws, { path: '/far-away', method: 'HEAD', region: 'us-west-2' })
    expect([head.status, head.headers['x-amz-bucket-region'], head.text]).toEqual([301, 'eu-central-1', ''])
    const location = await send(aws, { path: '/far-away?location' })
    expect(location.text).toContain('>eu-central-1</LocationConstraint>')
    const right = await clientOf(aws, { region: 'eu-central-1' }).send(
      new HeadBucketCommand({ Bucket: 'far-away' }),
    )
    expect(right.BucketRegion).toBe('eu-central-1')
  })

  test('the SDK can follow', async () => {
    const client = clientOf(aws, { region: 'us-west-2', followRegionRedirects: true, maxAttempts: 2 })
    expect((await client.send(new ListObjectsV2Command({ Bucket: 'far-away' }))).KeyCount).toBe(0)
  })

  test('a name that is no region is told the right one', async () => {
    const reply = await send(aws, { path: '/new-one', method: 'PUT', region: 'US' })
    expect(reply.code).toBe('AuthorizationHeaderMalformed')
    expect(reply.text).toContain('<Region>us-east-1</Region>')
  })
})

test('the expected owner of a bucket is checked', async () => {
  await create('owned')
  const head = (ExpectedBucketOwner: string) =>
    s3.send(new HeadBucketCommand({ Bucket: 'owned', ExpectedBucketOwner }))
  expect(await codeOf(head(aws.account))).toBe('ok')
  expect(
    (await send(aws, { path: '/owned', headers: { 'x-amz-expected-bucket-owner': '000000000000' } })).code,
  ).toBe('AccessDenied')
})

test('policy, ACL, versioning and tags are kept as they were put', async () => {
  const Bucket = 'settings'
  await create(Bucket)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
    ],
  })
  expect(await codeOf(s3.send(new GetBucketPolicyCommand({ Bucket })))).toBe('NoSuchBucketPolicy')
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
  expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy)
  const elsewhere = Policy.replaceAll(Bucket, 'elsewhere')
  expect(await codeOf(s3.send(new PutBucketPolicyCommand({ Bucket, Policy: elsewhere })))).toBe(
    'MalformedPolicy',
  )
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }))
  expect(await codeOf(s3.send(new GetBucketPolicyCommand({ Bucket })))).toBe('NoSuchBucketPolicy')

  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled')

  expect(await codeOf(s3.send(new GetBucketTaggingCommand({ Bucket })))).toBe('NoSuchTagSet')
  await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }))
  expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual([{ Key: 'a', Value: 'b' }])
  await s3.send(new DeleteBucketTaggingCommand({ Bucket }))

  const grants = async (ACL: BucketCannedACL) => {
    await s3.send(new PutBucketAclCommand({ Bucket, ACL }))
    const { Grants } = await s3.send(new GetBucketAclCommand({ Bucket }))
    return Grants?.map(({ Permission }) => Permission)
  }
  expect(await grants('private')).toEqual(['FULL_CONTROL'])
  expect(await grants('public-read')).toEqual(['FULL_CONTROL', 'READ'])
  expect(await grants('public-read-write')).toEqual(['FULL_CONTROL', 'READ', 'WRITE'])
  expect((await send(aws, { path: `/${Bucket}?list-type=2`, credentials: null })).status).toBe(200)
})

test.each([
  'cors',
  'lifecycle',
  'encryption',
  'policyStatus',
  'object-lock',
  'website',
  'notification',
  'inventory',
])('?%s is refused, not taken for something else', async (subresource) => {
  await create('sub')
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const reply = await send(aws, { path: `/sub?${subresource}`, method })
    expect([method, reply.status, reply.code]).toEqual([method, 501, 'NotImplemented'])
  }
  expect(aws.s3.bucketNames()).toContain('sub')
})
