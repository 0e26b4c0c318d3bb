import { ConnectorError } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { planScan, selectVersion } from '../src/index.ts'
import { codecs } from './write/avro.ts'
import type { WrittenFile } from './write/manifests.ts'
import { longBound, tableOf, where } from './write/table.ts'

const region = (name: string | null, path: string, further: Partial<WrittenFile> = {}): WrittenFile => ({
  path,
  partition: { 1000: name },
  ...further,
})
const summary = (lower: string, upper: string, containsNull = false) => [
  { containsNull, containsNaN: undefined, lower: Buffer.from(lower), upper: Buffer.from(upper) },
]
const urls = (scan: { readonly files: readonly { readonly file: { readonly url: string } }[] }) =>
  scan.files.map(({ file }) => file.url)
const ids = (lower: bigint, upper: bigint, nulls = 0n): Partial<WrittenFile> => ({
  records: 10n,
  valueCounts: new Map([[1, 10n]]),
  nullCounts: new Map([[1, nulls]]),
  lower: new Map([[1, longBound(lower)]]),
  upper: new Map([[1, longBound(upper)]]),
})

describe('manifests', () => {
  const table = () =>
    tableOf({
      specs: [{ region: 'identity' }],
      manifests: [
        { partitions: summary('ap', 'eu'), files: [region('ap', 'ap'), region('eu', 'eu')] },
        { partitions: summary('us', 'us'), files: [region('us', 'us')] },
        {
          partitions: summary('', '', true).map((one) => ({ ...one, lower: undefined, upper: undefined })),
          files: [region(null, 'null')],
        },
        { liveFiles: 0n, files: [{ ...region('eu', 'gone'), status: 2 }] },
      ],
    })

  test('are read only when their partitions can match', async () => {
    const { scan, reader } = table()
    const found = await scan(where('region', '=', 'us'))
    expect(urls(found)).toEqual(['us'])
    expect(reader.paths).toEqual(['s3://b/list.avro', 's3://b/m1.avro'])
    expect(found.receipt).toMatchObject({ manifests: 1, manifestsSkipped: 3, metadataRequests: 2 })
    expect(found.receipt.skipped).toEqual({ 'manifest partitions': 2, 'manifest without live files': 1 })
  })

  test('whose partition is null throughout are read for null alone', async () => {
    expect(urls(await table().scan({ kind: 'is-null', column: ['region'] }))).toEqual(['null'])
    expect(urls(await table().scan(where('region', '<>', 'eu')))).toEqual(['ap', 'us'])
  })

  test('without counts or summaries, as v1 may have them, are read', async () => {
    const v1 = tableOf({
      version: 1,
      specs: [{ region: 'identity' }],
      manifests: [{ files: [region('eu', 'eu'), region('us', 'us')] }],
    })
    const found = await v1.scan(where('region', '=', 'us'))
    expect(urls(found)).toEqual(['us'])
    expect(found.receipt.skipped).toEqual({ partition: 1 })
  })

  test('that v1 lists inline are read', async () => {
    const v1 = tableOf({
      version: 1,
      manifests: [{ files: [{ path: 'a' }, { path: 'b' }] }],
      metadata: { snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1, manifests: ['s3://b/m0.avro'] }] },
    })
    expect(urls(await v1.scan())).toEqual(['a', 'b'])
  })

  test.each(codecs)('with the Avro codec %s are read', async (codec) => {
    const files = Array.from({ length: 50 }, (_, index) => ({ path: `file-${index}` }))
    const { scan } = tableOf({ codec, manifests: [{ files }] })
    expect(urls(await scan())).toEqual(files.map(({ path }) => path))
  })

  test('of 10,000 files in 1,000 manifests: those that can match, some at a time, keep only what survives', async () => {
    const manifests = Array.from({ length: 1000 }, (_, day) => {
      const bound = (value: number) => {
        const bytes = Buffer.alloc(4)
        bytes.writeInt32LE(value)
        return bytes
      }
      return {
        liveFiles: 10n,
        partitions: [{ containsNull: false, containsNaN: undefined, lower: bound(day), upper: bound(day) }],
        files: Array.from({ length: 10 }, (_, index) => ({
          path: `day-${day}-${index}`,
          partition: { 1000: BigInt(day) },
          ...ids(BigInt(index * 100), BigInt(index * 100 + 99)),
        })),
      }
    })
    const { scan, metadata, reader } = tableOf({
      columns: { id: { type: 'long' }, day: { type: 'date' } },
      specs: [{ day: 'day' }],
      manifests,
    })
    const narrow = await scan({ kind: 'and', of: [where('day', '>=', 998n), where('id', '=', 150n)] })
    expect(urls(narrow)).toEqual(['day-998-1', 'day-999-1'])
    expect(narrow.receipt).toMatchObject({
      manifests: 2,
      manifestsSkipped: 998,
      filesSkipped: 9998,
      metadataRequests: 3,
    })

    let running = 0
    let most = 0
    const wide = await planScan({
      metadata,
      version: selectVersion(metadata),
      concurrency: 5,
      request: { columns: [['id']], filter: where('id', '=', 150n), signal: AbortSignal.timeout(60_000) },
      reader: {
        ...reader,
        read: async (path, options) => {
          most = Math.max(most, ++running)
          await new Promise(setImmediate)
          running--
          return reader.read(path, options)
        },
      },
    })
    expect(wide.files).toHaveLength(1000)
    expect(most).toBe(5)
    expect(wide.receipt.skipped).toEqual({ bounds: 9000 })
  })
})

