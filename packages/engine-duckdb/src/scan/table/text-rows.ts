import type { DuckDBConnection } from '@duckdb/node-api'
import {
  ConnectorError,
  type CsvFormat,
  type FileFormat,
  type ScanColumn,
  type StagedFile,
} from '@penstock/core'
import { duckdbType } from '../../logical-types.ts'
import { quoteIdentifier, quoteText } from '../../sql.ts'
import { writeCopy } from '../../stage/copies.ts'
import { readCsv } from '../../stage/csv.ts'
import { type Dialect, decodeHead, detectDialect, parseRecords } from '../../stage/dialect.ts'
import { headBytes, readHead } from '../../stage/head.ts'
import { type Rewrite, rewriteOf } from '../../stage/rewrite.ts'

/** A file of text that is on the local disk. */
interface TextFile<Format extends FileFormat> {
  readonly url: string
  readonly path: string
  readonly format: Format
}

const stagedAs = ({ url, path, format }: TextFile<FileFormat>): StagedFile => ({
  entry: { container: '', key: url, version: '', size: 0, modified: 0 },
  url,
  format,
  constants: {},
  path,
})

/** The file itself, or a copy of it that is decompressed and rewritten: DuckDB does not notice where one was cut off. */
const plainPath = async (
  file: TextFile<FileFormat>,
  rewrite: Rewrite | undefined,
  signal: AbortSignal,
): Promise<string> => {
  if (!rewrite && file.format.compression === 'none') return file.path
  const path = `${file.path}.text`
  await writeCopy(stagedAs(file), rewrite, { path, room: { bytes: Number.POSITIVE_INFINITY }, signal })
  return path
}

/** Writes the rows of delimited text as Parquet. A value that is none of its column's type is a `data` error. */
export const writeCsvRows = async (
  connection: DuckDBConnection,
  { url, path, format }: TextFile<CsvFormat>,
  columns: readonly ScanColumn[],
  target: string,
  signal: AbortSignal,
): Promise<void> => {
  const head = await readHead(stagedAs({ url, path, format }), signal)
  const dialect = detectDialect(head, format, head.length < headBytes)
  const first = parseRecords(decodeHead(head, dialect.encoding), dialect, 1)[0] ?? []
  const source = await plainPath({ url, path, format }, rewriteOf(dialect), signal)
  const values = columns.map((column) => {
    const index = fieldIndex(column, first, dialect)
    const isText = column.type.type === 'string'
    const field = index === undefined ? 'NULL' : isText ? `c${index}` : `nullif(c${index}, '')`
    return `${field}::${duckdbType(column.type)} AS ${quoteIdentifier(column.name)}`
  })
  if (first.length === 0) return copy(connection, nullRows(columns), target, url)
  const from = readCsv([source], dialect, first.length, {
    compression: 'none',
    onBadRecord: 'fail',
  })
  return copy(connection, `SELECT ${[...values, ...rowMark(columns)].join(', ')} FROM ${from}`, target, url)
}

const fieldIndex = (
  { source }: ScanColumn,
  first: readonly string[],
  dialect: Dialect,
): number | undefined => {
  if (source.from === 'position') return source.index < first.length ? source.index : undefined
  if (source.from !== 'name' || !dialect.header) return undefined
  const exact = first.indexOf(source.name)
  const found =
    exact >= 0 ? exact : first.findIndex((name) => name.toLowerCase() === source.name.toLowerCase())
  return found >= 0 ? found : undefined
}

const maxDocumentBytes = 64 * 1024 ** 2

/** Writes the rows of JSON as Parquet. */
export const writeJsonRows = async (
  connection: DuckDBConnection,
  { url, path, format }: TextFile<Exclude<FileFormat, CsvFormat>>,
  columns: readonly ScanColumn[],
  target: string,
  signal: AbortSignal,
): Promise<void> => {
  const source = await plainPath({ url, path, format }, undefined, signal)
  const options = [
    `format = ${quoteText(format.type === 'ndjson' ? 'newline_delimited' : 'auto')}`,
    `compression = 'uncompressed'`,
    `maximum_object_size = ${maxDocumentBytes}`,
  ]
  const objects = `read_json_objects(${quoteText(source)}, ${options.join(', ')})`
  const keys = columns.length > 0 ? await keysOfColumns(connection, objects, columns, url) : []
  const types = columns.map(
    ({ type }, index) => `${quoteText(keys[index] as string)}: ${quoteText(duckdbType(type))}`,
  )
  const selected = columns.map(
    ({ name }, index) => `${quoteIdentifier(keys[index] as string)} AS ${quoteIdentifier(name)}`,
  )
  const from =
    columns.length > 0
      ? `read_json(${quoteText(source)}, columns = {${types.join(', ')}}, ${options.join(', ')})`
      : objects
  return copy(connection, `SELECT ${[...selected, ...rowMark(columns)].join(', ')} FROM ${from}`, target, url)
}

/** The key of the objects that each column is read from: its name, in whichever case the file writes it, as in Hive. */
const keysOfColumns = async (
  connection: DuckDBConnection,
  objects: string,
  columns: readonly ScanColumn[],
  url: string,
): Promise<readonly string[]> => {
  const found = await connection.runAndReadAll(`SELECT DISTINCT unnest(json_keys(json)) FROM ${objects}`)
  const keys = found.getRows().map(([key]) => String(key))
  return columns.map(({ name, source }) => {
    const wanted = source.from === 'name' ? source.name : name
    const alike = keys.filter((key) => key.toLowerCase() === wanted.toLowerCase())
    if (alike.length < 2) return alike[0] ?? wanted
    throw new ConnectorError(
      'data',
      `${url} has keys that differ by case alone: ${alike.sort().join(', ')}.`,
      {
        code: 'AmbiguousKeys',
        place: { object: url, column: wanted },
        hint: 'Write one spelling of each key; which value is meant can not be told.',
      },
    )
  })
}

/** A file needs a column, also where only rows are counted. */
const rowMark = (columns: readonly ScanColumn[]): readonly string[] =>
  columns.length > 0 ? [] : ['true AS __penstock_row']

const nullRows = (columns: readonly ScanColumn[]): string =>
  `SELECT ${[
    ...columns.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${quoteIdentifier(name)}`),
    ...rowMark(columns),
  ].join(', ')} LIMIT 0`

const copy = async (
  connection: DuckDBConnection,
  select: string,
  target: string,
  url: string,
): Promise<void> => {
  try {
    await connection.run(`COPY (${select}) TO ${quoteText(target)} (FORMAT parquet)`)
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    if (reason?.startsWith('INTERRUPT')) throw error
    throw new ConnectorError('data', `${url} does not fit the columns of its table: ${reason}`, {
      code: 'UnfitRows',
      place: { object: url },
      hint: 'Correct the file, or the types of the columns in the catalog.',
      cause: error,
    })
  }
}
