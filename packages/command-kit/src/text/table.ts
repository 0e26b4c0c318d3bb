import { pad, printable, truncate, widthOf } from './width.ts'

export interface TableColumn {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Where a cell that is too long is cut; `never` for what has to be read whole. Default: the end. */
  readonly cut?: 'end' | 'middle' | 'never'
}

export interface TableOptions {
  readonly width: number
  /** Style of the header line. */
  readonly header?: (text: string) => string
}

const gap = 2
/** A column gives way to the others down to this width. */
const narrowest = 4

/**
 * Lines of a table that fits the width: the widest columns give way first. When even the narrowest form is too wide,
 * the last columns are left out. Cells are made safe for a terminal.
 */
export const renderTable = (
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): { lines: string[]; hiddenColumns: string[] } => {
  const cells = rows.map((row) => columns.map((_, index) => printable(row[index] ?? '')))
  const titles = columns.map((column) => printable(column.title))
  const natural = columns.map((_, index) =>
    Math.max(widthOf(titles[index] ?? ''), ...cells.map((row) => widthOf(row[index] ?? ''))),
  )
  const widths = fit(columns, natural, options.width)
  const header = options.header ?? ((text: string) => text)
  const line = (row: readonly string[], style = (text: string) => text) =>
    widths
      .map((width, index) => {
        const column = columns[index] as TableColumn
        const cut =
          column.cut === 'never' ? (row[index] ?? '') : truncate(row[index] ?? '', width, column.cut)
        return style(
          pad(cut, index === widths.length - 1 && column.align !== 'right' ? 0 : width, column.align),
        )
      })
      .join(' '.repeat(gap))
      .trimEnd()
  return {
    lines: [line(titles, header), ...cells.map((row) => line(row))],
    hiddenColumns: titles.slice(widths.length),
  }
}

const fit = (columns: readonly TableColumn[], natural: readonly number[], width: number): number[] => {
  const widths = [...natural]
  const least = natural.map((wide, index) =>
    columns[index]?.cut === 'never' ? wide : Math.min(wide, narrowest),
  )
  const total = (list: readonly number[]) =>
    list.reduce((sum, each) => sum + each, 0) + gap * Math.max(0, list.length - 1)
  while (widths.length > 1 && total(least.slice(0, widths.length)) > width) widths.pop()
  while (total(widths) > width) {
    let widest = -1
    for (const [index, wide] of widths.entries())
      if (wide > (least[index] ?? 0) && wide > (widths[widest] ?? -1)) widest = index
    if (widest < 0) break
    const excess = total(widths) - width
    const second = Math.max(...widths.map((wide, index) => (index === widest ? 0 : wide)), least[widest] ?? 0)
    const wide = widths[widest] as number
    widths[widest] = Math.max(wide - excess, Math.min(wide - 1, second), least[widest] ?? 0)
  }
  return widths
}
