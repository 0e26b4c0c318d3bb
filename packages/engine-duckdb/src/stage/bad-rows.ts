import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, describeType, type ErrorPlace } from '@penstock/core'
import { quoteText, quoteTextList, rowsOf } from '../sql.ts'
import type { StageColumn } from './columns.ts'
import { type FileGroup, withPaths } from './inputs.ts'
import { rowSql } from './insert.ts'
import { locateRecords, type RecordPlace } from './locate.ts'
import type { TimeFormats } from './proofs.ts'
import { csvErrorTables, type InputFile, type Layout, type ReadContext, rowFault } from './reading.ts'
import { textBytes } from './rewrite.ts'

/** One row that does not fit, with its place. */
export interface BadRow {
  readonly file: InputFile
  readonly place: RecordPlace | undefined
  /** Number of the record in the file, from 1, where the place has no line (an element of a JSON array). */
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly reason: string
}

/** Rows of one page of bad rows: what is held in memory, however many there are. */
const pageRows = 1_000

export interface FindOptions {
  readonly read: ReadContext
  readonly columns: readonly StageColumn[]
  readonly formats: TimeFormats
  /** Tells the tables of this search from others. */
  readonly tag: string
}

/** TEMP table of the records of some files that read_csv could not parse, and how many there are by file ordinal. */
export interface Unparsed {
  readonly table: string | undefined
  readonly counts: ReadonlyMap<number, number>
}

export const noUnparsed: Unparsed = { table: undefined, counts: new Map() }

/** Keeps the records that read_csv could not parse, beside those of earlier statements: file, byte offset and reason of each. */
export const keepUnparsed = async (
  connection: DuckDBConnection,
  before: Unparsed,
  { files }: FileGroup,
  paths: readonly string[],
  tag: string,
): Promise<Unparsed> => {
  const { errors, scans } = csvErrorTables(tag)
  const [any] = await rowsOf(connection, `SELECT 1 FROM ${errors} LIMIT 1`)
  if (!any) return before
  const table = before.table ?? `__penstock_unparsed_${tag}`
  const ordinals = `[${files.map(({ ordinal }) => ordinal)}][coalesce(list_position(${quoteTextList(paths)}, file_path), 1)]`
  await connection.run(
    `CREATE TEMP TABLE IF NOT EXISTS ${table} (file BIGINT, byte_offset BIGINT, reason VARCHAR[])`,
  )
  // Blank lines before a record count as a part of it; one record can have several errors.
  await connection.run(
    `INSERT INTO temp.${table}
     SELECT file, byte_offset, min([type, message]) AS reason FROM (
       SELECT ${ordinals} AS file, error_type::VARCHAR AS type, error_message AS message,
         line_byte_position - 1 + length(regexp_extract(coalesce(csv_line, ''), '^[\r\n]*')) AS byte_offset
       FROM ${errors} JOIN ${scans} USING (scan_id, file_id))
     GROUP BY ALL`,
  )
  const counts = await rowsOf(connection, `SELECT file, count(*) FROM temp.${table} GROUP BY file`)
  return { table, counts: new Map(counts.map(([file, count]) => [Number(file), Number(count)])) }
}

export const dropUnparsed = async (connection: DuckDBConnection, { table }: Unparsed): Promise<void> => {
  if (table !== undefined) await connection.run(`DROP TABLE IF EXISTS temp.${table}`)
}

interface UnparsedRecord {
  readonly offset: number
  readonly reason: string
}

/** Reads a table in pages, in the order of a column that has each value once. */
async function* inPages(
  connection: DuckDBConnection,
  options: { select: string; from: string; where: string; by: string },
): AsyncGenerator<readonly unknown[]> {
  const { select, from, where, by } = options
  for (let last = -1; ; ) {
    const page = await rowsOf(
      connection,
      `SELECT ${by}, ${select} FROM ${from} WHERE ${where} AND ${by} > ${last} ORDER BY ${by} LIMIT ${pageRows}`,
    )
    yield* page
    if (page.length < pageRows) return
    last = Number(page.at(-1)?.[0])
  }
}

