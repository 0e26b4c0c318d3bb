import type { QueryReceipt, TableReceipt } from '@penstock/core'
import type { TransportCounts } from './fetch/transport.ts'
import type { TablePlan } from './table/plan-table.ts'

export interface ReceiptParts {
  readonly plans: readonly TablePlan[]
  readonly transport: TransportCounts
  readonly cache: { readonly cacheHits: number; readonly bytesFromCache: number }
  readonly repairs: number
  readonly notes: readonly string[]
}

/** Adds the tables of a query up. */
export const queryReceipt = ({ plans, transport, cache, repairs, notes }: ReceiptParts): QueryReceipt => {
  const tables = plans.map((plan) => plan.receipt)
  const sum = (of: (table: TableReceipt) => number) => tables.reduce((total, table) => total + of(table), 0)
  const skipped: Record<string, number> = {}
  for (const table of tables)
    for (const [reason, count] of Object.entries(table.skipped))
      skipped[reason] = (skipped[reason] ?? 0) + count
  return Object.freeze({
    manifests: sum((table) => table.manifests),
    manifestsSkipped: sum((table) => table.manifestsSkipped),
    files: sum((table) => table.files),
    filesSkipped: sum((table) => table.filesSkipped),
    deleteFiles: sum((table) => table.deleteFiles),
    rowGroups: sum((table) => table.rowGroups),
    rowGroupsSkipped: sum((table) => table.rowGroupsSkipped),
    bytesNeeded: sum((table) => table.bytesNeeded),
    bytesTotal: sum((table) => table.bytesTotal),
    skipped,
    tables,
    bytesFetched: transport.bytes,
    requests: transport.requests,
    ...cache,
    metadataRequests: plans.reduce((total, { metadata }) => total + metadata.requests, 0),
    metadataBytes: plans.reduce((total, { metadata }) => total + metadata.bytes, 0),
    repairs,
    notes,
  })
}
