import { countOf, formatBytes, formatCount } from '@penstock/command-kit'
import type { QueryReceipt, TableReceipt } from '@penstock/core'

/** A receipt for people: title and text of each line. */
export type ReceiptLine = readonly [title: string, text: string]

const shareOf = (part: number, whole: number): string =>
  whole === 0 ? '' : ` (${((100 * part) / whole).toFixed(part * 1000 < whole ? 2 : 1)} %)`

/** `12 of 200 files`, or `200 files` where nothing was skipped. */
const keptOf = (all: number, skipped: number, word: string): string =>
  skipped === 0 ? countOf(all, word) : `${formatCount(all - skipped)} of ${countOf(all, word)}`

export const tableLines = (table: TableReceipt): readonly ReceiptLine[] => {
  const manifests = table.manifests + table.manifestsSkipped
  const files = [
    ...(manifests > 0 ? [keptOf(manifests, table.manifestsSkipped, 'manifest')] : []),
    keptOf(table.files + table.filesSkipped, table.filesSkipped, 'file'),
    ...(table.rowGroups > 0 ? [keptOf(table.rowGroups, table.rowGroupsSkipped, 'row group')] : []),
    ...(table.deleteFiles > 0 ? [countOf(table.deleteFiles, 'delete file')] : []),
  ]
  const skipped = Object.entries(table.skipped).map(([reason, count]) => `${formatCount(count)} ${reason}`)
  return [
    ['columns', table.columns.join(', ') || 'none'],
    ...(table.filter === undefined ? [] : [['filter', table.filter] as const]),
    ...(table.limit === undefined ? [] : [['limit', countOf(table.limit, 'row')] as const]),
    ['read', table.asRows ? 'rows, which the connector fetches' : files.join(', ')],
    ...(skipped.length === 0 ? [] : [['skipped', skipped.join(', ')] as const]),
    ...(table.asRows ? [] : [['bytes', bytesOf(table)] as const]),
  ]
}

const bytesOf = (table: TableReceipt): string =>
  table.fromMetadata
    ? 'answered from metadata'
    : `${formatBytes(table.bytesNeeded)} of ${formatBytes(table.bytesTotal)}${shareOf(table.bytesNeeded, table.bytesTotal)}`

/** One line below the rows of a query. */
export const receiptSummary = (receipt: QueryReceipt): string => {
  const rows = receipt.tables.filter(({ asRows }) => asRows).map(({ table }) => table)
  const fetched = rows.length === 0 ? '' : `Rows of ${rows.join(', ')} from the connector`
  if (rows.length === receipt.tables.length && fetched) return fetched
  const moved = `Fetched ${formatBytes(receipt.bytesFetched)} of ${formatBytes(receipt.bytesTotal)} in ${countOf(receipt.requests, 'request')}`
  const parts = [
    keptOf(receipt.files + receipt.filesSkipped, receipt.filesSkipped, 'file'),
    ...(receipt.rowGroups > 0 ? [keptOf(receipt.rowGroups, receipt.rowGroupsSkipped, 'row group')] : []),
    ...(receipt.bytesFromCache > 0 ? [`${formatBytes(receipt.bytesFromCache)} from the cache`] : []),
  ]
  return `${moved}: ${parts.join(', ')}${fetched && `. ${fetched}`}`
}
