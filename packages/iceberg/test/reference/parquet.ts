import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { DecodedValue, LogicalType, ScanColumn } from '@penstock/core'
import { parquetMetadata, parquetReadObjects, parquetSchema, type SchemaTree } from 'hyparquet'
import { bigEndianInteger, uuidToText } from '../../src/values/value.ts'

/** Rows of a Parquet file as physical values, and the tree of its fields with their ids. */
interface ParquetFile {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly root: SchemaTree
  readonly byId: boolean
}

const openParquet = async (bytes: Uint8Array): Promise<ParquetFile> => {
  const { buffer } = new Uint8Array(bytes)
  const metadata = parquetMetadata(buffer)
  // Without its annotation a leaf comes as it is stored: nothing is rounded.
  for (const element of metadata.schema)
    if (element.type !== undefined && element.converted_type !== 'UTF8') {
      delete element.converted_type
      delete element.logical_type
    }
  const rows = await parquetReadObjects({
    file: { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) },
    metadata,
    utf8: false,
    compressors: {
      ZSTD: (input) => new Uint8Array(zstdDecompressSync(input)),
      GZIP: (input) => new Uint8Array(gunzipSync(input)),
    },
  })
  const byId = metadata.schema.some((element) => element.field_id !== undefined)
  return { rows, root: parquetSchema(metadata), byId }
}

/** The rows of a Parquet file as a plan says that its columns are to be read. */
export const readParquetRows = async (
  bytes: Uint8Array,
  columns: readonly ScanColumn[],
): Promise<DecodedValue[][]> => {
  const file = await openParquet(bytes)
  return file.rows.map((row) => columns.map((column) => columnValue(column, row, file.root, file.byId)))
}

const columnValue = (
  column: ScanColumn,
  row: Readonly<Record<string, unknown>>,
  tree: SchemaTree,
  byId: boolean,
): DecodedValue => {
  const { source } = column
  if (source.from === 'constant') return source.value
  if (source.from !== 'field-id') throw new Error(`unexpected source ${source.from}`)
  const found = tree.children.find(({ element }) =>
    byId ? element.field_id === source.id : source.names?.includes(element.name),
  )
  return found ? convert(column, row[found.element.name], found, byId) : (source.absent ?? null)
}

const convert = (column: ScanColumn, value: unknown, tree: SchemaTree, byId: boolean): DecodedValue => {
  if (value === null || value === undefined) return null
  const [first, second] = column.children ?? []
  const inner = tree.children[0]
  switch (column.type.type) {
    case 'struct':
      return Object.fromEntries(
        (column.children ?? []).map((child) => [
          child.name,
          columnValue(child, value as Record<string, unknown>, tree, byId),
        ]),
      )
    case 'list': {
      const element = inner?.children[0]
      if (!first || !element) throw new Error('a list has no element')
      return (value as unknown[]).map((item) => convert(first, item, element, byId))
    }
    case 'map': {
      const [key, item] = inner?.children ?? []
      if (!first || !second || !key || !item) throw new Error('a map has no key')
      return Object.entries(value as Record<string, unknown>).map(([name, entry]) => [
        convert(first, name, key, byId),
        convert(second, entry, item, byId),
      ])
    }
    default:
      return scalarOf(column.type, value)
  }
}

const scalarOf = (type: LogicalType, value: unknown): DecodedValue => {
  const bytes = value instanceof Uint8Array ? value : undefined
  switch (type.type) {
    case 'boolean':
      return value === true || value === 1
    case 'float':
    case 'double':
      return Number(value)
    case 'string':
      return value as string
    case 'uuid':
      return uuidToText(bytes ?? new Uint8Array())
    case 'binary':
      return bytes ?? null
    case 'decimal':
      return bytes ? bigEndianInteger(bytes) : BigInt(value as number)
    default:
      return BigInt(value as number)
  }
}
