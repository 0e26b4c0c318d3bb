import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import type { Fault, FaultRule } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * Every fault of the embedded S3 on the whole way of an export: query, file, upload in parts, manifest. Once or a few
 * times: the export succeeds, and the manifest is right. For ever: it fails with an error of the right kind, the old
 * files stay, and when S3 is well again the next run leaves just what is right.
 */

let lake: Lake
beforeAll(async () => {
  lake = await openLake('exports')
})
afterAll(() => lake.close())
beforeEach(async () => {
  lake.aws.faults.clear()
  for (const key of lake.aws.s3.listKeys(lake.bucket)) await lake.remove(key)
})

let names = 0
/** An export of its own: a large file in two parts and a small one, with a manifest. */
const newExport = (fields: { maxAttempts?: number } = {}) => {
  const name = `export-${++names}`
  const connection = s3Destination({
    ...{ region: 'us-east-1', bucket: lake.bucket, endpoint: lake.aws.endpoint, forcePathStyle: true },
    auth: { method: 'access-key', ...lake.aws.root },
    ...fields,
  })
  return async (rows: number) => {
    const engine = await duckdb(join(lake.folder, `${name}.duckdb`))
    try {
      return await exportTo({
        destination: connection,
        engine,
        name,
        mode: 'overwrite',
        streams: [
          { sql: `SELECT range AS id, repeat('x', 900) AS text FROM range(${10_000 + rows})`, name: 'large' },
          { sql: `SELECT range AS id FROM range(${rows})`, name: 'small' },
        ],
        options: { manifest: true, keyTemplate: '{stream_name}-{run_id}' },
      })
    } finally {
      await engine.close()
    }
  }
}

/** What a consumer sees has to be what the manifest tells: names, sizes, rows, ETags. */
const expectWhole = async (rows: number): Promise<void> => {
  const keys = lake.aws.s3.listKeys(lake.bucket).filter((key) => !key.startsWith('.penstock/'))
  const manifestKey = keys.find((key) => key.startsWith('manifest-')) ?? ''
  const manifest = JSON.parse(String(await lake.aws.s3.getObject(lake.bucket, manifestKey)))
  const files = manifest.exportResults as { sinkPath: string; size: number; rows: number; etag: string }[]
  expect(keys.toSorted()).toEqual([manifestKey, ...files.map(({ sinkPath }) => sinkPath)].toSorted())
  expect(files.map((file) => file.rows)).toEqual([10_000 + rows, rows])
  for (const file of files) {
    const body = await lake.aws.s3.getObject(lake.bucket, file.sinkPath)
    expect(body.length).toBe(file.size)
    expect(body.toString().split('\n')).toHaveLength(file.rows + 2)
    if (!file.etag.includes('-')) expect(createHash('md5').update(body).digest('hex')).toBe(file.etag)
  }
  expect(lake.aws.s3.listUploads(lake.bucket)).toEqual([])
}

const writes = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const
const reads = ['GetObject', 'HeadObject', 'ListObjectsV2'] as const
const all = [...writes, ...reads]
const error = (status: number, code: string): Fault => ({ kind: 'error', status, code, message: 'A fault.' })

describe('is healed', () => {
  test.each<[string, Fault, readonly string[]]>([
    ['latency', { kind: 'latency', ms: 20 }, all],
    ['slow-down', { kind: 'slow-down' }, all],
    ['internal-error', { kind: 'internal-error' }, all],
    ['internal-error, handled', { kind: 'internal-error', handled: true }, all],
    ['error in a success', error(200, 'InternalError'), ['CompleteMultipartUpload']],
    ['409', error(409, 'ConditionalRequestConflict'), ['PutObject', 'CompleteMultipartUpload']],
    ['reset', { kind: 'reset' }, all],
    ['reset, handled', { kind: 'reset', handled: true }, all],
    [
      'reset-body',
      { kind: 'reset-body', afterBytes: 5 },
      ['GetObject', 'ListObjectsV2', 'CreateMultipartUpload'],
    ],
    [
      'truncate-body',
      { kind: 'truncate-body', afterBytes: 5 },
      ['GetObject', 'ListObjectsV2', 'CreateMultipartUpload'],
    ],
    ['corrupt-body', { kind: 'corrupt-body', atByte: 5 }, ['GetObject']],
    ['slow-drip', { kind: 'slow-drip', bytesPerSecond: 2000 }, reads],
    ['change-object', { kind: 'change-object' }, reads],
  ])('%s', async (_, fault, operations) => {
    const run = newExport()
    // Only a run before leaves something to read.
    if (!operations.includes('PutObject')) await run(3)
    // Bytes that arrive damaged twice are told.
    const times = fault.kind === 'corrupt-body' ? 1 : 2
    for (const operation of operations)
      lake.aws.faults.add({ when: { service: 's3', operation }, times, fault })
    const record = await run(5)
    expect(record.error).toBeUndefined()
    expect(lake.aws.faults.list().some(({ applied }) => applied > 0)).toBe(true)
    await expectWhole(5)
  })
})

test('a clock that is off is set right by what S3 says', async () => {
  lake.aws.faults.add({ when: { service: 's3' }, fault: { kind: 'clock-skew', ms: 3_600_000 } })
  expect((await newExport()(5)).error).toBeUndefined()
  await expectWhole(5)
})

describe('fails, and the next run leaves what is right', () => {
  test.each<[string, FaultRule, string]>([
    ['slow-down', { when: { operation: 'UploadPart' }, fault: { kind: 'slow-down' } }, 'throttled'],
    [
      'internal-error',
      { when: { operation: 'CreateMultipartUpload' }, fault: { kind: 'internal-error' } },
      'network',
    ],
    ['reset', { when: { operation: 'CompleteMultipartUpload' }, fault: { kind: 'reset' } }, 'network'],
    ['expired-token', { when: { operation: 'UploadPart' }, fault: { kind: 'expired-token' } }, 'auth'],
    [
      '403',
      { when: { operation: 'PutObject', key: 'small*' }, fault: error(403, 'AccessDenied') },
      'permission',
    ],
    [
      '412',
      { when: { operation: 'PutObject', key: 'small*' }, fault: error(412, 'PreconditionFailed') },
      'conflict',
    ],
  ])('%s', async (_, rule, kind) => {
    const run = newExport({ maxAttempts: 2 })
    expect((await run(3)).error).toBeUndefined()
    const before = lake.aws.s3.listKeys(lake.bucket).filter((key) => !key.startsWith('.penstock/'))
    lake.aws.faults.add({ ...rule, when: { service: 's3', ...rule.when } })
    const failed = await run(5).then(
      (record) => record.error,
      (thrown: { kind: string }) => thrown,
    )
    lake.aws.faults.clear()
    expect(failed?.kind).toBe(kind)
    for (const key of before) expect(lake.aws.s3.listKeys(lake.bucket)).toContain(key)
    expect((await run(5)).error).toBeUndefined()
    await expectWhole(5)
  })
})
