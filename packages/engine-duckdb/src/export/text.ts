import {
  type Column,
  ConnectorError,
  type CsvExportOptions,
  type ExportFormat,
  type LogicalType,
} from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'

/** How DuckDB writes rows of these columns in a format. */
export interface CopyForm {
  /** The columns as they are written, for `SELECT <list> FROM ...`. */
  readonly list: string
  /** Options of COPY; the header of CSV is asked for apart. */
  readonly options: (first: boolean) => string
  /** Condition of a row that the format can't hold, by column: a query with it names the place. */
  readonly refusals: readonly { readonly column: string; readonly condition: string; readonly why: string }[]
}

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
      return {
        list: listOf(columns, (column) => jsonValue(column.type, quoteIdentifier(column.name))),
        options: () => 'FORMAT json, ARRAY false, COMPRESSION uncompressed',
        refusals: [],
      }
    case 'csv':
      return csvForm(format, columns)
  }
}

const listOf = (columns: readonly Column[], expression: (column: Column) => string): string =>
  columns.map((column) => `${expression(column)} AS ${quoteIdentifier(column.name)}`).join(', ')

const csvForm = (format: CsvExportOptions, columns: readonly Column[]): CopyForm => {
  refuseInvalid(format)
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
    refusals: refusalsOf(format, columns, value),
  }
}

const refuseInvalid = (format: CsvExportOptions): void => {
  const refuse = (message: string, hint: string) => {
    throw new ConnectorError('config', message, { code: 'CsvOptions', hint })
  }
  const { delimiter, quote, nullValue, emptyValue } = format
  if (Buffer.byteLength(delimiter) !== 1 || '\0\r\n'.includes(delimiter))
    refuse('The delimiter has to be one ASCII character, and no line break.', 'Choose , ; | : or a tab.')
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
  if (quote !== '' && nullValue !== '' && nullValue.includes(format.escape) && nullValue !== '""')
    refuse(
      'The null value must not hold the escape character.',
      'Choose another escape, or another null value.',
    )
  if (emptyValue === '""' && nullValue !== '')
    refuse(
      'An empty text is written as "" where null is written as nothing.',
      'Leave the null value empty, or choose another empty value.',
    )
}

/** What CSV can't hold: without a quote every special character; a null that would be an empty line. */
const refusalsOf = (
  format: CsvExportOptions,
  columns: readonly Column[],
  value: (column: Column) => string,
): CopyForm['refusals'] => {
  if (format.quote !== '') return []
  return columns.map((column) => {
    const text = `(${value(column)})::VARCHAR`
    const specials = [quoteText(format.delimiter), 'chr(10)', 'chr(13)'].map(
      (special) => `contains(${text}, ${special})`,
    )
    const isNull = `(${text} = ${quoteText(format.nullValue)} AND ${quoteIdentifier(column.name)} IS NOT NULL)`
    return {
      column: column.name,
      condition: [...specials, ...(format.emptyValue === undefined ? [isNull] : [])].join(' OR '),
      why: 'holds the delimiter, a line break or the null value, and there is no quote',
    }
  })
}

/** A value as CSV has it: its own text where that is exact, ISO 8601 for times, JSON for lists, structs and maps. */
const csvValue = (type: LogicalType, sql: string, format: CsvExportOptions): string => {
  if (type.type === 'date' && format.dateFormat !== undefined)
    return `strftime(${sql}, ${quoteText(format.dateFormat)})`
  if (type.type === 'timestamp' && format.timestampFormat !== undefined)
    return `strftime(${type.zoned ? `${sql} AT TIME ZONE 'UTC'` : sql}, ${quoteText(format.timestampFormat)})`
  if (type.type === 'list' && format.lists === 'braces' && !isNested(type.element))
    return bracedList(type.element, sql, format)
  if (isNested(type)) return `to_json(${jsonValue(type, sql)})::VARCHAR`
  return plainText(type, sql, format.binary)
}

/** Text of a scalar: ISO 8601 for timestamps, base64 or hex for bytes; others as DuckDB writes them. */
export const plainText = (
  type: LogicalType,
  sql: string,
  binary: CsvExportOptions['binary'] = 'base64',
): string => {
  if (type.type === 'timestamp') return isoText(sql, type.zoned)
  if (type.type === 'binary') return binary === 'hex' ? `'\\x' || lower(hex(${sql}))` : `to_base64(${sql})`
  return sql
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO: every element in quotes, so that none means null. */
const bracedList = (element: LogicalType, sql: string, { binary }: CsvExportOptions): string => {
  const plain = `(${plainText(element, 'x', binary)})::VARCHAR`
  const escaped = `replace(replace(${plain}, '\\', '\\\\'), '"', '\\"')`
  const elements = `list_transform(${sql}, lambda x: CASE WHEN x IS NULL THEN 'NULL' ELSE '"' || ${escaped} || '"' END)`
  return `CASE WHEN ${sql} IS NULL THEN NULL ELSE '{' || coalesce(array_to_string(${elements}, ','), '') || '}' END`
}

const isoText = (sql: string, zoned: boolean): string => {
  const wall = `replace((${zoned ? `${sql} AT TIME ZONE 'UTC'` : sql})::VARCHAR, ' ', 'T')`
  return zoned ? `${wall} || CASE WHEN isfinite(${sql}) THEN 'Z' ELSE '' END` : wall
}

const isNested = (type: LogicalType): boolean =>
  type.type === 'list' ||
  type.type === 'struct' ||
  type.type === 'map' ||
  (type.type === 'other' && /[[(]/.test(type.name) && !/^ENUM/i.test(type.name))

/**
 * A value for JSON, so that what JSON has no word for is exact text: infinite numbers and NaN, bytes (base64),
 * timestamps (ISO 8601).
 */
const jsonValue = (type: LogicalType, sql: string, depth = 0): string => {
  switch (type.type) {
    case 'float':
    case 'double':
      return `CASE WHEN isfinite(${sql}) OR ${sql} IS NULL THEN to_json(${sql}) ELSE to_json((${sql})::VARCHAR) END`
    case 'timestamp':
    case 'binary':
      return plainText(type, sql)
    case 'list': {
      const element = `x${depth}`
      const inner = jsonValue(type.element, element, depth + 1)
      return inner === element ? sql : `list_transform(${sql}, lambda ${element}: ${inner})`
    }
    case 'struct': {
      const fields = type.fields.map((field) => {
        const from = `${sql}[${quoteText(field.name)}]`
        return { name: field.name, from, to: jsonValue(field.type, from, depth) }
      })
      if (fields.every(({ from, to }) => from === to)) return sql
      const packed = fields.map(({ name, to }) => `${quoteIdentifier(name)} := ${to}`).join(', ')
      return `CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${packed}) END`
    }
    default:
      return sql
  }
}
