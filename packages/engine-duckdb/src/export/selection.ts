import { type Column, ConnectorError, type ExportSelection, type LogicalType, nearest } from '@penstock/core'
import { tableKey } from '../bookkeeping.ts'
import { duckdbType } from '../logical-types.ts'
import { quoteIdentifier, quoteText } from '../sql.ts'

/** A selection whose columns are known and checked, as SQL. */
export interface StreamSql {
  /** Columns as they leave, under their new names. */
  readonly columns: readonly Column[]
  /** `"old" AS "new"` for each of them. */
  readonly list: string
  /** What the rows are read from, and the conditions on them. */
  readonly relation: string
  readonly conditions: readonly string[]
  /** Rows that nothing but the window has thinned out. */
  readonly windowed: string
  /** Present where one row per key is kept. */
  readonly dedupe: { readonly keys: readonly string[]; readonly order: string } | undefined
  readonly mandatory: readonly string[]
  /** Names of the columns of the key, as they leave. */
  readonly key: readonly string[] | undefined
  readonly cursor: { readonly sql: string; readonly type: LogicalType } | undefined
}

export const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`

/** Checks a selection against the columns that there are. Throws `config` errors that name the stream. */
export const streamSql = (
  selection: ExportSelection,
  relation: string,
  available: readonly Column[],
): StreamSql => {
  const find = columnFinder(selection.name, available)
  const chosen = selection.columns?.map(find) ?? available
  if (chosen.length === 0)
    throw new ConnectorError('config', `${selection.name} has no columns to export.`, { code: 'NoColumns' })
  const renamed = new Map(
    Object.entries(selection.rename ?? {}).map(([from, to]) => [find(from).name, to] as const),
  )
  const columns = chosen.map((column) => ({ ...column, name: renamed.get(column.name) ?? column.name }))
  refuseTwins(selection.name, columns)
  const mandatory = (selection.mandatory ?? []).map((name) => quoteIdentifier(find(name).name))
  const cursor = selection.window && find(selection.window.column)
  const window = selection.window && cursor ? windowConditions(selection.window, cursor) : []
  return {
    columns,
    list: chosen
      .map(
        (column, index) =>
          `${quoteIdentifier(column.name)} AS ${quoteIdentifier(columns[index]?.name ?? '')}`,
      )
      .join(', '),
    relation,
    conditions: [...window, ...mandatory.map((name) => `${name} IS NOT NULL`)],
    windowed: `${relation}${where(window)}`,
    dedupe: dedupeOf(selection, available, find),
    mandatory,
    key: selection.key && keyOf(selection.name, selection.key.map(find), renamed, columns),
    cursor: cursor && { sql: quoteIdentifier(cursor.name), type: cursor.type },
  }
}

/** The query of a stream, with all of its rows in a stable order where the engine can give one. */
export const rowsSql = ({ list, relation, conditions, dedupe }: StreamSql): string => {
  const from = `FROM ${relation}${where(conditions)}`
  if (!dedupe) return `SELECT ${list} ${from}`
  const keys = dedupe.keys.join(', ')
  const noKey = dedupe.keys.map((key) => `${key} IS NULL`).join(' OR ')
  return `SELECT ${list} FROM (
    SELECT * ${from} QUALIFY row_number() OVER (PARTITION BY ${keys} ORDER BY ${dedupe.order}) = 1 OR ${noKey}
  ) ORDER BY ${keys}, ${dedupe.order}`
}

const columnFinder =
  (stream: string, available: readonly Column[]) =>
  (name: string): Column => {
    const column =
      available.find((candidate) => candidate.name === name) ??
      available.find((candidate) => tableKey(candidate.name) === tableKey(name))
    if (column) return column
    const names = available.map((candidate) => candidate.name)
    const guess = nearest(name, names)
    throw new ConnectorError('config', `${stream} has no column "${name}".`, {
      code: 'NoSuchColumn',
      place: { table: stream, column: name },
      hint: guess ? `Did you mean ${guess}?` : `Its columns: ${names.join(', ')}.`,
    })
  }

const refuseTwins = (stream: string, columns: readonly Column[]): void => {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(tableKey(name)) || name === '')
      throw new ConnectorError(
        'config',
        name === '' ? `A column of ${stream} has no name.` : `${stream} would have two columns "${name}".`,
        {
          code: 'ColumnNames',
          place: { table: stream, column: name },
          hint: 'Choose other names for the columns.',
        },
      )
    seen.add(tableKey(name))
  }
}

const keyOf = (
  stream: string,
  key: readonly Column[],
  renamed: ReadonlyMap<string, string>,
  columns: readonly Column[],
): readonly string[] =>
  key.map(({ name }) => {
    const leaving = renamed.get(name) ?? name
    if (columns.some((column) => column.name === leaving)) return leaving
    throw new ConnectorError('config', `Column "${name}" of the key of ${stream} is not exported.`, {
      code: 'NoSuchColumn',
      place: { table: stream, column: name },
      hint: 'Add it to the columns.',
    })
  })

const dedupeOf = (
  { dedupe }: ExportSelection,
  available: readonly Column[],
  find: (name: string) => Column,
): StreamSql['dedupe'] => {
  if (!dedupe) return undefined
  if (dedupe.key.length === 0)
    throw new ConnectorError('config', 'Deduplication needs a key column.', { code: 'NoKey' })
  const keys = dedupe.key.map((name) => find(name).name)
  const latest = find(dedupe.latest).name
  const others = available.map(({ name }) => name).filter((name) => !keys.includes(name) && name !== latest)
  const order = [latest, ...others].map((name) => `${quoteIdentifier(name)} DESC NULLS LAST`)
  return { keys: keys.map(quoteIdentifier), order: order.join(', ') }
}

/** Types whose values have an order that their text keeps exactly. */
const cursorTypes: readonly LogicalType['type'][] = [
  'int',
  'decimal',
  'float',
  'double',
  'date',
  'timestamp',
  'string',
  'uuid',
]

const windowConditions = (window: NonNullable<ExportSelection['window']>, column: Column): string[] => {
  if (!cursorTypes.includes(column.type.type))
    throw new ConnectorError(
      'config',
      `Column "${column.name}" can't be a cursor: its type is ${column.type.type}.`,
      {
        code: 'CursorType',
        place: { column: column.name },
        hint: 'A cursor is a number, a date, a timestamp or a text that only grows.',
      },
    )
  const name = quoteIdentifier(column.name)
  const value = (text: string) => `CAST(${quoteText(text)} AS ${duckdbType(column.type)})`
  const { after, to } = window
  if (after === undefined) return to === undefined ? [] : [`(${name} <= ${value(to)} OR ${name} IS NULL)`]
  return [`${name} > ${value(after)}`, ...(to === undefined ? [] : [`${name} <= ${value(to)}`])]
}
