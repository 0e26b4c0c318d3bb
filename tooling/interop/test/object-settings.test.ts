import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { type Aws, startAws } from '@penstock/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findPrograms } from '../src/programs.ts'
import { run } from '../src/run.ts'

/* What the aws command line says of exported objects: settings, encryption at rest, checksums, and the manifest. */

const bucket = 'interop'
const found = findPrograms('aws')
let aws: Aws
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-interop-'))
  aws = await startAws()
  aws.s3.createBucket({ name: bucket })
})
afterAll(async () => {
  await aws?.close()
  await rm(folder, { recursive: true, force: true })
})

const s3api = async (operation: string, key: string, ...args: string[]): Promise<Record<string, unknown>> => {
  if ('missing' in found) throw new Error(found.missing)
  const { accessKeyId, secretAccessKey } = aws.root
  const { output } = await run(
    found.programs.aws,
    ['--endpoint-url', aws.endpoint, 's3api', operation, '--bucket', bucket, '--key', key, ...args],
    {
      environment: {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: 'us-east-1',
        AWS_CONFIG_FILE: join(folder, 'none'),
      },
    },
  )
  return JSON.parse(output.toString()) as Record<string, unknown>
}

const kmsKeyId = 'arn:aws:kms:us-east-1:111122223333:key/0d3a4c5e-6f70-4a1b-9c2d-3e4f5a6b7c8d'

test.for([
  ['sse-s3', {}, { ServerSideEncryption: 'AES256' }],
  [
    'sse-kms',
    { kmsKeyId, bucketKey: true },
    { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId, BucketKeyEnabled: true },
  ],
  ['sse-kms-dual-layer', { kmsKeyId }, { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: kmsKeyId }],
] as const)('awscli sees the settings of the objects: %s', async ([encryption, fields, told], context) => {
  if ('missing' in found) return context.skip(`aws: ${found.missing}`)
  const engine = await duckdb(join(folder, 'settings.duckdb'))
  const record = await exportTo({
    destination: s3Destination({
      ...{ region: 'us-east-1', bucket, endpoint: aws.endpoint, prefix: `${encryption}/` },
      auth: { method: 'access-key', ...aws.root },
      ...{ encryption, ...fields, storageClass: 'STANDARD_IA', acl: 'bucket-owner-full-control' },
      ...{ tags: { team: 'sales + ops' }, metadata: { origin: 'test' }, cacheControl: 'no-store' },
    }),
    engine,
    // One file in one request, one in parts.
    streams: [
      { sql: 'SELECT range AS id FROM range(10)', name: 'small' },
      { sql: "SELECT range AS id, repeat('x', 1000) AS t FROM range(10_000)", name: 'large' },
    ],
    options: { manifest: true, compression: 'none', keyTemplate: '{stream_name}' },
  }).finally(() => engine.close())
  expect(record.error).toBeUndefined()
  const manifestKey = record.export?.manifest ?? ''
  expect(await s3api('head-object', manifestKey)).toMatchObject({ ContentType: 'application/json', ...told })
  await s3api('get-object', manifestKey, join(folder, 'manifest.json'))
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
  expect(manifest.exportResults.map(({ rows }: { rows: number }) => rows)).toEqual([10, 10_000])
  for (const { sinkPath, size, etag, checksum } of manifest.exportResults) {
    expect(await s3api('head-object', sinkPath, '--checksum-mode', 'ENABLED')).toMatchObject({
      ContentLength: size,
      ETag: `"${etag}"`,
      ChecksumCRC64NVME: checksum.replace('CRC64NVME:', ''),
      ContentType: 'text/csv',
      CacheControl: 'no-store',
      StorageClass: 'STANDARD_IA',
      Metadata: { origin: 'test', 'penstock-run': record.runId },
      ...told,
    })
    expect(await s3api('get-object-tagging', sinkPath)).toMatchObject({
      TagSet: [{ Key: 'team', Value: 'sales + ops' }],
    })
  }
})