async function* unparsedOf(
  connection: DuckDBConnection,
  { table }: Unparsed,
  { ordinal }: InputFile,
): AsyncGenerator<UnparsedRecord> {
  if (table === undefined) return
  const options = {
    select: 'reason[1], reason[2]',
    from: `temp.${table}`,
    where: `file = ${ordinal}`,
    by: 'byte_offset',
  }
  for await (const [offset, type, message] of inPages(connection, options))
    yield { offset: Number(offset), reason: reasonOf(String(type), String(message)) }
}

const reasonOf = (type: string, message: string): string => {
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message)
  if (counts) return `it has ${counts[2]} fields instead of ${counts[1]}`
  if (type === 'UNQUOTED VALUE') return 'a quoted value does not end, or text follows its closing quote'
  if (type === 'INVALID ENCODING') return 'it is not valid UTF-8'
  if (type === 'LINE SIZE OVER MAXIMUM') return 'it is longer than 16 MiB'
  return message.split('\n')[0] ?? type
}

/** Finds the bad rows of one file, with their places, in the order of the file; holds a page of them at a time. */
export async function* findBadRows(
  connection: DuckDBConnection,
  input: InputFile,
  group: FileGroup,
  unparsed: Unparsed,
  options: FindOptions,
): AsyncGenerator<BadRow> {
  const { layout } = group
  const table = `__penstock_doubts_${options.tag}`
  try {
    await keepDoubts(connection, { layout, files: [input] }, options, table)
    const rows = doubtsOf(connection, table, options.columns)
    if (layout.type !== 'csv' && layout.type !== 'ndjson') {
      for await (const doubt of rows)
        yield { ...doubt, row: doubt.row + (input.firstRow ?? 0), file: input, place: undefined }
      return
    }
    const records = locateRecords(textBytes(input.file, layout.rewrite, options.read.signal), {
      dialect: layout.dialect,
      columnCount: layout.names.length,
      rows,
      offsets: unparsedOf(connection, unparsed, input),
    })
    for await (const { wanted, place } of records)
      yield 'row' in wanted
        ? { ...wanted, file: input, place }
        : { file: input, place, row: 0, column: undefined, value: undefined, reason: wanted.reason }
  } finally {
    await connection.run(`DROP TABLE IF EXISTS temp.${table}`).catch(() => {})
  }
}

interface Doubt {
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly reason: string
}

