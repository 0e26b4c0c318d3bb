import { expect, test } from 'vitest'
import { z } from 'zod'
import { brokenBucketNameRules } from './bucket-name.ts'
import { awsPartition, bucketAddress, endpointProblem } from './endpoint.ts'
import { checkEndpointSecurity, s3ConnectionFields } from './fields.ts'

test.each([
  ['ab', /3 to 63/],
  ['a'.repeat(64), /3 to 63/],
  ['My-Bucket', /no capitals/],
  ['my_bucket', /no underscore/],
  ['-bucket', /begins and ends/],
  ['bucket.', /begins and ends/],
  ['my..bucket', /two dots/],
  ['192.168.5.4', /IPv4/],
  ['xn--bucket', /"xn--"/],
  ['sthree-bucket', /"sthree-"/],
  ['amzn-s3-demo-bucket', /"amzn-s3-demo-"/],
  ['bucket-s3alias', /"-s3alias"/],
  ['bucket--ol-s3', /"--ol-s3"/],
  ['bucket.mrap', /".mrap"/],
  ['bucket--x-s3', /"--x-s3"/],
  ['bucket--table-s3', /"--table-s3"/],
])('bucket name %s is refused for the one rule that it breaks', (name, message) => {
  expect(brokenBucketNameRules(name)).toEqual([expect.stringMatching(message)])
  const parsed = z.object(s3ConnectionFields).safeParse({ region: 'us-east-1', bucket: name })
  expect(parsed.error?.issues).toEqual([
    expect.objectContaining({ path: ['bucket'], message: expect.stringMatching(message) }),
  ])
})

test.each(['abc', 'a1-b2', 'my.bucket.name', '1bucket9', 'a'.repeat(63), '192.168.5.4.example'])(
  'bucket name %s is accepted',
  (name) => {
    expect(brokenBucketNameRules(name)).toEqual([])
  },
)

test('a name that breaks several rules is told all of them', () => {
  expect(brokenBucketNameRules('_A')).toHaveLength(3)
})

test.each([
  ['https://minio.example.com:9000', false, undefined],
  ['http://127.0.0.1:9000', false, undefined],
  ['http://[::1]:9000', false, undefined],
  ['http://localhost:9000', false, undefined],
  ['http://s3.localhost:9000', false, undefined],
  ['http://minio.example.com', true, undefined],
  ['http://minio.example.com', false, /Plain http/],
  ['http://127.0.0.1.example.com', false, /Plain http/],
  ['ftp://example.com', true, /begins with https/],
  ['minio.example.com', false, /Not a URL/],
  ['https://key:secret@example.com', false, /no user name/],
  ['https://example.com/?a=b', false, /no query/],
])('endpoint %s with allowInsecure %s', (endpoint, allowInsecure, problem) => {
  const found = endpointProblem(endpoint, allowInsecure)
  if (problem) expect(found).toMatch(problem)
  else expect(found).toBeUndefined()
})

test('an insecure endpoint is an error of its field', () => {
  const schema = z.strictObject(s3ConnectionFields).superRefine(checkEndpointSecurity)
  const input = { region: 'us-east-1', bucket: 'lake', endpoint: 'http://a.example', stsEndpoint: 'nonsense' }
  expect(schema.safeParse(input).error?.issues.map((issue) => issue.path)).toEqual([
    ['endpoint'],
    ['stsEndpoint'],
  ])
})

test.each([
  [{ bucket: 'lake' }, 'https://lake.s3.eu-west-1.amazonaws.com', ''],
  [{ bucket: 'a.b' }, 'https://s3.eu-west-1.amazonaws.com', '/a.b'],
  [{ bucket: 'lake', forcePathStyle: true }, 'https://s3.eu-west-1.amazonaws.com', '/lake'],
  [{ bucket: 'lake', region: 'cn-north-1' }, 'https://lake.s3.cn-north-1.amazonaws.com.cn', ''],
  [{ bucket: 'lake', endpoint: 'https://store.example:9000' }, 'https://store.example:9000', '/lake'],
  [{ bucket: 'lake', endpoint: 'https://store.example/s3/' }, 'https://store.example', '/s3/lake'],
  [
    { bucket: 'lake', endpoint: 'https://store.example', forcePathStyle: false },
    'https://lake.store.example',
    '',
  ],
  [{ bucket: 'lake', endpoint: 'http://127.0.0.1:9', forcePathStyle: false }, 'http://127.0.0.1:9', '/lake'],
  [
    { bucket: 'lake', endpoint: 'https://s3.us-east-1.amazonaws.com' },
    'https://lake.s3.us-east-1.amazonaws.com',
    '',
  ],
])('%j is addressed at %s%s', (options, origin, path) => {
  expect(bucketAddress({ region: 'eu-west-1', ...options })).toMatchObject({ origin, path })
})

test('an insecure endpoint is refused where it is used, too', () => {
  const options = { region: 'us-east-1', bucket: 'lake', endpoint: 'http://a.example' }
  expect(() => bucketAddress(options)).toThrow(/Plain http/)
})

test('partitions are known by region', () => {
  expect(awsPartition('us-gov-west-1').id).toBe('aws-us-gov')
  expect(awsPartition('cn-north-1').id).toBe('aws-cn')
  expect(awsPartition(undefined).id).toBe('aws')
})
