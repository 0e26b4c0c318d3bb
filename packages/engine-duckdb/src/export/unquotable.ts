import type { Column, CsvExportOptions } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'
import type { CopyForm } from './copy-form.ts'

/** What CSV can't hold without a quote: special characters, and a text that is the null value. */
export const unquotable = (
  format: CsvExportOptions,
  columns: readonly Column[],
  value: (column: Column) => string,
): CopyForm['refusals'] =>
  columns.map((column) => {
    const text = `(${value(column)})::VARCHAR`
    const specials = [quoteText(format.delimiter), 'chr(10)', 'chr(13)'].map(
      (special) => `contains(${text}, ${special})`,
    )
    const isNull = `(${text} = ${quoteText(format.nullValue)} AND ${quoteIdentifier(column.name)} IS NOT NULL)`
    return {
      column: column.name,
      condition: [...specials, ...(format.emptyValue === undefined ? [isNull] : [])].join(' OR '),
      why: 'holds the delimiter, a line break or the null value, and there is no quote',
      hint: 'Choose another delimiter, or write with a quote.',
    }
  })
