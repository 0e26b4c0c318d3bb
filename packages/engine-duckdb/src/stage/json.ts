import type { DuckDBConnection } from '@duckdb/node-api'
import type { Compression, LogicalType, StagedFile } from '@penstock/core'
import { quoteIdentifier, quoteText, quoteTextList, rowsOf } from '../sql.ts'
import { sameName } from './columns.ts'
import { isStreamed, readHead, refuseOtherFormat } from './head.ts'
import { type Layout, type ReadColumn, rowFault } from './reading.ts'
import { blankMark, byteOrderMark } from './rewrite.ts'

/** Largest single document or element, in bytes. */
const maxDocumentBytes = 64 * 1024 ** 2

/** How to read a file of JSON. */
export interface JsonReader {
  /** One record a line, one array of records, or records one after the other. */
  readonly shape: 'newline_delimited' | 'array' | 'unstructured'
  readonly compression: Compression
  /** The file begins with a byte order mark, which DuckDB takes for a part of the first record. */
  readonly hasMark: boolean
}

/** A column with the keys from which it takes its value. */
export interface JsonColumn {
  readonly name: string
  readonly keys: readonly string[]
}

/** Name of the column for the empty key, since a column has to have one. */
const emptyKeyColumn = '_empty'

/** Columns by their names alone: those of a table, or of the files before. */
export const columnsByName = (names: readonly string[]): JsonColumn[] =>
  names.map((name) => ({ name, keys: name === emptyKeyColumn ? [name, ''] : [name] }))

/**
 * Adds keys to columns. Keys are told apart by case and columns are not, so that keys that differ by case alone are
 * one column; a record that has two of them is bad.
 */
export const withKeys = (columns: readonly JsonColumn[], keys: readonly string[]): JsonColumn[] => {
  const result = [...columns]
  for (const key of keys) {
    const name = key === '' ? emptyKeyColumn : key
    const index = result.findIndex((column) => sameName(column.name, name))
    const found = result[index]
    if (!found) result.push(...columnsByName([name]))
    else if (!found.keys.includes(key)) result[index] = { ...found, keys: [...found.keys, key] }
  }
  return result
}

/** Table expression with one `json` value per record, and `file_index`. A malformed NDJSON line is a null. */
const jsonRecords = (paths: readonly string[], { shape, compression }: JsonReader): string => {
  const codec = compression === 'none' ? 'uncompressed' : compression
  const options = `compression = ${quoteText(codec)}, maximum_object_size = ${maxDocumentBytes}`
  return shape === 'newline_delimited'
    ? `read_ndjson_objects(${quoteTextList(paths)}, ignore_errors = true, ${options})`
    : `read_json_objects(${quoteTextList(paths)}, format = ${quoteText(shape)}, ${options})`
}

const isTextual = (type: LogicalType | undefined) =>
  type !== undefined && ['string', 'date', 'time', 'timestamp', 'uuid', 'binary'].includes(type.type)

/**
 * Layout of JSON records with these columns. Texts come unescaped. Numbers and booleans are judged by their raw value,
 * so that the text "007" stays a text; nested values keep their JSON.
 */
