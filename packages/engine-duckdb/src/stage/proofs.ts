import type { LogicalType } from '@penstock/core'
import { duckdbType } from '../logical-types.ts'
import { quoteText } from '../sql.ts'

/**
 * How a value in a file looks to SQL. `raw` is its VARCHAR as a text column keeps it; `text` is the same, null where a
 * typed column has null (an empty quoted field). `literal` tells numbers and booleans from texts that look like them:
 * in delimited text it is `text`, in JSON the raw value, quotes included.
 */
export interface SourceValue {
  readonly raw: string
  readonly text: string
  readonly literal: string
  /** JSON only: SQL that is true for an object or an array. */
  readonly nested?: string
}

/** strptime formats that the user gave; with one, dates need not be ISO. */
export interface TimeFormats {
  readonly date?: string | undefined
  readonly timestamp?: string | undefined
}

const day = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
const clock = '[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?'
const patterns = {
  timestamp: `${day}[ T]${clock}`,
  zoned: `${day}[ T]${clock} ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)`,
  double: '-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?|-?(nan|inf|infinity|NaN|Infinity)',
  decimal: (scale: number) => `-?(0|[1-9][0-9]*)${scale > 0 ? `(\\.[0-9]{1,${scale}})?` : ''}`,
} as const

const matches = (value: string, pattern: string) => `regexp_full_match(${value}, ${quoteText(pattern)})`

/** SQL for the value in a type; NULL where it can't be one. Only right where {@link doubtOf} is false. */
export const castOf = (
  value: SourceValue,
  type: LogicalType | undefined,
  formats: TimeFormats = {},
): string => {
  if (!type || type.type === 'string') return value.raw
  if (type.type === 'json') return `try_cast(${value.literal} AS JSON)`
  if (type.type === 'date' && formats.date !== undefined)
    return `try_strptime(${value.text}, ${quoteText(formats.date)})::DATE`
  if (type.type === 'timestamp' && formats.timestamp !== undefined)
    return `try_strptime(${value.text}, ${quoteText(formats.timestamp)})::${duckdbType(type)}`
  return `try_cast(${isLiteral(type) ? value.literal : value.text} AS ${duckdbType(type)})`
}

const isLiteral = (type: LogicalType) => ['boolean', 'int', 'decimal', 'float', 'double'].includes(type.type)

/**
 * SQL that is true when a value is no exact member of a type: DuckDB's casts round (`1.5` becomes 2), trim and accept
 * other spellings (`1_000`, `007`, `1e3`), so a cast that succeeds proves nothing. Undefined for types that hold
 * every text.
 */
export const doubtOf = (
  value: SourceValue,
  type: LogicalType | undefined,
  formats: TimeFormats = {},
): string | undefined => {
  const cast = castOf(value, type, formats)
  const { text, literal } = value
  switch (type?.type) {
    case undefined:
      return `${text} IS NOT NULL`
    case 'string':
      return undefined
    case 'int':
      return `${cast}::VARCHAR IS DISTINCT FROM ${literal}`
    case 'boolean':
      return `${literal} NOT IN ('true', 'false', 'True', 'False', 'TRUE', 'FALSE')`
    case 'decimal':
      return `(${cast}::VARCHAR IS DISTINCT FROM ${literal} AND (${cast} IS NULL OR NOT ${matches(literal, patterns.decimal(type.scale))}))`
    case 'double':
    case 'float':
      return `(${literal} IS NOT NULL AND (${cast} IS NULL OR NOT ${matches(literal, patterns.double)} OR (isinf(${cast}) AND NOT regexp_matches(${literal}, 'inf|Inf'))))`
    case 'date':
      if (formats.date !== undefined) return `(${text} IS NOT NULL AND ${cast} IS NULL)`
      return `${cast}::VARCHAR IS DISTINCT FROM ${text}`
    case 'time':
      return `${cast}::VARCHAR IS DISTINCT FROM ${text}`
    case 'timestamp':
      if (formats.timestamp !== undefined) return `(${text} IS NOT NULL AND ${cast} IS NULL)`
      return `(${cast}::VARCHAR IS DISTINCT FROM ${text} AND (${cast} IS NULL OR NOT ${matches(text, type.zoned ? patterns.zoned : patterns.timestamp)}))`
    default:
      return `(${type?.type === 'json' ? literal : text} IS NOT NULL AND ${cast} IS NULL)`
  }
}