/** Looks at the rows of a file again, for those that do not fit: into a TEMP table, with their numbers. */
const keepDoubts = async (
  connection: DuckDBConnection,
  group: FileGroup,
  options: FindOptions,
  table: string,
): Promise<void> => {
  const { columns, formats } = options
  const types = group.layout.names.map(
    (name) => columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.type,
  )
  await withPaths(group, options.read, async (paths) => {
    const source = group.layout.source(paths, types)
    const sql = rowSql(columns, source, group.files, formats)
    const texts = columns.map((_, index) => `WHEN ${index} THEN left(${sql.texts[index]}::VARCHAR, 200)`)
    const value = `CASE bad ${[...texts, ...keyFaults(group.layout)].join(' ')} END`
    // Rows are counted as the load counted them: a text that is no UTF-8 drops a row only if its column is in use.
    const used =
      group.layout.type === 'csv'
        ? `[${source.columns.map((column) => `${column.value.raw} IS NULL`)}]`
        : 'NULL'
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE ${table} AS
       SELECT row, bad, value, used FROM (SELECT row, bad, ${value} AS value, ${used} AS used FROM
         (SELECT row_number() OVER () AS row, ${sql.bad} AS bad, * FROM ${source.from}))
       WHERE bad IS NOT NULL`,
    )
  })
}

async function* doubtsOf(
  connection: DuckDBConnection,
  table: string,
  columns: readonly StageColumn[],
): AsyncGenerator<Doubt> {
  const options = { select: 'bad, value', from: `temp.${table}`, where: 'true', by: 'row' }
  for await (const [row, bad, value] of inPages(connection, options))
    yield { row: Number(row), ...explain(Number(bad), value as string | null, columns) }
}

/** The key or keys that are meant, for faults that are about them. */
const keyFaults = ({ columnKeys }: Layout): string[] => {
  if (!columnKeys) return []
  const clashes = columnKeys
    .filter((spellings) => spellings.length > 1)
    .map((spellings) => `list_filter(json_keys(record), lambda key: ${isAmong(spellings)})`)
  return [
    `WHEN ${rowFault.unknownKey} THEN list_filter(json_keys(record), lambda key: NOT ${isAmong(columnKeys.flat())})[1]`,
    `WHEN ${rowFault.ambiguousKey} THEN array_to_string(list_filter([${clashes.join(', ')}]::VARCHAR[][], lambda found: len(found) > 1)[1], '" and "')`,
  ]
}

const isAmong = (keys: readonly string[]) => `list_contains(${quoteTextList(keys)}::VARCHAR[], key)`

export const dropErrorTables = async (connection: DuckDBConnection, tag: string): Promise<void> => {
  const { errors, scans } = csvErrorTables(tag)
  await connection.run(`DROP TABLE IF EXISTS ${errors}; DROP TABLE IF EXISTS ${scans}`)
}

const explain = (bad: number, value: string | null, columns: readonly StageColumn[]): Omit<Doubt, 'row'> => {
  if (bad === rowFault.malformed)
    return { column: undefined, value: undefined, reason: 'it is no JSON object' }
  if (bad === rowFault.unknownKey)
    return { column: value ?? undefined, value: undefined, reason: `the files before it have no "${value}"` }
  if (bad === rowFault.ambiguousKey)
    return { column: undefined, value: undefined, reason: `it has "${value}", which are one column` }
  const column = columns[bad]
  const type = column?.type ? describeType(column.type) : 'null'
  return { column: column?.name, value: value ?? undefined, reason: `its value is no ${type}` }
}

/** The error for a bad row: object, line, column, value and reason, and the way out. */
export const badRowError = (bad: BadRow, hint: string): ConnectorError => {
  const { url } = bad.file.file
  const line = bad.place?.line
  const where = line ? `line ${line}` : `record ${bad.row}`
  const column = bad.column === undefined ? '' : `, column "${bad.column}"`
  const value = bad.value === undefined ? '' : ` (${JSON.stringify(shorten(bad.value))})`
  const place: ErrorPlace = {
    object: url,
    ...(line && { line }),
    ...(bad.place && { byteOffset: bad.place.byteOffset }),
    ...(bad.column !== undefined && { column: bad.column }),
    ...(bad.value !== undefined && { value: shorten(bad.value) }),
  }
  return new ConnectorError('data', `${url}, ${where}${column}: ${bad.reason}${value}.`, {
    code: 'BadRow',
    place,
    hint,
  })
}

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}...` : text)

/** Rows of the reject table for these bad rows, as SQL values. */
export const rejectValues = (rows: readonly BadRow[]): string =>
  rows
    .map((bad) => {
      const { file } = bad
      const line = bad.place?.line || 'NULL'
      const offset = bad.place?.byteOffset ?? 'NULL'
      const column = bad.column === undefined ? 'NULL' : quoteText(bad.column)
      const raw = quoteText((bad.place?.raw || bad.value) ?? '')
      return `(${file.ordinal}, ${quoteText(file.file.url)}, ${line}, ${offset}, ${column}, ${raw}, ${quoteText(bad.reason)})`
    })
    .join(', ')

/** Columns of the TEMP table of rejects: those of `<table>__rejects` but the run and the time. */
export const rejectColumns = `file UINTEGER, object VARCHAR, line BIGINT, byte_offset BIGINT, column_name VARCHAR, raw VARCHAR, reason VARCHAR`