export const jsonLayout = (columns: readonly JsonColumn[], reader: JsonReader): Layout => ({
  type: reader.shape === 'newline_delimited' ? 'ndjson' : 'json',
  id: JSON.stringify(reader),
  json: reader,
  names: columns.map(({ name }) => name),
  columnKeys: columns.map(({ keys }) => keys),
  ...(reader.hasMark && { rewrite: () => [blankMark()] }),
  source: (paths, types, { isPlain } = {}) => {
    const structure = Object.fromEntries(
      columns.map(({ name }, index) => [name, isTextual(types[index]) ? 'VARCHAR' : 'JSON']),
    )
    const fields = columns.length === 0 ? 'NULL' : `from_json(json, ${quoteText(JSON.stringify(structure))})`
    const usual = quoteTextList(columns.map(({ name }) => name))
    const known = quoteTextList(columns.flatMap(({ keys }) => keys))
    const clashes = columns
      .filter(({ keys }) => keys.length > 1)
      .map(
        ({ keys }) =>
          `WHEN len(list_distinct(list_intersect(keys, ${quoteTextList(keys)}))) > 1 THEN ${rowFault.ambiguousKey}`,
      )
    return {
      from: `(SELECT file_index, json AS record, json_keys(json) AS keys, ${fields} AS fields FROM ${jsonRecords(paths, isPlain ? { ...reader, compression: 'none' } : reader)})`,
      columns: columns.map((column, index) => jsonColumn(column, types[index])),
      // Most records have the usual keys in the usual order: only the others are looked at closely.
      fault: `CASE WHEN keys = ${usual} AND len(keys) > 0 THEN NULL
        WHEN record IS NULL OR json_type(record) <> 'OBJECT' THEN ${rowFault.malformed}
        WHEN NOT list_has_all(${known}, keys) THEN ${rowFault.unknownKey} ${clashes.join(' ')} END`,
    }
  },
})

const jsonColumn = ({ name, keys }: JsonColumn, type: LogicalType | undefined): ReadColumn => {
  const field = `fields.${quoteIdentifier(name)}`
  const others = keys.filter((key) => key !== name).map(pointer)
  if (isTextual(type)) {
    const text = firstOf([field, ...others.map((path) => `(record ->> ${path})`)])
    return { name, value: { raw: text, text, literal: text } }
  }
  const json = firstOf([field, ...others.map((path) => `(record -> ${path})`)])
  const text = `(${json} ->> '$')`
  const literal = `nullif(${json}::VARCHAR, 'null')`
  return { name, value: { raw: text, text, literal, nested: `${literal}[1] IN ('{', '[')` } }
}

const firstOf = (values: readonly string[]): string =>
  values.length === 1 ? (values[0] ?? 'NULL') : `coalesce(${values.join(', ')})`

/** JSON pointer (RFC 6901) of a key: unlike a path it takes every key. */
const pointer = (key: string): string => quoteText(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)

/**
 * Keys of the records, in the order in which records have them. `unknownTo`: only keys that are not among these;
 * `records`: of the first so many alone.
 */
export const jsonKeys = async (
  connection: DuckDBConnection,
  paths: readonly string[],
  reader: JsonReader,
  options: { unknownTo?: readonly string[]; records?: number } = {},
): Promise<string[]> => {
  const limit = options.records === undefined ? '' : ` LIMIT ${options.records}`
  const records = `(SELECT json, row_number() OVER () AS row FROM ${jsonRecords(paths, reader)}${limit})`
  const rows = await rowsOf(
    connection,
    `SELECT key FROM (SELECT unnest(keys) AS key, generate_subscripts(keys, 1) AS position, row FROM
       (SELECT json_keys(json) AS keys, min(row) AS row FROM ${records} WHERE json IS NOT NULL GROUP BY keys))
     WHERE NOT list_contains(${quoteTextList(options.unknownTo ?? [])}::VARCHAR[], key)
     GROUP BY key ORDER BY max(position), min(position), min(row), key`,
  )
  return rows.map(([key]) => String(key))
}

/** How to read a file, by its beginning; undefined for one that holds nothing. Refuses other formats under a JSON name. */
export const jsonReader = async (file: StagedFile, signal: AbortSignal): Promise<JsonReader | undefined> => {
  const head = await readHead(file, signal)
  refuseOtherFormat(file, head)
  const [first] = /[^\s\ufeff]/.exec(head.toString()) ?? []
  const hasMark = head.subarray(0, byteOrderMark.length).equals(byteOrderMark)
  if (first === undefined) return undefined
  const shape = file.format.type === 'ndjson' ? 'newline_delimited' : first === '[' ? 'array' : 'unstructured'
  // A pipe and a rewritten copy carry plain bytes.
  return {
    shape,
    compression: isStreamed(file) || hasMark ? 'none' : file.format.compression,
    hasMark,
  }
}
