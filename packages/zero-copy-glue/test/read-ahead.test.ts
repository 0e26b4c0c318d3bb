import { readFile } from 'node:fs/promises'
import type { ZeroCopyTable } from '@penstock/core'
import type { FileReader } from '@penstock/iceberg'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { beforeEach, expect, test } from 'vitest'
import { openIcebergTable } from '../src/iceberg-table.ts'
import type { FileScan } from './catalog.ts'

/* The manifest list is on its way while a query is planned. */

const paths = new Map(fixtureObjects().map(({ key, path }) => [`s3://${fixtureBucket}/${key}`, path]))
const read: string[] = []
let isListGone = false
const reader: FileReader = {
  read: async (path) => {
    read.push(path)
    if (isListGone && isList(path)) throw new Error('It is gone.')
    return readFile(paths.get(path) ?? '')
  },
  open: (path, size) => ({ url: path, size, async *read() {} }),
}
const isList = (path: string) => path.includes('/snap-')
const lists = () => read.filter(isList)
beforeEach(() => {
  read.length = 0
  isListGone = false
})

const { signal } = new AbortController()
const open = (scanFollows: boolean) =>
  openIcebergTable(
    { namespace: ['ice'], name: 'orders' },
    { kind: 'iceberg', metadataLocation: icebergFixture('orders_v1').metadata },
    reader,
    { at: undefined, scanFollows, signal },
  )
const scan = async (table: ZeroCopyTable) =>
  ((await table.scan({ columns: [['id']], signal })) as FileScan).receipt

test('it is asked for at the opening, once, and counted as it is without that', async () => {
  const table = await open(true)
  expect(lists()).toHaveLength(1)
  const receipt = await scan(table)
  expect(lists()).toHaveLength(1)
  expect(receipt).toEqual(await scan(await open(false)))
  expect(receipt.metadataRequests).toBeGreaterThan(1)
})

test('a further scan reads it again', async () => {
  const table = await open(true)
  expect(await scan(table)).toEqual(await scan(table))
  expect(lists()).toHaveLength(2)
})

test('nothing is asked for where no scan follows', async () => {
  await open(false)
  expect(lists()).toHaveLength(0)
})

test('a list that is gone fails the scan, not the opening', async () => {
  isListGone = true
  const table = await open(true)
  await expect(scan(table)).rejects.toThrow('It is gone.')
})
