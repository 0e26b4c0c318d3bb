import type { RunRecord } from '@penstock/core'

/** Sums over the tables, or the streams, of a run. */
export const totalsOf = ({ tables, export: result }: RunRecord) => {
  const streams = result?.streams ?? []
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  return {
    objects: sum([...tables.map((table) => table.objects), ...streams.map((stream) => stream.files)]),
    bytes: sum([...tables.map((table) => table.bytes), ...streams.map((stream) => stream.bytes)]),
    rows: sum([...tables.map((table) => table.rowsLoaded), ...streams.map((stream) => stream.rows)]),
    rowsRejected: sum([
      ...tables.map((table) => table.rowsRejected),
      ...streams.map((stream) => stream.rowsDropped),
    ]),
  }
}

/** Milliseconds that a run took; undefined while it runs. */
export const durationOf = (run: RunRecord): number | undefined =>
  run.finishedAt === undefined ? undefined : Date.parse(run.finishedAt) - Date.parse(run.startedAt)
