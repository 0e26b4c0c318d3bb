import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType } from '@penstock/core'
import { firstRow } from '../sql.ts'
import { bigint, boolean, date, decimalFor, double, instant, text, time, timestamp } from './lattice.ts'
import { doubtOf, type SourceValue, type TimeFormats } from './proofs.ts'

/** Columns that one statement looks at: DuckDB plans thousands of aggregates slowly. */
const columnsPerStatement = 100

/** Digits up to which a JSON number is exact: it has passed through a double (RFC 8259, section 6). */
const exactJsonDigits = 15

const plainNumber = "'-?(0|[1-9][0-9]*)(\\.[0-9]+)?'"

/** Gives a table expression over the rows to one statement. A pipe can be read once, so each statement asks anew. */
export type Scan = <Result>(use: (from: string) => Promise<Result>) => Promise<Result>

/**
 * The narrowest type that holds every value of each column, over all rows of a scan; undefined for a column without
 * values. Numbers are decided first, so that only the rest is tried against the other types.
 */
export const inferTypes = async (
  connection: DuckDBConnection,
  scan: Scan,
  values: readonly SourceValue[],
  formats: TimeFormats = {},
): Promise<(LogicalType | undefined)[]> => {
  const numbers = await aggregate(connection, scan, values, numberAggregates)
  const types = numbers.map((row, index) => decideNumber(row, values[index]?.nested !== undefined))
  const others = values.filter((_, index) => types[index] === 'no number')
  const rest = (await aggregate(connection, scan, others, (value) => otherAggregates(value, formats))).map(
    decideOther,
  )
  return types.map((type) => (type === 'no number' ? rest.shift() : type))
}

const aggregate = async (
  connection: DuckDBConnection,
  scan: Scan,
  values: readonly SourceValue[],
  aggregatesOf: (value: SourceValue) => string[],
): Promise<(readonly unknown[])[]> => {
  const results: (readonly unknown[])[] = []
  for (let start = 0; start < values.length; start += columnsPerStatement) {
    const part = values.slice(start, start + columnsPerStatement).map(aggregatesOf)
    const row =
      (await scan((from) => firstRow(connection, `SELECT ${part.flat().join(', ')} FROM ${from}`))) ?? []
    const width = part[0]?.length ?? 0
    for (let index = 0; index < part.length; index++)
      results.push(row.slice(index * width, (index + 1) * width))
  }
  return results
}

const holds = (value: SourceValue, type: LogicalType, formats: TimeFormats = {}) =>
  `coalesce(bool_and(NOT coalesce(${doubtOf(value, type, formats)}, false)), true)`

const numberAggregates = (value: SourceValue): string[] => {
  const point = `instr(${value.literal}, '.')`
  const digits = `length(ltrim(${value.literal}, '-'))`
  return [
    `count(${value.text})`,
    holds(value, bigint),
    `coalesce(bool_and(regexp_full_match(${value.literal}, ${plainNumber})), true)`,
    `max(CASE WHEN ${point} = 0 THEN ${digits} ELSE ${point} - 1 - (length(${value.literal}) - ${digits}) END)::INTEGER`,
    `max(CASE WHEN ${point} = 0 THEN 0 ELSE length(${value.literal}) - ${point} END)::INTEGER`,
  ]
}

const decideNumber = (row: readonly unknown[], isJson: boolean): LogicalType | undefined | 'no number' => {
  const [count, isBigint, isPlain, integerDigits, scale] = row
  if (Number(count) === 0) return undefined
  if (isBigint) return bigint
  if (!isPlain) return 'no number'
  // Digits alone that no int64 holds are codes, not quantities: text (s3-connectors.md, types).
  if (Number(scale) === 0) return text
  if (isJson && Number(integerDigits) + Number(scale) > exactJsonDigits) return double
  return decimalFor(Number(integerDigits), Number(scale)) ?? double
}

const otherTypes = [boolean, double, date, timestamp, instant, time]

const otherAggregates = (value: SourceValue, formats: TimeFormats): string[] => [
  ...otherTypes.map((type) => holds(value, type, formats)),
  value.nested === undefined ? 'NULL' : `bool_or(${value.nested})`,
]

const decideOther = (row: readonly unknown[]): LogicalType => {
  if (row.at(-1)) return { type: 'json' }
  return otherTypes.find((_, index) => row[index]) ?? text
}
