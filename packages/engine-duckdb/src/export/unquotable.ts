import type { Column, CsvExportOptions } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'
import type { CopyForm } from './copy-form.ts'
import { csvValue } from './text-values.ts'

/** What CSV can't hold without a quote: special characters, and a text that is the null value. */
export const unquotable = (format: CsvExportOptions, columns: readonly Column[]): CopyForm['refusals'] =>
  columns.map((column) => {
    const text = `(${csvValue(column.type, quoteIdentifier(column.name), format)})::VARCHAR`
    const specials = [quoteText(format.delimiter), 'chr(10)', 'chr(13)'].map(
      (special) => `contains(${text}, ${special})`,
    )
    // An empty text with a value of its own is written as that.
    const replaced = column.type.type === 'string' && format.emptyValue !== undefined
    const isNull = `(${text} = ${quoteText(format.nullValue)}${replaced ? ` AND ${text} <> ''` : ''})`
    return {
      column: column.name,
      condition: [...specials, isNull].join(' OR '),
      why: 'holds the delimiter, a line break or the null value, and there is no quote',
      hint: 'Choose another delimiter or null value, or write with a quote.',
    }
  })
