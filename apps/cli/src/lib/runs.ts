import type { RunRecord, TableResult } from '@penstock/core'

/** Sums over the tables of a run. */
export const totalsOf = (tables: readonly TableResult[]) => ({
  objects: tables.reduce((sum, table) => sum + table.objects, 0),
  bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
  rowsLoaded: tables.reduce((sum, table) => sum + table.rowsLoaded, 0),
  rowsRejected: tables.reduce((sum, table) => sum + table.rowsRejected, 0),
})

/** Milliseconds that a run took; undefined while it runs. */
export const durationOf = (run: RunRecord): number | undefined =>
  run.finishedAt === undefined ? undefined : Date.parse(run.finishedAt) - Date.parse(run.startedAt)
