import { readFile } from 'node:fs/promises'
import { ConnectorError } from '@penstock/core'
import type { FileReader } from '@penstock/iceberg'
import { fixtureBucket, fixtureObjects, icebergFixture } from '@penstock/iceberg-fixtures'
import { expect, test } from 'vitest'
import type { IcebergTable } from '../src/catalogs/catalog.ts'
import { openIcebergTable } from '../src/iceberg-table.ts'

/* The metadata file that Glue's API names is read while the REST endpoint is asked, whose answer counts. */

const paths = new Map(fixtureObjects().map(({ key, path }) => [`s3://${fixtureBucket}/${key}`, path]))
const read: string[] = []
const reader: FileReader = {
  read: async (path) => {
    read.push(path)
    return readFile(paths.get(path) ?? '')
  },
  open: () => {
    throw new Error('No file is opened.')
  },
}

const first = icebergFixture('branches').metadata
const second = icebergFixture('orders_v1').metadata
const open = (confirmed: Promise<IcebergTable>) => {
  read.length = 0
  const place = { namespace: ['ice'], name: 'table' }
  const { signal } = new AbortController()
  const loaded: IcebergTable = { kind: 'iceberg', metadataLocation: first, confirmed }
  return openIcebergTable(place, loaded, reader, { at: undefined, signal })
}
const at = async (metadataLocation: string): Promise<IcebergTable> => ({ kind: 'iceberg', metadataLocation })

test('it is read once where the answer names the same one', async () => {
  await open(at(first))
  expect(read).toEqual([first])
})

test('the other one is read where the answer names another', async () => {
  const table = await open(at(second))
  expect(read).toEqual([first, second])
  const direct = await openIcebergTable({ namespace: [], name: '' }, await at(second), reader, {
    at: undefined,
    signal: new AbortController().signal,
  })
  expect(table.versionId).toBe(direct.versionId)
})

test('a refusal counts, whatever could be read', async () => {
  const refused = Promise.reject(new ConnectorError('permission', 'No.'))
  await expect(open(refused)).rejects.toMatchObject({ kind: 'permission', message: 'No.' })
})
