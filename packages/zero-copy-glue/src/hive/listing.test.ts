import type { S3Entry } from '@penstock/aws'
import { ConnectorError, type LogicalType, type Predicate } from '@penstock/core'
import { expect, test } from 'vitest'
import type { TableFiles } from '../files.ts'
import { expectedFolder } from './expected-folder.ts'
import { listAhead, listPartitions } from './listing.ts'
import type { Partition } from './partitions.ts'

const pageSize = 10

/** Files of a bucket that only lists; what was asked for is in `asked`. */
const bucketOf = (keys: readonly string[], mayList: (folder: string) => boolean = () => true) => {
  const asked: string[] = []
  const files = {
    async *list(location: string) {
      asked.push(location)
      if (!mayList(location)) throw new ConnectorError('permission', 'No.')
      const prefix = location.replace(/^s3:\/\/lake\//, '').replace(/\/*$/, '/')
      const entries = keys
        .filter((key) => key.startsWith(prefix))
        .map((key): S3Entry => ({ container: 'lake', key, version: '1', size: 1, modified: 0 }))
      for (let start = 0; start === 0 || start < entries.length; start += pageSize)
        yield entries.slice(start, start + pageSize)
    },
  } as Pick<TableFiles, 'list'> as TableFiles
  return { files, asked }
}

const partition = (location: string): Partition => ({
  storage: { location, columns: [], serdeParameters: {} },
  values: new Map(),
})

const days = [1, 2, 3, 4, 5].map((day) => partition(`s3://lake/t/day=${day}`))
const dayKeys = [1, 2, 3, 4, 5].map((day) => `t/day=${day}/a.parquet`)
const { signal } = new AbortController()

const keysOf = async (bucket: ReturnType<typeof bucketOf>, partitions: readonly Partition[]) =>
  (await listPartitions(bucket.files, partitions, signal)).listed.map(({ entries }) =>
    entries.map(({ key }) => key),
  )

test('one listing of the folder above gives the files of all partitions', async () => {
  const bucket = bucketOf([...dayKeys, 't/day=1/_SUCCESS', 't/day=9/other.parquet', 't/loose.parquet'])
  expect(await keysOf(bucket, days)).toEqual(dayKeys.map((key) => [key]))
  expect(bucket.asked).toEqual(['s3://lake/t/'])
})

test('a folder with more files than that is listed partition by partition', async () => {
  const more = Array.from({ length: 30 }, (_, index) => `t/day=0/${index}.parquet`)
  const bucket = bucketOf([...more, ...dayKeys])
  expect(await keysOf(bucket, days)).toEqual(dayKeys.map((key) => [key]))
  expect(bucket.asked).toHaveLength(1 + days.length)
})

test('so is one that may not be listed', async () => {
  const bucket = bucketOf(dayKeys, (folder) => folder.includes('day='))
  expect(await keysOf(bucket, days)).toEqual(dayKeys.map((key) => [key]))
})

test('a partition within another one, and one that lies elsewhere', async () => {
  const partitions = [...days, partition('s3://lake/t/day=1/late/'), partition('s3://lake/u/day=6')]
  const bucket = bucketOf([...dayKeys, 't/day=1/late/b.parquet', 'u/day=6/c.parquet'])
  const listed = await keysOf(bucket, partitions)
  expect(listed[0]).toEqual(['t/day=1/a.parquet', 't/day=1/late/b.parquet'])
  expect(listed.slice(5)).toEqual([['t/day=1/late/b.parquet'], ['u/day=6/c.parquet']])
  expect(bucket.asked).toHaveLength(partitions.length)
})

test('a listing that was begun ahead is the only one where it holds all partitions', async () => {
  const bucket = bucketOf([...dayKeys, 't/day=3/b.parquet'])
  const ahead = listAhead(bucket.files, 's3://lake/t/day=3/', signal)
  const { listed, requests } = await listPartitions(bucket.files, days.slice(2, 3), signal, ahead)
  expect(listed[0]?.entries.map(({ key }) => key)).toEqual(['t/day=3/a.parquet', 't/day=3/b.parquet'])
  expect(bucket.asked).toEqual(['s3://lake/t/day=3/'])
  expect(requests).toBe(1)
})

test('all pages of it are taken where it is the partition itself', async () => {
  const keys = Array.from({ length: 25 }, (_, index) => `t/day=3/${index}.parquet`)
  const bucket = bucketOf(keys)
  const ahead = listAhead(bucket.files, 's3://lake/t/day=3', signal)
  const { listed, requests } = await listPartitions(bucket.files, days.slice(2, 3), signal, ahead)
  expect(listed[0]?.entries).toHaveLength(25)
  expect(requests).toBe(3)
})

test('one of another folder, or of one that may not be listed, changes nothing', async () => {
  for (const folder of ['s3://lake/t/day=4/', 's3://lake/secret/']) {
    const bucket = bucketOf(dayKeys, (asked) => !asked.includes('secret'))
    const ahead = listAhead(bucket.files, folder, signal)
    const { listed } = await listPartitions(bucket.files, days.slice(0, 2), signal, ahead)
    expect(listed.map(({ entries }) => entries.map(({ key }) => key))).toEqual(
      dayKeys.slice(0, 2).map((key) => [key]),
    )
  }
})

test('where partitions are likely to be is told by the values that a filter leaves to their columns', () => {
  const keys = new Map<string, LogicalType>([
    ['day', { type: 'date' }],
    ['shop', { type: 'string' }],
  ])
  const day: Predicate = { kind: 'compare', column: ['day'], operator: '=', value: 1n }
  const shop = (value: string): Predicate => ({ kind: 'in', column: ['shop'], values: [value] })
  const folder = (filter: Predicate | undefined) => expectedFolder('s3://lake/t', keys, filter)
  expect(folder(undefined)).toBe('s3://lake/t/')
  expect(folder(day)).toBe('s3://lake/t/day=1970-01-02/')
  expect(folder({ kind: 'and', of: [shop('a-1'), day] })).toBe('s3://lake/t/day=1970-01-02/shop=a-1/')
  // A value that is written escaped, and one behind a column that has many.
  expect(folder({ kind: 'and', of: [shop('a/b'), day] })).toBe('s3://lake/t/day=1970-01-02/')
  expect(folder(shop('a'))).toBe('s3://lake/t/')
  expect(expectedFolder('s3://lake/t', new Map(), day)).toBeUndefined()
})
