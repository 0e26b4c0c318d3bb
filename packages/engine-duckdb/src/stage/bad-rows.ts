import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, describeType, type ErrorPlace } from '@penstock/core'
import { quoteText, rowsOf } from '../sql.ts'
import type { StageColumn } from './columns.ts'
import { type FileGroup, utf8Bytes, withPaths } from './inputs.ts'
import { rowSql } from './insert.ts'
import { locateRecords, type RecordPlace } from './locate.ts'
import type { TimeFormats } from './proofs.ts'
import { csvErrorTables, type InputFile, type ReadContext, rowFault } from './reading.ts'

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

export interface FindOptions {
  readonly read: ReadContext
  readonly columns: readonly StageColumn[]
  readonly formats: TimeFormats
  /** At most that many rows. */
  readonly limit: number
}

/** Records that read_csv could not parse, by file ordinal: byte offset and reason. */
export const unparsedRecords = async (
  connection: DuckDBConnection,
  group: FileGroup,
  paths: readonly string[],
  tag: string,
): Promise<Map<number, Map<number, { reason: string; column?: string }>>> => {
  const { errors, scans } = csvErrorTables(tag)
  const found = new Map<number, Map<number, { reason: string; column?: string }>>()
  const rows = await rowsOf(
    connection,
    `SELECT file_path, line_byte_position - 1, csv_line, error_type::VARCHAR, error_message
     FROM ${errors} JOIN ${scans} USING (scan_id, file_id) ORDER BY ALL`,
  )
  for (const [path, position, line, type, message] of rows) {
    const ordinal = group.files[paths.indexOf(String(path))]?.ordinal ?? group.files[0]?.ordinal ?? 0
    const records = found.get(ordinal) ?? new Map<number, { reason: string }>()
    const blank = /^[\r\n]*/.exec(String(line ?? ''))?.[0].length ?? 0
    const offset = Number(position) + blank
    if (!records.has(offset)) records.set(offset, { reason: reasonOf(String(type), String(message)) })
    found.set(ordinal, records)
  }
  await connection.run(`DROP TABLE ${errors}; DROP TABLE ${scans}`)
  return found
}

const reasonOf = (type: string, message: string): string => {
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message)
  if (counts) return `it has ${counts[2]} fields instead of ${counts[1]}`
  if (type === 'UNQUOTED VALUE') return 'a quoted value does not end, or text follows its closing quote'
  if (type === 'INVALID ENCODING') return 'it is not valid UTF-8'
  if (type === 'LINE SIZE OVER MAXIMUM') return 'it is longer than 16 MiB'
  return message.split('\n')[0] ?? type
}

/** Finds the bad rows of one file, with their places, in the order of the file. */
export const findBadRows = async (
  connection: DuckDBConnection,
  input: InputFile,
  group: FileGroup,
  unparsed: ReadonlyMap<number, { reason: string }>,
  options: FindOptions,
): Promise<BadRow[]> => {
  const alone = { layout: group.layout, files: [input] }
  const doubtful = await doubtfulRows(connection, alone, options)
  const offsets = [...unparsed.keys()].toSorted((a, b) => a - b).slice(0, options.limit)
  const { dialect } = group.layout
  const isLocatable = group.layout.type === 'csv' || group.layout.type === 'ndjson'
  const found = isLocatable
    ? await locateRecords(utf8Bytes(input.file, dialect?.encoding ?? 'utf-8', options.read.signal), {
        dialect,
        columnCount: group.layout.names.length,
        rows: doubtful.map(({ row }) => row),
        offsets,
      })
    : { rows: new Map<number, RecordPlace>(), offsets: new Map<number, RecordPlace>() }
  const structural = offsets.map((offset): BadRow => {
    const place = found.offsets.get(offset) ?? { line: 0, byteOffset: offset, raw: '' }
    return {
      file: input,
      place,
      row: 0,
      column: undefined,
      value: undefined,
      reason: unparsed.get(offset)?.reason ?? '',
    }
  })
  const typed = doubtful.map((doubt): BadRow => ({ ...doubt, file: input, place: found.rows.get(doubt.row) }))
  return [...structural, ...typed].toSorted(
    (a, b) => (a.place?.byteOffset ?? a.row) - (b.place?.byteOffset ?? b.row),
  )
}

interface Doubt {
  readonly row: number
  readonly column: string | undefined
  readonly value: string | undefined
  readonly reason: string
}

const doubtfulRows = async (
  connection: DuckDBConnection,
  group: FileGroup,
  options: FindOptions,
): Promise<Doubt[]> => {
  const { columns, formats } = options
  const types = group.layout.names.map(
    (name) => columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.type,
  )
  const rows = await withPaths(group, options.read, async (paths) => {
    const source = group.layout.source(paths, types)
    const sql = rowSql(columns, source, group.files, formats)
    const texts = columns.map((_, index) => `WHEN ${index} THEN left(${sql.texts[index]}::VARCHAR, 200)`)
    const unknown =
      group.layout.type === 'csv' || group.layout.type === 'parquet' ? [] : [unknownKey(group.layout.names)]
    // Rows are counted as the load counted them: a text that is no UTF-8 drops a row only if its column is in use.
    const used =
      group.layout.type === 'csv'
        ? `[${source.columns.map((column) => `${column.value.raw} IS NULL`)}]`
        : 'NULL'
    const value = `CASE bad ${[...texts, ...unknown].join(' ')} END`
    return rowsOf(
      connection,
      `SELECT row, bad, value, used FROM (SELECT row, bad, ${value} AS value, ${used} AS used FROM
         (SELECT row_number() OVER () AS row, ${sql.bad} AS bad, * FROM ${source.from}))
       WHERE bad IS NOT NULL ORDER BY row LIMIT ${options.limit}`,
    )
  })
  return rows.map(([row, bad, value]) => ({
    row: Number(row),
    ...explain(Number(bad), value as string | null, columns),
  }))
}

const unknownKey = (names: readonly string[]) =>
  `WHEN ${rowFault.unknownKey} THEN list_filter(json_keys(record), lambda key: NOT list_contains([${names.map(quoteText).join(', ')}]::VARCHAR[], key))[1]`

export const dropErrorTables = async (connection: DuckDBConnection, tag: string): Promise<void> => {
  const { errors, scans } = csvErrorTables(tag)
  await connection.run(`DROP TABLE IF EXISTS ${errors}; DROP TABLE IF EXISTS ${scans}`)
}

const explain = (bad: number, value: string | null, columns: readonly StageColumn[]): Omit<Doubt, 'row'> => {
  if (bad === rowFault.malformed)
    return { column: undefined, value: undefined, reason: 'it is no JSON object' }
  if (bad === rowFault.unknownKey)
    return { column: value ?? undefined, value: undefined, reason: `the files before it have no "${value}"` }
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
