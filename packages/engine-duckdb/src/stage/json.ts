import type { DuckDBConnection } from '@duckdb/node-api'
import type { LogicalType, StagedFile } from '@penstock/core'
import { quoteIdentifier, quoteText, quoteTextList, rowsOf } from '../sql.ts'
import { readHead, refuseOtherFormat } from './head.ts'
import { type Layout, type ReadColumn, rowFault } from './reading.ts'

/** Largest single document or element, in bytes. */
const maxDocumentBytes = 64 * 1024 ** 2

type JsonType = 'ndjson' | 'json'

/** Table expression with one `json` value per record, and `file_index`. A malformed NDJSON line is a null. */
const jsonRecords = (paths: readonly string[], type: JsonType, compression: string): string => {
  const options = `compression = ${quoteText(compression)}, maximum_object_size = ${maxDocumentBytes}`
  return type === 'ndjson'
    ? `read_ndjson_objects(${quoteTextList(paths)}, ignore_errors = true, ${options})`
    : `read_json_objects(${quoteTextList(paths)}, format = 'auto', ${options})`
}

const isTextual = (type: LogicalType | undefined) =>
  type !== undefined && ['string', 'date', 'time', 'timestamp', 'uuid', 'binary'].includes(type.type)

/**
 * Layout of JSON records with these keys. Texts come unescaped. Numbers and booleans are judged by their raw value, so
 * that the text "007" stays a text; nested values keep their JSON.
 */
export const jsonLayout = (keys: readonly string[], type: JsonType, compression: string): Layout => ({
  type,
  id: JSON.stringify([type, compression]),
  names: keys,
  source: (paths, types) => {
    const structure = Object.fromEntries(
      keys.map((key, index) => [key, isTextual(types[index]) ? 'VARCHAR' : 'JSON']),
    )
    const fields = keys.length === 0 ? 'NULL' : `from_json(json, ${quoteText(JSON.stringify(structure))})`
    const known = quoteTextList(keys)
    return {
      from: `(SELECT file_index, json AS record, ${fields} AS fields FROM ${jsonRecords(paths, type, compression)})`,
      columns: keys.map((name, index) => jsonColumn(name, types[index])),
      fault: `CASE WHEN record IS NULL OR json_type(record) <> 'OBJECT' THEN ${rowFault.malformed}
        WHEN json_keys(record) <> ${known} AND NOT list_has_all(${known}, json_keys(record)) THEN ${rowFault.unknownKey} END`,
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
 * Keys of all records, in the order in which records have them; with `limit`, of the first records only. `unknownTo`:
 * only keys that are not among these.
 */
export const jsonKeys = async (
  connection: DuckDBConnection,
  paths: readonly string[],
  type: JsonType,
  compression: string,
  options: { limit?: number; unknownTo?: readonly string[] } = {},
): Promise<string[]> => {
  const records = jsonRecords(paths, type, compression)
  const sample =
    options.limit === undefined ? records : `(SELECT json FROM ${records} LIMIT ${options.limit})`
  const rows = await rowsOf(
    connection,
    `SELECT key FROM (SELECT unnest(keys) AS key, generate_subscripts(keys, 1) AS position FROM
       (SELECT DISTINCT json_keys(json) AS keys FROM ${sample} WHERE json IS NOT NULL))
     WHERE NOT list_contains(${quoteTextList(options.unknownTo ?? [])}, key)
     GROUP BY key ORDER BY max(position), min(position), key`,
  )
  return rows.map(([key]) => String(key))
}

/** Refuses other formats under a JSON name; false for a file that holds nothing at all. */
export const checkJsonHead = async (file: StagedFile): Promise<boolean> => {
  const head = await readHead(file, 4096)
  refuseOtherFormat(file, head)
  return /\S/.test(head.toString('latin1'))
}
