import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { TableEngine } from '@penstock/core'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { parquetMetadata } from 'hyparquet'
import { decrypt, generateKey, type PrivateKey, readMessage } from 'openpgp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crc64nvme } from '../src/crc64.ts'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * The manifest against the bucket: names, sizes, ETags, checksums of the bytes that are there, and rows of what they
 * hold, of every format, with several files of several requests each.
 */

let lake: Lake
let engine: TableEngine
let privateKey: PrivateKey
let publicKey: string
beforeAll(async () => {
  const keys = await generateKey({ userIDs: [{ name: 'partner' }], type: 'ecc', format: 'object' })
  privateKey = keys.privateKey
  publicKey = keys.publicKey.armor()
  lake = await openLake('exports')
  engine = await duckdb(join(lake.folder, 'manifest.duckdb'))
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})

interface Entry {
  readonly sinkPath: string
  readonly name: string
  readonly size: number
  readonly rows: number
  readonly etag: string
  readonly checksum: string
  readonly stream: string
  readonly schema: readonly { readonly name: string; readonly type: string }[]
}

const decrypted = async (bytes: Buffer): Promise<Buffer> => {
  const message = await readMessage({ binaryMessage: bytes })
  const { data } = await decrypt({ message, decryptionKeys: privateKey, format: 'binary' })
  return Buffer.from(data as Uint8Array)
}

const plainOf = async (bytes: Buffer, key: string): Promise<Buffer> => {
  if (key.endsWith('.gpg')) return plainOf(await decrypted(bytes), key.replace(/\.gpg$/, ''))
  if (key.endsWith('.gz')) return gunzipSync(bytes)
  return key.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

/** Rows of a plain file, counted by what it holds. */
const rowsOf = (plain: Buffer, fileType: string): number => {
  if (fileType !== 'parquet')
    return plain.toString('utf8').trimEnd().split('\n').length - (fileType === 'csv' ? 1 : 0)
  const { buffer, byteOffset, length } = plain
  return Number(parquetMetadata(buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer).num_rows)
}

test('the checksum that this test computes is CRC-64/NVME', () => {
  expect(Buffer.from(crc64nvme(Buffer.from('123456789')), 'base64').toString('hex')).toBe('ae8b14860a799888')
})

test.each([
  ['csv', 'none', false],
  ['csv', 'gzip', true],
  ['json', 'none', true],
  ['json', 'zstd', false],
  ['parquet', 'none', false],
  ['parquet', 'zstd', true],
] as const)('%s, %s, encrypted: %s', async (fileType, compression, encrypted) => {
  for (const key of lake.aws.s3.listKeys(lake.bucket)) await lake.remove(key)
  const record = await exportTo({
    destination: s3Destination({
      ...{ region: 'us-east-1', bucket: lake.bucket, endpoint: lake.aws.endpoint, prefix: 'out/' },
      auth: { method: 'access-key', ...lake.aws.root },
      destinationId: 'nightly',
    }),
    engine,
    name: `${fileType}-${compression}`,
    streams: [
      // Without compression the first two files are sent in parts.
      { sql: 'SELECT i, repeat(md5(i::VARCHAR), 28) AS t FROM range(25_000) r(i)', name: 'large' },
      { sql: 'SELECT i, 1.5::DECIMAL(9, 2) AS d FROM range(10) r(i)', name: 'small' },
    ],
    options: {
      fileType,
      compression,
      manifest: true,
      maxRows: 10_000,
      keyTemplate: '{stream_name}/{run_id}.{extension}',
      ...(encrypted && { publicKey }),
    },
  })
  expect(record.error).toBeUndefined()
  const keys = lake.aws.s3.listKeys(lake.bucket, 'out/').filter((key) => !key.includes('.penstock/'))
  const manifestKey = `out/manifest-nightly-${record.runId}.json`
  expect(record.export?.manifest).toBe(manifestKey)
  const manifest = JSON.parse(String(await lake.aws.s3.getObject(lake.bucket, manifestKey)))
  expect(manifest.flowRunId).toBe(record.runId)
  expect(manifest.scheduledTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const entries = manifest.exportResults as Entry[]
  expect(entries.map(({ sinkPath }) => sinkPath).toSorted()).toEqual(
    keys.filter((key) => key !== manifestKey).toSorted(),
  )
  expect(entries.map(({ stream, rows }) => [stream, rows])).toEqual([
    ['large', 10_000],
    ['large', 10_000],
    ['large', 5_000],
    ['small', 10],
  ])
  expect(entries.at(-1)?.schema).toEqual([
    { name: 'i', type: 'bigint' },
    { name: 'd', type: 'decimal(9,2)' },
  ])
  for (const entry of entries) {
    const bytes = await lake.aws.s3.getObject(lake.bucket, entry.sinkPath)
    expect(entry.name).toBe(entry.sinkPath.split('/').at(-1))
    expect(entry.size).toBe(bytes.length)
    expect(entry.checksum).toBe(`CRC64NVME:${crc64nvme(bytes)}`)
    if (!entry.etag.includes('-')) expect(entry.etag).toBe(createHash('md5').update(bytes).digest('hex'))
    expect(rowsOf(await plainOf(bytes, entry.sinkPath), fileType)).toBe(entry.rows)
  }
  // Some in one request, some in parts.
  if (compression === 'none') expect(new Set(entries.map(({ etag }) => etag.includes('-'))).size).toBe(2)
})
