import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Aws, startAws } from '../aws.ts'
import type { Fault, FaultCondition } from './faults.ts'

const at = { Bucket: 'lake', Key: 'a' }
const body = Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvwxyz')

let aws: Aws
let closers: { destroy(): void }[] = []

beforeAll(async () => {
  aws = await startAws()
  await aws.s3.createBucket({ name: 'lake' })
})
afterAll(() => aws?.close())

beforeEach(async () => {
  await aws.s3.putObject({ bucket: 'lake', key: 'a', body })
  aws.log.clear()
})
afterEach(() => {
  aws.faults.clear()
  for (const client of closers) client.destroy()
  closers = []
})

const settings = (maxAttempts: number) => ({
  endpoint: aws.endpoint,
  region: 'us-east-1',
  credentials: aws.root,
  maxAttempts,
})

function client(maxAttempts = 1): S3Client {
  const made = new S3Client({ ...settings(maxAttempts), forcePathStyle: true })
  closers.push(made)
  return made
}

const once = (fault: Fault, when: FaultCondition = {}) => aws.faults.add({ when, times: 1, fault })

async function read(s3: S3Client, Range?: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ ...at, ...(Range && { Range }) }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

test.each<Fault>([{ kind: 'slow-down' }, { kind: 'internal-error' }, { kind: 'reset' }])(
  'a client that tries again gets over $kind, and the log has both requests',
  async (fault) => {
    once(fault, { operation: 'GetObject' })
    expect((await read(client(2))).equals(body)).toBe(true)
    expect(aws.log.entries()).toMatchObject([{ faults: [fault.kind] }, { status: 200, faults: [] }])
  },
)

test('a body that is cut or reset fails, a range after it succeeds', async () => {
  for (const kind of ['truncate-body', 'reset-body'] as const) {
    once({ kind, afterBytes: 100_000 })
    await expect(read(client())).rejects.toThrow()
    expect((await read(client(), 'bytes=100000-')).equals(body.subarray(100_000))).toBe(true)
  }
})

test('a range can fail alone', async () => {
  once({ kind: 'slow-down' }, { minRangeStart: 100_000 })
  await read(client(), 'bytes=0-99999')
  await expect(read(client(), 'bytes=100000-199999')).rejects.toThrow('Please reduce your request rate.')
})

test('a corrupt body keeps its length and ETag: only a checksum tells', async () => {
  once({ kind: 'corrupt-body', atByte: 250_000 })
  await client().send(new PutObjectCommand({ ...at, Body: body }))
  const intact = await client().send(new HeadObjectCommand(at))
  aws.faults.clear()
  once({ kind: 'corrupt-body', atByte: 250_000 }, { operation: 'GetObject' })
  const checked = await client().send(new GetObjectCommand({ ...at, ChecksumMode: 'ENABLED' }))
  expect(checked.ETag).toBe(intact.ETag)
  expect(checked.ContentLength).toBe(body.length)
  await expect(checked.Body?.transformToByteArray()).rejects.toThrow(/checksum/i)
  expect((await read(client())).equals(body)).toBe(true)
})

test('an object that changes between list and get fails the condition of its ETag', async () => {
  const listed = await client().send(new ListObjectsV2Command({ Bucket: 'lake' }))
  const IfMatch = listed.Contents?.[0]?.ETag ?? ''
  once(
    { kind: 'change-object', mutate: (old) => Buffer.concat([old, Buffer.from('!')]) },
    { operation: 'GetObject' },
  )
  await expect(client().send(new GetObjectCommand({ ...at, IfMatch }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 412 },
  })
  expect((await read(client())).length).toBe(body.length + 1)
})

test('an expired token in the middle of a run is ExpiredToken, for S3 and STS each in its way', async () => {
  aws.faults.add({ fault: { kind: 'expired-token' } })
  const status = (httpStatusCode: number) => ({ name: 'ExpiredToken', $metadata: { httpStatusCode } })
  await expect(read(client())).rejects.toMatchObject(status(400))
  const sts = new STSClient(settings(1))
  closers.push(sts)
  await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject(status(403))
})

test('a lost answer leaves the object written', async () => {
  once({ kind: 'reset', handled: true }, { operation: 'PutObject' })
  await expect(client().send(new PutObjectCommand({ ...at, Key: 'lost', Body: 'x' }))).rejects.toThrow()
  expect(await aws.s3.listKeys('lake')).toContain('lost')
})

test('CompleteMultipartUpload can answer 200 with an error inside', async () => {
  const big = { Bucket: 'lake', Key: 'big' }
  const { UploadId = '' } = await client().send(new CreateMultipartUploadCommand(big))
  const { ETag = '' } = await client().send(
    new UploadPartCommand({ ...big, UploadId, PartNumber: 1, Body: 'x' }),
  )
  once(
    { kind: 'error', status: 200, code: 'InternalError', message: 'We encountered an internal error.' },
    { operation: 'CompleteMultipartUpload' },
  )
  const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] }
  const complete = new CompleteMultipartUploadCommand({ ...big, UploadId, MultipartUpload })
  await expect(client().send(complete)).rejects.toMatchObject({ name: 'InternalError' })
  expect(await aws.s3.listKeys('lake')).not.toContain('big')
  await client().send(complete)
  expect(await aws.s3.listKeys('lake')).toContain('big')
})

test('a clock that is off refuses the signature, and its Date header lets the client correct itself', async () => {
  aws.faults.add({ fault: { kind: 'clock-skew', ms: 3_600_000 } })
  await expect(read(client(1))).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' })
  expect((await read(client(3))).length).toBe(body.length)
})

test('a request that hangs ends when the client gives up, and is in the log', async () => {
  once({ kind: 'hang' })
  const abortSignal = AbortSignal.timeout(100)
  await expect(client().send(new GetObjectCommand(at), { abortSignal })).rejects.toThrow()
  expect((await read(client())).length).toBe(body.length)
  expect(aws.log.entries()[0]).toMatchObject({ operation: 'GetObject', faults: ['hang'] })
})

test('a slow drip delivers everything in the end', async () => {
  once({ kind: 'slow-drip', chunkBytes: 50_000, intervalMs: 2 })
  expect((await read(client())).equals(body)).toBe(true)
})
