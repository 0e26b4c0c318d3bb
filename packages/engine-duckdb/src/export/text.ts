import { type Column, ConnectorError, type CsvExportOptions, type ExportFormat } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'
import type { CopyForm } from './copy-form.ts'
import { csvLines, needsLines } from './csv-lines.ts'
import { jsonLines } from './json-lines.ts'
import { csvValue, jsonValue } from './text-values.ts'
import { unquotable } from './unquotable.ts'

export const copyForm = (format: ExportFormat, columns: readonly Column[]): CopyForm => {
  switch (format.type) {
    case 'parquet': {
      const compression = format.compression === 'none' ? 'uncompressed' : format.compression
      return {
        list: columns.map(({ name }) => quoteIdentifier(name)).join(', '),
        options: () => `FORMAT parquet, COMPRESSION ${compression}`,
        refusals: [],
      }
    }
    case 'ndjson':
      if (columns.some(({ type }) => type.type === 'json')) return jsonLines(columns)
      return {
        list: listOf(columns, (column) => jsonValue(column.type, quoteIdentifier(column.name))),
        options: () => 'FORMAT json, ARRAY false, COMPRESSION uncompressed',
        refusals: [],
      }
    case 'csv':
      refuseInvalid(format)
      return needsLines(format, columns) ? csvLines(format, columns) : csvForm(format, columns)
  }
}

const listOf = (columns: readonly Column[], expression: (column: Column) => string): string =>
  columns.map((column) => `${expression(column)} AS ${quoteIdentifier(column.name)}`).join(', ')

const csvForm = (format: CsvExportOptions, columns: readonly Column[]): CopyForm => {
  // DuckDB writes an empty text as "" exactly where null is written as nothing, so for a null of "" the two swap.
  const swapped = format.nullValue === '""'
  const nullText = swapped ? '' : format.nullValue
  const settings = [
    'FORMAT csv',
    'COMPRESSION uncompressed',
    `DELIMITER ${quoteText(format.delimiter)}`,
    `QUOTE ${quoteText(format.quote)}`,
    `ESCAPE ${quoteText(format.quote === '' ? '' : format.escape)}`,
    `NULLSTR ${quoteText(nullText)}`,
    ...(format.quoteAll ? ['FORCE_QUOTE *'] : []),
    ...(format.lineSeparator === 'crlf' ? ["NEW_LINE '\\r\\n'"] : []),
  ].join(', ')
  const value = (column: Column): string => {
    const plain = csvValue(column.type, quoteIdentifier(column.name), format)
    if (column.type.type !== 'string') return swapped ? `coalesce((${plain})::VARCHAR, '')` : plain
    const empty = format.emptyValue
    if (swapped) {
      const emptied = empty === undefined || empty === '' ? 'NULL' : quoteText(empty)
      return `CASE WHEN ${plain} IS NULL THEN '' WHEN ${plain} = '' THEN ${emptied} ELSE ${plain} END`
    }
    if (empty === undefined || empty === '""') return plain
    return `CASE WHEN ${plain} = '' THEN ${empty === nullText ? 'NULL' : quoteText(empty)} ELSE ${plain} END`
  }
  return {
    list: listOf(columns, value),
    options: (first) => `${settings}, HEADER ${first && format.header}`,
    refusals: format.quote === '' ? unquotable(format, columns, value) : [],
  }
}

const refuseInvalid = (format: CsvExportOptions): void => {
  const refuse = (message: string, hint: string) => {
    throw new ConnectorError('config', message, { code: 'CsvOptions', hint })
  }
  const { delimiter, quote, nullValue, emptyValue } = format
  if ('\0\r\n'.includes(delimiter))
    refuse('The delimiter must not be a line break.', 'Choose , ; | : or a tab.')
  if (delimiter === quote || (quote !== '' && delimiter === format.escape))
    refuse('Delimiter, quote and escape have to be different characters.', 'Choose another delimiter.')
  if (quote === '' && format.quoteAll)
    refuse('Every field can not be quoted without a quote.', 'Leave one of the two out.')
  if (
    nullValue !== '""' &&
    ((quote !== '' && nullValue.includes(quote)) || /[\r\n]/.test(nullValue) || nullValue.includes(delimiter))
  )
    refuse(
      'The null value must not hold the delimiter, the quote or a line break.',
      'Take an empty one, or "" as a whole.',
    )
  if (emptyValue === '""' && nullValue === '""')
    refuse('Null and an empty text would both be "".', 'Choose another null value, or another empty value.')
}
