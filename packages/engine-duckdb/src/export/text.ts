import {
  type Column,
  ConnectorError,
  type CsvExportOptions,
  csvEmptyIsNull,
  csvOptionIssues,
  type ExportFormat,
  requireCsvNames,
} from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'
import type { CopyForm } from './copy-form.ts'
import { csvLines, needsLines } from './csv-lines.ts'
import { jsonLines } from './json-lines.ts'
import { csvValue, jsonValue, mayBeEmpty } from './text-values.ts'
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
      refuseInvalid(format, columns)
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
    const empty = column.type.type === 'string' ? format.emptyValue : undefined
    if (swapped) {
      const text = `(${plain})::VARCHAR`
      if (!mayBeEmpty(column.type)) return `coalesce(${text}, '')`
      const nothing = empty === undefined || (empty === '' && !csvEmptyIsNull(format))
      const emptied = nothing ? 'NULL' : quoteText(empty === '""' ? '' : empty)
      return `CASE WHEN ${text} IS NULL THEN '' WHEN ${text} = '' THEN ${emptied} ELSE ${text} END`
    }
    if (empty === undefined || (empty === '""' && format.quote !== '')) return plain
    return `CASE WHEN ${plain} = '' THEN ${empty === nullText ? 'NULL' : quoteText(empty)} ELSE ${plain} END`
  }
  return {
    list: listOf(columns, value),
    options: (first) => `${settings}, HEADER ${first && format.header}`,
    refusals: format.quote === '' ? unquotable(format, columns) : [],
  }
}

const refuseInvalid = (format: CsvExportOptions, columns: readonly Column[]): void => {
  const [issue] = csvOptionIssues(format)
  if (issue) throw new ConnectorError('config', issue.message, { code: 'CsvOptions', hint: issue.hint })
  requireCsvNames(
    format,
    columns.map(({ name }) => name),
  )
}
