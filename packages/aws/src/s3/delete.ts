import { createHash } from 'node:crypto'
import { ConnectorError, isTransient } from '@penstock/core'
import { awsFailure } from '../errors/safe-cause.ts'
import { translateAwsError } from '../errors/translate.ts'
import { conditionHeaders } from '../upload/headers.ts'
import type { S3Client } from './client.ts'
import { errorFields } from './error-xml.ts'
import type { S3DeleteOptions, S3DeleteResult } from './write-access.ts'
import { blocks, escapeXml, fitsXml, resultXml, xmlBody } from './xml.ts'

/** Keys of one DeleteObjects at most, and such requests at a time. */
const batchKeys = 1000
const parallelBatches = 4

export const deleteObject = async (
  client: S3Client,
  key: string,
  options: {
    readonly signal?: AbortSignal | undefined
    readonly versionId?: string | undefined
    readonly ifMatch?: string | undefined
  } = {},
): Promise<void> => {
  const signal = client.signals(options.signal)
  const { versionId } = options
  const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion'
  const context = client.context('DeleteObject', action, key)
  const query = versionId === undefined ? {} : { versionId }
  const headers = conditionHeaders({ ifMatch: options.ifMatch })
  await client.retrying(context, { signal }, () =>
    client.attempt({ method: 'DELETE', query, headers, signal }, context, ({ body }) => body.dump()),
  )
}

/** DeleteObjects. What S3 could not delete for the time being is tried again with the others. */
export const deleteObjects = async (
  client: S3Client,
  keys: Iterable<string> | AsyncIterable<string>,
  options: S3DeleteOptions = {},
): Promise<S3DeleteResult> => {
  const signal = client.signals(options.signal)
  const failed: S3DeleteResult['failed'][number][] = []
  let deleted = 0
  const batches = batchesOf(keys)
  const lane = async (): Promise<void> => {
    for (;;) {
      const { done, value: batch } = await batches.next()
      if (done) return
      const failures = await deleteBatch(client, batch, signal)
      const names = new Set(failures.map((failure) => failure.key))
      const gone = batch.filter((key) => !names.has(key))
      failed.push(...failures)
      deleted += gone.length
      if (gone.length > 0) options.onDeleted?.(gone)
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: parallelBatches }, lane))
  const broken = settled.find((outcome) => outcome.status === 'rejected')
  if (broken) throw broken.reason
  return { deleted, failed }
}

async function* batchesOf(keys: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const key of keys) {
    batch.push(key)
    if (batch.length < batchKeys) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

const deleteBatch = async (
  client: S3Client,
  batch: readonly string[],
  signal: AbortSignal,
): Promise<S3DeleteResult['failed']> => {
  const failures: S3DeleteResult['failed'][number][] = []
  const note = (key: string, error: unknown): void => {
    if (!ConnectorError.isInstance(error) || error.kind === 'cancelled') throw error
    failures.push({ key, code: error.code ?? error.kind, message: error.message })
  }
  // XML can't hold every key that S3 can.
  for (const key of batch.filter((name) => !fitsXml(name)))
    await deleteObject(client, key, { signal }).catch((error: unknown) => note(key, error))
  const context = client.context('DeleteObjects', 's3:DeleteObject')
  let left = batch.filter(fitsXml)
  await client.retrying(context, { signal }, async () => {
    if (left.length === 0) return
    const refused = await requestDeletion(client, left, signal)
    const again = refused.filter(({ error }) => isTransient(error))
    for (const { key, error } of refused) if (!isTransient(error)) note(key, error)
    left = again.map(({ key }) => key)
    if (again[0]) throw again[0].error
  })
  return failures
}

const requestDeletion = (
  client: S3Client,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<{ key: string; error: ConnectorError }[]> => {
  const content = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join('')
  const body = xmlBody('Delete', `<Quiet>true</Quiet>${content}`)
  const md5 = createHash('md5')
    .update(body.open() as Uint8Array)
    .digest('base64')
  const context = client.context('DeleteObjects', 's3:DeleteObject')
  return client.attempt(
    { method: 'POST', query: { delete: '' }, headers: { 'content-md5': md5 }, body, signal },
    context,
    async (response) =>
      blocks(await resultXml(response, 'DeleteResult'), 'Error').map((block) => {
        const { Key: key = '', Code: code = 'InternalError', Message: message = '' } = errorFields(block)
        const failure = awsFailure({ code, message, status: statusOf(code), headers: {}, fields: {} })
        return {
          key,
          error: translateAwsError(failure, client.context('DeleteObject', 's3:DeleteObject', key)),
        }
      }),
  )
}

/** The result of one key has a code and no status. */
const statusOf = (code: string): number =>
  code === 'InternalError' || code === 'ServiceUnavailable' ? 500 : 400
