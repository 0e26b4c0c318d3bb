import type { DuckDBConnection } from '@duckdb/node-api'
import { type Compression, ConnectorError, type LogicalType, type StagedFile } from '@penstock/core'
import { quoteIdentifier, quoteText, quoteTextList, rowsOf } from '../sql.ts'
import { readHead, refuseOtherFormat } from './head.ts'
import { type Layout, type ReadColumn, rowFault } from './reading.ts'

/** Largest single document or element, in bytes. */
const maxDocumentBytes = 64 * 1024 ** 2

/** How to read a file of JSON. */
export interface JsonReader {
  /** One record a line, one array of records, or records one after the other. */
  readonly shape: 'newline_delimited' | 'array' | 'unstructured'
  readonly compression: Compression
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
 * Layout of JSON records with these keys. Texts come unescaped. Numbers and booleans are judged by their raw value, so
 * that the text "007" stays a text; nested values keep their JSON.
 */
export const jsonLayout = (keys: readonly string[], reader: JsonReader): Layout => ({
  type: reader.shape === 'newline_delimited' ? 'ndjson' : 'json',
  id: JSON.stringify(reader),
  json: reader,
  names: keys,
  source: (paths, types) => {
    const structure = Object.fromEntries(
      keys.map((key, index) => [key, isTextual(types[index]) ? 'VARCHAR' : 'JSON']),
    )
    const fields = keys.length === 0 ? 'NULL' : `from_json(json, ${quoteText(JSON.stringify(structure))})`
    const known = quoteTextList(keys)
    return {
      from: `(SELECT file_index, json AS record, json_keys(json) AS keys, ${fields} AS fields FROM ${jsonRecords(paths, reader)})`,
      columns: keys.map((name, index) => jsonColumn(name, types[index])),
      // Most records have the usual keys in the usual order: only the others are looked at closely.
      fault: `CASE WHEN keys = ${known} AND len(keys) > 0 THEN NULL
        WHEN record IS NULL OR json_type(record) <> 'OBJECT' THEN ${rowFault.malformed}
        WHEN NOT list_has_all(${known}, keys) THEN ${rowFault.unknownKey} END`,
    }
  },
})

const jsonColumn = (name: string, type: LogicalType | undefined): ReadColumn => {
  const field = `fields.${quoteIdentifier(name)}`
  if (isTextual(type)) return { name, value: { raw: field, text: field, literal: field } }
  const text = `(${field} ->> '$')`
  const literal = `nullif(${field}::VARCHAR, 'null')`
  return { name, value: { raw: text, text, literal, nested: `${literal}[1] IN ('{', '[')` } }
}

/**
 * Keys of all records, in the order in which records have them. `unknownTo`: only keys that are not among these.
 */
export const jsonKeys = async (
  connection: DuckDBConnection,
  paths: readonly string[],
  reader: JsonReader,
  options: { unknownTo?: readonly string[] } = {},
): Promise<string[]> => {
  const records = jsonRecords(paths, reader)
  const rows = await rowsOf(
    connection,
    `SELECT key FROM (SELECT unnest(keys) AS key, generate_subscripts(keys, 1) AS position FROM
       (SELECT DISTINCT json_keys(json) AS keys FROM ${records} WHERE json IS NOT NULL))
     WHERE NOT list_contains(${quoteTextList(options.unknownTo ?? [])}, key)
     GROUP BY key ORDER BY max(position), min(position), key`,
  )
  return rows.map(([key]) => String(key))
}

/** How to read a file, by its beginning; undefined for one that holds nothing. Refuses other formats under a JSON name. */
export const jsonReader = async (file: StagedFile, signal: AbortSignal): Promise<JsonReader | undefined> => {
  const head = await readHead(file, signal)
  refuseOtherFormat(file, head)
  const [first] = /[^\s\ufeff]/.exec(head.toString()) ?? []
  if (first === undefined) return undefined
  if (file.path === undefined && file.format.type === 'json')
    throw new ConnectorError(
      'resource',
      `${file.url} is a JSON document, which is read from a local copy alone.`,
      {
        place: { object: file.url },
        hint: 'Raise the limit of the staging space above the size of the object.',
      },
    )
  const shape = file.format.type === 'ndjson' ? 'newline_delimited' : first === '[' ? 'array' : 'unstructured'
  // A pipe carries plain bytes.
  return { shape, compression: file.path === undefined ? 'none' : file.format.compression }
}
