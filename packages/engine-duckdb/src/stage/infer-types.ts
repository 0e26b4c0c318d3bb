import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType } from '@penstock/core'
import { firstRow } from '../sql.ts'
import { bigint, boolean, date, decimalFor, double, instant, text, time, timestamp } from './lattice.ts'
import { doubtOf, type SourceValue, type TimeFormats } from './proofs.ts'

/** Columns that one statement looks at: DuckDB plans thousands of aggregates slowly. */
const columnsPerStatement = 50

/** Rows that refute most types of most columns, so that only the rest is tried on all rows: failing casts are slow. */
const probeRows = 500

/** Digits up to which a JSON number is exact: it has passed through a double (RFC 8259, section 6). */
const exactJsonDigits = 15

const plainNumber = "'-?(0|[1-9][0-9]*)(\\.[0-9]+)?'"

/** Gives a table expression over the rows to one statement. A pipe can be read once, so each statement asks anew. */
export type Scan = <Result>(use: (from: string) => Promise<Result>) => Promise<Result>

/** What some rows tell about a column. */
interface Findings {
  /** Values that are not null. */
  readonly count: number
  readonly isBigint: boolean
  /** Every value is a number in plain decimal notation. */
  readonly isPlain: boolean
  /** Most digits before and after the point. */
  readonly integerDigits: number
  readonly scale: number
  /** Whether all values are of these types, in the order of {@link otherTypes}. */
  readonly others: readonly boolean[]
  /** Some value is an object or an array. */
  readonly isNested: boolean
}

const otherTypes = [boolean, double, date, timestamp, instant, time]

const nothingRefuted: Findings = {
  count: 0,
  isBigint: true,
  isPlain: true,
  integerDigits: 0,
  scale: 0,
  others: otherTypes.map(() => true),
  isNested: false,
}

/**
 * The narrowest type that holds every value of each column, over all rows of a scan; undefined for a column without
 * values. A first look at a few rows leaves little to be tried on all of them.
 */
export const inferTypes = async (
  connection: DuckDBConnection,
  scan: Scan,
  values: readonly SourceValue[],
  formats: TimeFormats = {},
): Promise<(LogicalType | undefined)[]> => {
  const types: (LogicalType | undefined)[] = []
  for (let start = 0; start < values.length; start += columnsPerStatement) {
    const part = values.slice(start, start + columnsPerStatement)
    const unknown = part.map(() => nothingRefuted)
    const look = (limit: string, known: readonly Findings[]) =>
      scan((from) => findingsOf(connection, from + limit, part, known, formats))
    const probe = await look(` LIMIT ${probeRows}`, unknown)
    const { found } = probe.rows < probeRows ? probe : await look('', probe.found)
    types.push(...found.map((findings, index) => decide(findings, part[index]?.nested !== undefined)))
  }
  return types
}

/** Tries on some rows what is not refuted yet. */
const findingsOf = async (
  connection: DuckDBConnection,
  from: string,
  values: readonly SourceValue[],
  known: readonly Findings[],
  formats: TimeFormats,
): Promise<{ rows: number; found: Findings[] }> => {
  // Short names, since what stands in a score of aggregates costs more to plan than to run.
  const named = values.map(({ text, literal, nested }, index) => {
    const isJson = nested !== undefined
    const names = { text: `t${index}`, literal: isJson ? `l${index}` : `t${index}` }
    return {
      value: { ...names, raw: names.text, ...(isJson && { nested: `n${index}` }) } satisfies SourceValue,
      sql: [`${text} AS t${index}`, ...(isJson ? [`${literal} AS l${index}`, `${nested} AS n${index}`] : [])],
    }
  })
  const tests = named.map(({ value }, index) => openTests(value, known[index] ?? nothingRefuted, formats))
  const aggregates = ['count(*)', ...tests.flatMap((test) => [...test.values()])]
  const row = await firstRow(
    connection,
    `SELECT ${aggregates.join(', ')} FROM (SELECT ${named.flatMap(({ sql }) => sql).join(', ')} FROM ${from})`,
  )
  let position = 1
  const found = tests.map((test, index) => {
    const results = new Map([...test.keys()].map((name) => [name, row?.[position++]]))
    return withResults(known[index] ?? nothingRefuted, results)
  })
  return { rows: Number(row?.[0] ?? 0), found }
}

const holds = (value: SourceValue, type: LogicalType, formats: TimeFormats = {}) =>
  `coalesce(bool_and(NOT coalesce(${doubtOf(value, type, formats)}, false)), true)`

/** SQL of the aggregates that can still change the findings, by name; the other types by position. */
const openTests = (
  value: SourceValue,
  known: Findings,
  formats: TimeFormats,
): Map<keyof Findings | number, string> => {
  const { text, literal, nested } = value
  const point = `instr(${literal}, '.')`
  const digits = `length(ltrim(${literal}, '-'))`
  const tests = new Map<keyof Findings | number, string>([['count', `count(${text})`]])
  if (known.isBigint) tests.set('isBigint', holds(value, bigint))
  if (known.isPlain) {
    tests.set('isPlain', `coalesce(bool_and(regexp_full_match(${literal}, ${plainNumber})), true)`)
    tests.set(
      'integerDigits',
      `max(CASE WHEN ${point} = 0 THEN ${digits} ELSE ${point} - 1 - (length(${literal}) - ${digits}) END)::INTEGER`,
    )
    tests.set('scale', `max(CASE WHEN ${point} = 0 THEN 0 ELSE length(${literal}) - ${point} END)::INTEGER`)
  }
  for (const [index, type] of otherTypes.entries())
    if (known.others[index]) tests.set(index, holds(value, type, formats))
  if (nested !== undefined && !known.isNested) tests.set('isNested', `bool_or(${nested})`)
  return tests
}

const withResults = (known: Findings, results: ReadonlyMap<keyof Findings | number, unknown>): Findings => ({
  count: Math.max(known.count, Number(results.get('count'))),
  isBigint: results.get('isBigint') === true,
  isPlain: results.get('isPlain') === true,
  integerDigits: Math.max(known.integerDigits, Number(results.get('integerDigits') ?? 0)),
  scale: Math.max(known.scale, Number(results.get('scale') ?? 0)),
  others: known.others.map((_, index) => results.get(index) === true),
  isNested: known.isNested || results.get('isNested') === true,
})

const decide = (found: Findings, isJson: boolean): LogicalType | undefined => {
  const { count, integerDigits, scale } = found
  if (count === 0) return undefined
  if (found.isBigint) return bigint
  if (found.isPlain) {
    // Digits alone that no int64 holds are codes, not quantities: text (s3-connectors.md, types).
    if (scale === 0) return text
    if (isJson && integerDigits + scale > exactJsonDigits) return double
    return decimalFor(integerDigits, scale) ?? double
  }
  if (found.isNested) return { type: 'json' }
  return otherTypes.find((_, index) => found.others[index]) ?? text
}
