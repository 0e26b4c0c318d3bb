import {
  countOf,
  csvLine,
  exactJson,
  formatCount,
  renderTable,
  rowText,
  tableWidth,
  valueText,
} from '@penstock/command-kit'
import { describeType, type QueryResult } from '@penstock/core'
import { firstRows } from '@penstock/runtime'

/** Writes a piece of the result; false once nobody reads it any more. */
type Write = (text: string) => Promise<boolean>

export const writeCsv = async (result: QueryResult, write: Write): Promise<void> => {
  if (!(await write(`${csvLine(result.columns.map((column) => column.name))}\n`))) return
  for await (const rows of result.rows()) {
    const lines = rows.map((row) => csvLine(textsOf(result, row)))
    if (!(await write(`${lines.join('\n')}\n`))) return
  }
}

export const writeNdjson = async (result: QueryResult, write: Write): Promise<void> => {
  for await (const rows of result.rows()) {
    const lines = rows.map((row) => rowText(result.columns, row))
    if (!(await write(`${lines.join('\n')}\n`))) return
  }
}

/** The one place that holds a whole result: `--json` is one object. */
export const collectResult = async (result: QueryResult, limit: number) => {
  const { rows, more } = await firstRows(result, limit)
  return {
    columns: result.columns.map(({ name, type }) => ({ name, type: describeType(type) })),
    rows: rows.map((row) => exactJson(rowText(result.columns, row))),
    truncated: more,
  }
}

const numericTypes = new Set(['int', 'float', 'double', 'decimal'])

/** Draws the first rows. Gives what there is to say below the table. */
export const writeTable = async (
  result: QueryResult,
  limit: number,
  options: { readonly write: Write; readonly header: (text: string) => string },
): Promise<readonly string[]> => {
  const { rows, more } = await firstRows(result, limit)
  const { lines, hiddenColumns } = renderTable(
    // A number that is cut is another number.
    result.columns.map(({ name, type }) =>
      numericTypes.has(type.type) ? { title: name, align: 'right', cut: 'never' } : { title: name },
    ),
    rows.map((row) => textsOf(result, row).map((text) => text ?? 'NULL')),
    { width: tableWidth(process.stdout), header: options.header },
  )
  for (const line of lines) if (!(await options.write(`${line}\n`))) return []
  const shown = hiddenColumns.slice(0, 8).join(', ')
  return [
    more
      ? `First ${countOf(rows.length, 'row')}; --limit 0 shows all, --format csv writes all.`
      : countOf(rows.length, 'row'),
    ...(hiddenColumns.length > 0
      ? [
          `${formatCount(hiddenColumns.length)} columns have no room: ${shown}${hiddenColumns.length > 8 ? ', …' : ''}`,
        ]
      : []),
  ]
}

const textsOf = (result: QueryResult, row: readonly unknown[]): (string | undefined)[] =>
  result.columns.map(({ type }, index) => valueText(row[index], type))
