import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType } from '@penstock/core'
import { firstRow } from '../sql.ts'
import { bigint, boolean, date, decimalFor, double, instant, text, time, timestamp } from './lattice.ts'
import { doubtOf, type SourceValue, type TimeFormats } from './proofs.ts'

/** Columns that one statement looks at: DuckDB plans thousands of aggregates slowly. */
const columnsPerStatement = 25

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
 * values. Whole numbers are decided first, then others; each time a look at a few rows leaves little to be tried on all of them.
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
    let found: readonly Findings[] = part.map(() => nothingRefuted)
    for (const testsOf of [integerTests, decimalTests, otherTests]) {
      const look = (limit: string) =>
        scan((from) =>
          findingsOf(connection, from + limit, part, found, (...test) => testsOf(...test, formats)),
        )
      const probe = await look(` LIMIT ${probeRows}`)
      found = probe.found
      if (probe.rows === probeRows) found = (await look('')).found
    }
    types.push(...found.map((findings, index) => decide(findings, part[index]?.nested !== undefined)))
  }
  return types
}

type Tests = Map<keyof Findings | number, string>

/** Tries on some rows what is not refuted yet. */
const findingsOf = async (
  connection: DuckDBConnection,
  from: string,
  values: readonly SourceValue[],
  known: readonly Findings[],
  testsOf: (value: SourceValue, known: Findings) => Tests,
): Promise<{ rows: number; found: readonly Findings[] }> => {
  // Short names, since what stands in many aggregates costs more to plan than to run; and no column beside those.
  const named = values.map(
    ({ nested }, index): SourceValue => ({
      raw: `t${index}`,
      text: `t${index}`,
      literal: nested === undefined ? `t${index}` : `l${index}`,
      ...(nested !== undefined && { nested: `n${index}` }),
    }),
  )
  const columns = values.flatMap(({ text, literal, nested }, index) => [
    `${text} AS t${index}`,
    ...(nested === undefined ? [] : [`${literal} AS l${index}`, `${nested} AS n${index}`]),
  ])
  const tests = named.map((value, index) => testsOf(value, known[index] ?? nothingRefuted))
  const aggregates = tests.flatMap((test) => [...test.values()])
  if (aggregates.length === 0) return { rows: 0, found: known }
  const row = await firstRow(
    connection,
    `SELECT count(*), ${aggregates.join(', ')} FROM (SELECT ${columns.join(', ')} FROM ${from})`,
  )
  let position = 1
  const found = tests.map((test, index) => {
    const before = known[index] ?? nothingRefuted
    return withResults(before, new Map([...test.keys()].map((name) => [name, row?.[position++]])))
  })
  return { rows: Number(row?.[0] ?? 0), found }
}

const holds = (value: SourceValue, type: LogicalType, formats: TimeFormats = {}) =>
  `coalesce(bool_and(NOT coalesce(${doubtOf(value, type, formats)}, false)), true)`

/** SQL of the aggregates on whole numbers that can still change the findings, by name. */
const integerTests = ({ text, literal }: SourceValue, known: Findings): Tests =>
  known.isBigint
    ? new Map([
        ['count', `count(${text})`],
        ['isBigint', holds({ raw: text, text, literal }, bigint)],
      ])
    : new Map()

/** The same on other numbers. */
const decimalTests = ({ literal }: SourceValue, known: Findings): Tests => {
  if (known.isBigint || !known.isPlain) return new Map()
  const point = `instr(${literal}, '.')`
  const digits = `length(ltrim(${literal}, '-'))`
  return new Map([
    ['isPlain', `coalesce(bool_and(regexp_full_match(${literal}, ${plainNumber})), true)`],
    [
      'integerDigits',
      `max(CASE WHEN ${point} = 0 THEN ${digits} ELSE ${point} - 1 - (length(${literal}) - ${digits}) END)::INTEGER`,
    ],
    ['scale', `max(CASE WHEN ${point} = 0 THEN 0 ELSE length(${literal}) - ${point} END)::INTEGER`],
  ])
}

/** The same on the other types, by their position. */
const otherTests = (value: SourceValue, known: Findings, formats: TimeFormats): Tests => {
  const tests: Tests = new Map()
  if (known.isBigint || known.isPlain || known.isNested) return tests
  for (const [index, type] of otherTypes.entries())
    if (known.others[index]) tests.set(index, holds(value, type, formats))
  if (value.nested !== undefined) tests.set('isNested', `bool_or(${value.nested})`)
  return tests
}

const withResults = (known: Findings, results: ReadonlyMap<keyof Findings | number, unknown>): Findings => {
  const isRefuted = (name: keyof Findings | number) => results.has(name) && results.get(name) !== true
  return {
    count: Math.max(known.count, Number(results.get('count') ?? 0)),
    isBigint: known.isBigint && !isRefuted('isBigint'),
    isPlain: known.isPlain && !isRefuted('isPlain'),
    integerDigits: Math.max(known.integerDigits, Number(results.get('integerDigits') ?? 0)),
    scale: Math.max(known.scale, Number(results.get('scale') ?? 0)),
    others: known.others.map((isOpen, index) => isOpen && !isRefuted(index)),
    isNested: known.isNested || results.get('isNested') === true,
  }
}

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
