import type { CsvExportOptions, LogicalType } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../sql.ts'

/** A value as CSV has it: its own text where that is exact, ISO 8601 for times, JSON for lists, structs and maps. */
export const csvValue = (type: LogicalType, sql: string, format: CsvExportOptions): string => {
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

/** Types whose text can be empty: an empty text has to stay apart from null. */
export const mayBeEmpty = ({ type }: LogicalType): boolean =>
  type === 'string' || type === 'binary' || type === 'other'

const isNested = (type: LogicalType): boolean =>
  type.type === 'list' ||
  type.type === 'struct' ||
  type.type === 'map' ||
  (type.type === 'other' && /[[(]/.test(type.name) && !/^ENUM/i.test(type.name))

/**
 * A value for JSON, so that what JSON has no word for is exact text: infinite numbers and NaN, bytes (base64),
 * timestamps (ISO 8601).
 */
export const jsonValue = (type: LogicalType, sql: string, depth = 0): string => {
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
