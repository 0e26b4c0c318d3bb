import { formatBytes, formatCount, formatDuration, type TableColumn } from '@penstock/command-kit'
import type { RunRecord } from '@penstock/core'

export const resultColumns: readonly TableColumn[] = [
  { title: 'TABLE', cut: 'middle' },
  { title: 'MODE', cut: 'never' },
  { title: 'STATUS', cut: 'never' },
  { title: 'FILES', align: 'right', cut: 'never' },
  { title: 'BYTES', align: 'right', cut: 'never' },
  { title: 'ROWS', align: 'right', cut: 'never' },
  { title: 'REJECTED', align: 'right', cut: 'never' },
  { title: 'TIME', align: 'right', cut: 'never' },
]

/** Rows of a table of results, for {@link resultColumns}. */
export const resultRows = (run: RunRecord): string[][] =>
  run.tables.map((table) => [
    table.name,
    table.mode,
    table.status,
    // A table of rows has no files.
    ...(table.objects === 0 && table.rowsLoaded > 0
      ? ['-', '-']
      : [formatCount(table.objects), formatBytes(table.bytes)]),
    formatCount(table.rowsLoaded),
    formatCount(table.rowsRejected),
    formatDuration(table.durationMs),
  ])
