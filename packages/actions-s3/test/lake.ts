import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ActionProgress, type ConnectorError, withContext } from '@penstock/core'
import { type Aws, startAws } from '@penstock/testkit'
import { expect, onTestFinished } from 'vitest'
import type { S3ActionContext } from '../src/index.ts'
import { type S3ActionsInput, s3Actions } from '../src/index.ts'

export const bucket = 'lake'
export const region = 'eu-central-1'
export const MiB = 1 << 20

export interface Lake {
  readonly aws: Aws
  readonly folder: string
  /** Notices, and what was told last of progress. */
  readonly told: { notices: string[]; progress: ActionProgress | undefined }
  /** Runs something in a use of a connection, as root unless the fields say otherwise. */
  use<Result>(
    run: (context: S3ActionContext) => Promise<Result>,
    options?: { fields?: Partial<S3ActionsInput>; signal?: AbortSignal; concurrency?: number },
  ): Promise<Result>
  put(key: string, body?: string | Buffer): Promise<unknown>
  stored(key: string): Promise<Buffer>
  keys(prefix?: string): string[]
  /** Names of the S3 operations since the last call. */
  operations(): string[]
}

/** An embedded AWS with a bucket, and a folder, for one test. */
export const openLake = async (): Promise<Lake> => {
  const aws = await startAws()
  const folder = mkdtempSync(join(tmpdir(), 'penstock-actions-'))
  const state = process.env.PENSTOCK_STATE_DIR
  process.env.PENSTOCK_STATE_DIR = join(folder, '.state')
  onTestFinished(async () => {
    if (state === undefined) delete process.env.PENSTOCK_STATE_DIR
    else process.env.PENSTOCK_STATE_DIR = state
    rmSync(folder, { recursive: true, force: true })
    await aws.close()
  })
  aws.s3.createBucket({ name: bucket, region })
  const told: Lake['told'] = { notices: [], progress: undefined }
  return {
    aws,
    folder,
    told,
    use: (run, { fields, signal, concurrency } = {}) => {
      const connection = s3Actions({
        region,
        bucket,
        endpoint: aws.endpoint,
        stsEndpoint: aws.endpoint,
        auth: { method: 'access-key', ...aws.root },
        ...fields,
      } as S3ActionsInput)
      const onProgress = (event: ActionProgress): void => {
        told.progress = event
      }
      return withContext(connection, (context) => run({ ...context, onProgress }), {
        signal,
        concurrency,
        notice: (message) => told.notices.push(message),
      })
    },
    put: (key, body = key) => aws.s3.putObject({ bucket, key, body }),
    stored: (key) => aws.s3.getObject(bucket, key),
    keys: (prefix) => aws.s3.listKeys(bucket, prefix),
    operations: () => {
      const names = aws.log.entries().map(({ operation }) => operation ?? '')
      aws.log.clear()
      return names
    },
  }
}

export const failure = (promise: Promise<unknown>): Promise<ConnectorError> =>
  promise.then(
    () => expect.unreachable('should have failed'),
    (error: ConnectorError) => error,
  )

export const bytesOf = (size: number): Buffer => randomBytes(size)
