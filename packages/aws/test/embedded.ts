import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectorError, createSecret, type FileEntry } from '@penstock/core'
import { type Aws, type AwsOptions, startAws } from '@penstock/testkit'
import { expect, onTestFinished } from 'vitest'
import type { AwsAuthentication } from '../src/auth/authentication.ts'
import { awsAuth } from '../src/auth/methods.ts'
import type { RetryOptions } from '../src/http/retry.ts'
import type { OpenS3Options, S3Access } from '../src/s3/access.ts'
import { openS3, openS3Writer } from '../src/s3/open.ts'
import type { S3WriteAccess } from '../src/s3/write-access.ts'

export const bucket = 'lake'
export const region = 'eu-central-1'

/** Waits that keep a test short, and are long enough for a machine with much else to do. */
export const quick: RetryOptions = {
  baseDelayMs: 2,
  maxDelayMs: 10,
  answerTimeoutMs: 1_500,
  stallTimeoutMs: 1_500,
}

/** An embedded AWS with one bucket, for one test. */
export const embeddedAws = async (options: AwsOptions = {}): Promise<Aws> => {
  const aws = await startAws(options)
  onTestFinished(() => aws.close())
  aws.s3.createBucket({ name: bucket, region })
  return aws
}

export const keyAuth = (keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  awsAuth.accessKey.resolve(
    {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: createSecret(keys.secretAccessKey),
      ...(keys.sessionToken === undefined ? {} : { sessionToken: createSecret(keys.sessionToken) }),
    },
    { signal: new AbortController().signal, clock: () => new Date() },
  ) as AwsAuthentication

/** The bucket, opened as the root of its account, for one test. */
export const openEmbedded = (
  aws: Aws,
  options: Partial<Omit<OpenS3Options, 'config'>> & { config?: Partial<OpenS3Options['config']> } = {},
): S3Access => {
  const { config, ...rest } = options
  const access = openS3({
    auth: keyAuth(aws.root),
    access: 'read-only',
    signal: new AbortController().signal,
    clock: () => new Date(),
    retry: quick,
    ...rest,
    config: { region, bucket, endpoint: aws.endpoint, stsEndpoint: aws.endpoint, ...config },
  })
  onTestFinished(() => access.close())
  return access
}

/** The bucket, opened to write as the root of its account, for one test. */
export const openWriter = (
  aws: Aws,
  options: Partial<Omit<OpenS3Options, 'config' | 'access'>> & {
    config?: Partial<OpenS3Options['config']>
  } = {},
): S3WriteAccess => {
  const { config, ...rest } = options
  const access = openS3Writer({
    auth: keyAuth(aws.root),
    signal: new AbortController().signal,
    clock: () => new Date(),
    retry: quick,
    ...rest,
    config: { region, bucket, endpoint: aws.endpoint, stsEndpoint: aws.endpoint, ...config },
  })
  onTestFinished(() => access.close())
  return access
}

/** The error that a promise has to reject with. */
export const failure = (promise: Promise<unknown>): Promise<ConnectorError> =>
  promise.then(
    () => expect.unreachable('should have failed'),
    (error: ConnectorError) => error,
  )

/** Bytes as a stream of chunks. */
export async function* streamOf(bytes: Uint8Array, chunkBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes)
    yield bytes.subarray(start, start + chunkBytes)
}

/** Entries of all objects. */
export const listAll = async (access: S3Access, prefix?: string): Promise<FileEntry[]> => {
  const entries: FileEntry[] = []
  for await (const page of access.list({ prefix })) entries.push(...page.entries)
  return entries
}

export const entryOf = async (access: S3Access, key: string): Promise<FileEntry> =>
  (await access.head(key)).entry

export const bytesOf = (size: number): Buffer => randomBytes(size)

export const collect = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A folder for one test. */
export const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-aws-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
