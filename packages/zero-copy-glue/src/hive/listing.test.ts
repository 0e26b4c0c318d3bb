import type { S3Entry } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import { expect, test } from 'vitest'
import type { TableFiles } from '../files.ts'
import { listPartitions } from './listing.ts'
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