describe('data files', () => {
  test('are skipped by bounds, null counts and partition, each with its reason', async () => {
    const { scan } = tableOf({
      manifests: [
        {
          files: [
            { path: 'low', ...ids(0n, 9n) },
            { path: 'high', ...ids(100n, 200n) },
            { path: 'null', records: 10n, valueCounts: new Map([[1, 10n]]), nullCounts: new Map([[1, 10n]]) },
            { path: 'empty', records: 0n },
            { path: 'unknown', records: -1n },
            { path: 'no metrics', records: 10n },
          ],
        },
      ],
    })
    const found = await scan(where('id', '>', 50n))
    expect(urls(found)).toEqual(['high', 'unknown', 'no metrics'])
    expect(found.receipt.skipped).toEqual({ bounds: 1, 'null count': 1, 'no rows': 1 })
    expect(found.files.map((file) => file.residual)).toEqual([false, true, true])
    expect(found.files.map((file) => file.rows)).toEqual([10, undefined, 10])
    expect(found.exact).toBeUndefined()
  })

  test('with one value throughout are skipped by <> and NOT IN, unless some are null', async () => {
    const { scan } = tableOf({
      manifests: [
        {
          files: [
            { path: 'fives', ...ids(5n, 5n) },
            { path: 'with null', ...ids(5n, 5n, 1n) },
          ],
        },
      ],
    })
    expect(urls(await scan(where('id', '<>', 5n)))).toEqual(['with null'])
    expect(urls(await scan({ kind: 'not-in', column: ['id'], values: [4n, 5n] }))).toEqual(['with null'])
    expect(urls(await scan({ kind: 'not', of: { kind: 'in', column: ['id'], values: [5n] } }))).toEqual([
      'with null',
    ])
  })

  test('that all pass the filter by metadata have no residual, and are counted exactly', async () => {
    const { scan } = tableOf({
      manifests: [
        {
          files: [
            { path: 'a', ...ids(1n, 9n) },
            { path: 'b', ...ids(5n, 70n) },
          ],
        },
      ],
    })
    const found = await scan(where('id', '>', 0n))
    expect(found.files.map((file) => file.residual)).toEqual([false, false])
    expect(found.exact).toEqual({ rows: 20n, bounds: { id: { min: 1n, max: 70n } } })
    expect((await scan(where('id', '>', 1n))).exact).toBeUndefined()
  })

  test('of a limit: no more manifests are read than it needs', async () => {
    const manifests = Array.from({ length: 100 }, (_, index) => ({
      files: [{ path: `f${index}`, records: 10n }],
    }))
    const { scan, reader } = tableOf({ manifests })
    const found = await scan(undefined, { limit: 15 })
    expect(urls(found)).toEqual(['f0', 'f1'])
    expect(reader.paths.length).toBeLessThan(30)
    expect(found.exact).toBeUndefined()
  })

  test('of a limit: rows that a filter may drop do not count', async () => {
    const { scan } = tableOf({
      manifests: [
        {
          files: [
            { path: 'some', ...ids(0n, 9n) },
            { path: 'all', ...ids(5n, 9n) },
            { path: 'rest', ...ids(5n, 9n) },
          ],
        },
      ],
    })
    expect(urls(await scan(where('id', '>=', 5n), { limit: 10 }))).toEqual(['some', 'all'])
  })

  test('of a filter that no row can pass: nothing is read', async () => {
    const { scan, reader } = tableOf({ manifests: [{ files: [{ path: 'a' }] }] })
    expect((await scan({ kind: 'in', column: ['id'], values: [] })).files).toEqual([])
    expect(reader.paths).toEqual([])
  })

  test('are all planned for what metadata can not judge', async () => {
    const { scan } = tableOf({ manifests: [{ files: [{ path: 'a', ...ids(0n, 9n) }] }] })
    const wrongType = await scan(where('id', '=', 'text'))
    expect([urls(wrongType), wrongType.files[0]?.residual]).toEqual([['a'], true])
    const unknownColumn = await scan({ kind: 'not', of: where('nothing', '=', 1n) })
    expect([urls(unknownColumn), unknownColumn.files[0]?.residual]).toEqual([['a'], true])
  })
})

describe('what is asked for', () => {
  test('of a column that is not there is not found, with the one that was meant', async () => {
    const { scan } = tableOf({ manifests: [] })
    await expect(scan(undefined, { columns: [['regoin']] })).rejects.toMatchObject({
      kind: 'not-found',
      hint: 'Did you mean "region"?',
    })
  })

  test('is cancelled by its signal', async () => {
    const { scan, reader } = tableOf({ manifests: [{ files: [{ path: 'a' }] }] })
    await expect(scan(undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(reader.paths).toEqual([])
  })

  test('fails with the error of the reader itself', async () => {
    const { metadata, reader } = tableOf({ manifests: [{ files: [{ path: 'a' }] }] })
    const denied = new ConnectorError('permission', 's3:GetObject is missing')
    const failing = {
      ...reader,
      read: async (path: string, options: { signal: AbortSignal }) => {
        if (path.includes('m0')) throw denied
        return reader.read(path, options)
      },
    }
    const request = { columns: [['id'] as const], signal: new AbortController().signal }
    await expect(
      planScan({ metadata, version: selectVersion(metadata), reader: failing, request }),
    ).rejects.toBe(denied)
  })
})
