import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  RestoreObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { ConnectorError } from '@penstock/core'
import type { Aws } from '@penstock/testkit'
import { Agent } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { bucket, embeddedAws, keyAuth, region } from '../../test/embedded.ts'
import { bucketAddress } from '../connection/endpoint.ts'
import { createRetries, retrySettings } from '../http/retry.ts'
import { assertReadOnly } from './read-only.ts'
import { createSdkClient } from './sdk.ts'
import { createTransport } from './transport.ts'

const signal = new AbortController().signal
const environment = { region, signal, clock: () => new Date() }
const counters = () => ({ requests: 0, bytes: 0, throttled: 0, clockOffsetMs: 0 })

const sdkOf = async (aws: Aws, access: 'read-only' | 'read-write'): Promise<S3Client> => {
  const dispatcher = new Agent()
  const sdk = await createSdkClient({
    config: { region, bucket, endpoint: aws.endpoint },
    pathStyle: true,
    provider: keyAuth(aws.root).provider(environment),
    dispatcher,
    access,
    clock: () => new Date(),
    counters: counters(),
    onRequest: undefined,
  })
  onTestFinished(() => {
    sdk.destroy()
    return dispatcher.destroy()
  })
  return sdk
}

const writes: readonly [string, (sdk: S3Client) => Promise<unknown>][] = [
  ['PutObject', (sdk) => sdk.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }))],
  ['DeleteObject', (sdk) => sdk.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a' }))],
  [
    'DeleteObjects',
    (sdk) => sdk.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: 'a' }] } })),
  ],
  ['CreateBucket', (sdk) => sdk.send(new CreateBucketCommand({ Bucket: 'another' }))],
  ['RestoreObject', (sdk) => sdk.send(new RestoreObjectCommand({ Bucket: bucket, Key: 'a' }))],
]

test.each(writes)(
  '%s is refused by a read-only connection before anything is sent',
  async (operation, send) => {
    const aws = await embeddedAws()
    const error = await send(await sdkOf(aws, 'read-only')).catch((reason: unknown) => reason)
    expect(error).toSatisfy(ConnectorError.isInstance)
    expect(error).toMatchObject({ code: 'ReadOnlyConnection' })
    expect((error as Error).message).toContain(`${operation} was not sent`)
    expect(aws.log.entries()).toEqual([])
  },
)

test('a request that hides its operation is refused by its method', async () => {
  const aws = await embeddedAws()
  const sdk = await sdkOf(aws, 'read-only')
  const command = new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' })
  sdk.middlewareStack.remove('readOnlyGuard')
  await expect(sdk.send(command)).rejects.toMatchObject({ code: 'ReadOnlyConnection' })
  expect(aws.log.entries()).toEqual([])
})

test('reading passes the guard, and a connection for writing has none', async () => {
  const aws = await embeddedAws()
  const writer = await sdkOf(aws, 'read-write')
  await writer.send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }))
  const reader = await sdkOf(aws, 'read-only')
  const { Body } = await reader.send(new GetObjectCommand({ Bucket: bucket, Key: 'a' }))
  expect(await Body?.transformToString()).toBe('x')
  await reader.send(new ListBucketsCommand({}))
  expect(aws.s3.listKeys(bucket)).toEqual(['a'])
})

test('the requests that do not come from the SDK pass the same guard', async () => {
  const aws = await embeddedAws()
  const dispatcher = new Agent()
  onTestFinished(() => dispatcher.destroy())
  const transport = createTransport({
    address: bucketAddress({ region, bucket, endpoint: aws.endpoint }),
    region,
    dispatcher,
    blocks: undefined,
    provider: keyAuth(aws.root).provider(environment),
    clock: () => new Date(),
    access: 'read-only',
    expectedBucketOwner: undefined,
    answerTimeoutMs: 400,
    retries: createRetries(retrySettings({}, 1)),
    counters: counters(),
    onRequest: undefined,
  })
  for (const [operation, method] of [
    ['DeleteObject', 'DELETE'],
    ['GetObject', 'POST'],
    ['PutObject', 'GET'],
    ['GetRaw', 'PUT'],
    ['CompleteMultipartUpload', 'POST'],
  ])
    await expect(
      transport.send({ operation: operation as string, method: method as 'GET', key: 'a', signal }),
    ).rejects.toMatchObject({ code: 'ReadOnlyConnection' })
  expect(aws.log.entries()).toEqual([])
})

test.each(['Get', 'Listen', 'Getaway', 'HeadbuttObject', 'SelectObjectContent', 'unknown', ''])(
  'operation %j is no reading one',
  (operation) => {
    expect(() => assertReadOnly({ operation })).toThrow(/read-only/)
  },
)
