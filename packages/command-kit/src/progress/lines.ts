import type { ActionProgress, StreamResult, TableResult } from '@penstock/core'
import { countOf, formatBytes, formatClock, formatCount, formatDuration } from '../text/numbers.ts'
import type { Style } from '../text/style.ts'
import { pad, printable, truncate } from '../text/width.ts'
import { actionSamples, type ProgressState, rateOf, remainingOf, type TableProgress } from './state.ts'

/** Columns of the bar: what a narrow terminal leaves, and not more than is useful. */
const barWidthOf = (width: number): number => Math.max(4, Math.min(24, width - 40))

/** Lines that a terminal shows of a run under way: the table at work, and how many wait. Each fits the width. */
export const liveLines = (state: ProgressState, style: Style, width: number): string[] => {
  const tables = [...state.tables.values()]
  const active = tables.filter((table) => table.phase !== 'waiting' && table.phase !== 'finished')
  const waiting = tables.filter((table) => table.phase === 'waiting').length
  return [
    ...(state.action ? actionLines(state, state.action, style, width) : []),
    ...active.flatMap((table) => tableLines(table, rateOf(state, table.name), style, width)),
    ...(waiting > 0 ? [style.dim(truncate(`  ${countOf(waiting, 'more table')} to come`, width))] : []),
  ]
}

const tableLines = (
  table: TableProgress,
  rate: number | undefined,
  style: Style,
  width: number,
): string[] => {
  const name = printable(table.name)
  if (table.phase === 'writing')
    return [truncate(`${truncate(name, 30, 'middle')}  ${writtenOf(table, rate).join('  ')}`, width)]
  if (table.plannedObjects === undefined) {
    const found = `${countOf(table.listedObjects, 'object')}, ${formatBytes(table.listedBytes)} listed`
    return [truncate(`${truncate(name, 30, 'middle')}  ${found}`, width)]
  }
  const total = table.plannedBytes ?? 0
  const share = total > 0 ? Math.min(1, table.bytes / total) : 1
  return [
    barLine(name, share, remainingOf(table, rate), style, width),
    style.dim(truncate(`  ${detailsOf(table, rate).join('  ')}`, width)),
  ]
}

/** Name, bar, percent and remaining time in one line. */
const barLine = (
  name: string,
  share: number,
  remaining: number | undefined,
  style: Style,
  width: number,
): string => {
  const barWidth = barWidthOf(width)
  const filled = Math.round(share * barWidth)
  const bar = style.cyan('█'.repeat(filled)) + style.dim('░'.repeat(barWidth - filled))
  const percent = pad(`${Math.floor(share * 100)} %`, 5, 'right')
  const eta = remaining === undefined ? '' : `  ETA ${formatClock(remaining)}`
  const room = Math.max(1, width - barWidth - 9 - eta.length)
  return `${pad(truncate(name, room, 'middle'), Math.min(room, 20))}  ${bar} ${percent}${eta}`
}

const actionLines = (state: ProgressState, action: ActionProgress, style: Style, width: number): string[] => {
  const details = style.dim(truncate(`  ${actionDetails(state, action).join('  ')}`, width))
  const name = printable(action.item)
  if (action.totalBytes === undefined) return [truncate(name, width, 'middle'), details]
  const share = Math.max(0, Math.min(1, action.bytes / action.totalBytes))
  const remaining = remainingOf(
    { bytes: action.bytes, plannedBytes: action.totalBytes },
    rateOf(state, actionSamples),
  )
  return [barLine(name, share, remaining, style, width), details]
}

const actionDetails = (state: ProgressState, action: ActionProgress): string[] => {
  const rate = rateOf(state, actionSamples)
  const total = action.totalBytes === undefined ? '' : ` of ${formatBytes(action.totalBytes)}`
  return [
    `${formatBytes(action.bytes)}${total}`,
    ...((action.totalItems ?? 0) > 1
      ? [`${formatCount(action.items)} of ${countOf(action.totalItems ?? 0, 'object')}`]
      : []),
    ...(rate === undefined ? [] : [`${formatBytes(rate)}/s`]),
  ]
}

const detailsOf = (table: TableProgress, rate: number | undefined): string[] => [
  `${formatBytes(table.bytes)} of ${formatBytes(table.plannedBytes ?? 0)}`,
  `${formatCount(table.objectsLoaded)} of ${countOf(table.plannedObjects ?? 0, 'file')}`,
  countOf(table.rows, 'row'),
  ...(rate === undefined ? [] : [`${formatBytes(rate)}/s`]),
  ...(table.rejected > 0 ? [`${formatCount(table.rejected)} rejected`] : []),
  ...(table.retries > 0 ? [countOf(table.retries, 'retry', 'retries')] : []),
]

/** What is written of a stream so far. */
const writtenOf = (table: TableProgress, rate: number | undefined): string[] => [
  countOf(table.rows, 'row'),
  countOf(table.objectsLoaded, 'file'),
  formatBytes(table.bytes),
  ...(rate === undefined ? [] : [`${formatBytes(rate)}/s`]),
]

/** One line on the table at work, for a log. Undefined when nothing is under way. */
export const quietLine = (state: ProgressState): string | undefined => {
  if (state.action) return `${printable(state.action.item)}: ${actionDetails(state, state.action).join(', ')}`
  const tables = [...state.tables.values()]
  const table = tables.find(({ phase }) => phase !== 'waiting' && phase !== 'finished')
  if (!table) return undefined
  const name = printable(table.name)
  if (table.phase === 'writing')
    return `${name}: ${writtenOf(table, rateOf(state, table.name)).join(', ')} written`
  if (table.plannedObjects === undefined)
    return `${name}: ${countOf(table.listedObjects, 'object')}, ${formatBytes(table.listedBytes)} listed`
  const rate = rateOf(state, table.name)
  const remaining = remainingOf(table, rate)
  const eta = remaining === undefined ? [] : [`ETA ${formatClock(remaining)}`]
  return `${name}: ${[...detailsOf(table, rate), ...eta].join(', ')}`
}

/** What became of a table, in one line (two where it failed is told by the error itself). */
export const resultLine = (result: TableResult, style: Style): string => {
  const name = printable(result.name)
  const time = formatDuration(result.durationMs)
  switch (result.status) {
    case 'succeeded': {
      const parts = [
        // A table of rows has no files.
        ...(result.objects === 0 && result.rowsLoaded > 0
          ? []
          : [countOf(result.objects, 'file'), formatBytes(result.bytes)]),
        `${countOf(result.rowsLoaded, 'row')} loaded`,
        ...(result.rowsRejected > 0 ? [`${formatCount(result.rowsRejected)} rejected`] : []),
      ]
      return `${style.green('✔')} ${name}: ${parts.join(', ')} in ${time}`
    }
    case 'unchanged':
      return `${style.green('✔')} ${name}: nothing new`
    case 'cancelled':
      return `${style.yellow('■')} ${name}: stopped, the table is as it was`
    case 'failed':
      return `${style.red('✖')} ${name}: failed, the table is as it was`
  }
}

/** What became of a stream of an export, in one line. */
export const streamLine = (result: StreamResult, style: Style): string => {
  const left = [
    [result.rowsDropped, 'dropped'],
    [result.rowsDeduplicated, 'duplicates'],
    [result.rowsSkipped, 'without cursor'],
  ] as const
  const parts = [
    `${countOf(result.rows, 'row')} in ${countOf(result.files, 'file')}`,
    formatBytes(result.bytes),
    ...left.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`),
  ]
  return `${style.green('✔')} ${printable(result.name)}: ${parts.join(', ')} in ${formatDuration(result.durationMs)}`
}
