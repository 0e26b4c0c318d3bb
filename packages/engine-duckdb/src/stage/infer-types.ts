import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType } from '@penstock/core'
import { firstRow } from '../sql.ts'
import { bigint, boolean, date, decimalFor, double, instant, text, time, timestamp } from './lattice.ts'
import { doubtOf, type SourceValue, type TimeFormats } from './proofs.ts'

/** Columns whose types one statement infers: ten aggregates each, and DuckDB plans thousands slowly. */
const columnsPerStatement = 100

const plainNumber = "'-?(0|[1-9][0-9]*)(\\.[0-9]+)?'"

/**
 * The narrowest type that holds every value of each column, over all rows of `from`; undefined for a column without
 * values.
 */
export const inferTypes = async (
  connection: DuckDBConnection,
  from: string,
  values: readonly SourceValue[],
  formats: TimeFormats = {},
): Promise<(LogicalType | undefined)[]> => {
  const types: (LogicalType | undefined)[] = []
  for (let start = 0; start < values.length; start += columnsPerStatement) {
    const part = values.slice(start, start + columnsPerStatement)
    const row = await firstRow(
      connection,
      `SELECT ${part.flatMap((value) => aggregates(value, formats)).join(', ')} FROM ${from}`,
    )
    const width = aggregateNames.length
    for (let index = 0; index < part.length; index++)
      types.push(decide(row?.slice(index * width, (index + 1) * width) ?? [], formats))
  }
  return types
}

const aggregateNames = [
  'values',
  'boolean',
  'bigint',
  'plain',
  'integerDigits',
  'scale',
  'double',
  'date',
  'timestamp',
  'instant',
  'time',
  'nested',
] as const

const aggregates = (value: SourceValue, formats: TimeFormats): string[] => {
  const holds = (type: LogicalType) =>
    `coalesce(bool_and(NOT coalesce(${doubtOf(value, type, formats)}, false)), true)`
  const point = `instr(${value.literal}, '.')`
  const digits = `length(ltrim(${value.literal}, '-'))`
  return [
    `count(${value.text})`,
    holds(boolean),
    holds(bigint),
    `coalesce(bool_and(regexp_full_match(${value.literal}, ${plainNumber})), true)`,
    `max(CASE WHEN ${point} = 0 THEN ${digits} ELSE ${point} - 1 - (length(${value.literal}) - ${digits}) END)::INTEGER`,
    `max(CASE WHEN ${point} = 0 THEN 0 ELSE length(${value.literal}) - ${point} END)::INTEGER`,
    holds(double),
    holds(date),
    holds(timestamp),
    holds(instant),
    holds(time),
    value.nested === undefined ? 'NULL' : `bool_or(${value.nested})`,
  ]
}

const decide = (row: readonly unknown[], formats: TimeFormats): LogicalType | undefined => {
  const get = (name: (typeof aggregateNames)[number]) => row[aggregateNames.indexOf(name)]
  if (Number(get('values')) === 0) return undefined
  if (get('nested')) return { type: 'json' }
  if (get('boolean')) return boolean
  if (get('bigint')) return bigint
  if (get('plain')) {
    // Digits alone that no int64 holds are codes, not quantities: text (s3-connectors.md, types).
    if (Number(get('scale')) === 0) return text
    const digits = Number(get('integerDigits')) + Number(get('scale'))
    // A JSON number has passed through a double: it is exact up to 15 digits (RFC 8259, section 6).
    if (get('nested') !== null && digits > 15) return double
    return decimalFor(Number(get('integerDigits')), Number(get('scale'))) ?? double
  }
  if (get('double')) return double
  if (get('date')) return date
  if (get('timestamp')) return timestamp
  if (get('instant') && formats.timestamp === undefined) return instant
  return get('time') ? time : text
}
