import type { QueryReceipt, TableReceipt } from '@penstock/core'
import { expect, it } from 'vitest'
import { receiptSummary, tableLines } from './receipt-text.ts'

const nothing = {
  manifests: 0,
  manifestsSkipped: 0,
  files: 0,
  filesSkipped: 0,
  deleteFiles: 0,
  rowGroups: 0,
  rowGroupsSkipped: 0,
  bytesNeeded: 0,
  bytesTotal: 0,
  skipped: {},
}
const ofRows: TableReceipt = { ...nothing, table: 'north.tickets', columns: ['id'], asRows: true }
const query = (tables: readonly TableReceipt[], files = 0): QueryReceipt => ({
  ...nothing,
  files,
  tables,
  bytesFetched: files * 10,
  bytesTotal: files * 20,
  bytesFromCache: 0,
  cacheHits: 0,
  requests: files,
  metadataRequests: 0,
  metadataBytes: 0,
  repairs: 0,
  notes: [],
})

it('says of tables of rows where they came from, and no bytes of files', () => {
  expect(receiptSummary(query([ofRows]))).toBe('Rows of north.tickets from the connector')
  const files = { ...nothing, table: 'lake.orders', columns: ['id'], files: 2 }
  expect(receiptSummary(query([ofRows, files], 2))).toBe(
    'Fetched 20 B of 40 B in 2 requests: 2 files. Rows of north.tickets from the connector',
  )
  expect(tableLines(ofRows)).toEqual([
    ['columns', 'id'],
    ['read', 'rows, which the connector fetches'],
  ])
})
