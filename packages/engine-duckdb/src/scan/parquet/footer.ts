import { type ByteRange, ConnectorError } from '@penstock/core'
import {
  bytesAt,
  decodeStruct,
  fieldAt,
  integerAt,
  itemsAt,
  structAt,
  structsAt,
  type ThriftStruct,
} from './thrift.ts'

/** Physical types by their number in the format. */
export const physicalTypes = [
  'boolean',
  'int32',
  'int64',
  'int96',
  'float',
  'double',
  'bytes',
  'fixed',
] as const
export type PhysicalType = (typeof physicalTypes)[number]

/** A node of a file's schema: a column, or a group of them. */
export interface SchemaNode {
  readonly name: string
  readonly fieldId: number | undefined
  readonly element: ThriftStruct
  readonly children: readonly SchemaNode[]
  /** Of a column: its position among all columns of a row group. */
  readonly leaf: number | undefined
  readonly physical: PhysicalType | undefined
}

export interface ColumnChunk {
  readonly raw: ThriftStruct
  /** Column metadata. */
  readonly meta: ThriftStruct
  readonly range: ByteRange
  readonly values: number
  readonly bloomFilter: ByteRange | undefined
  readonly columnIndex: ByteRange | undefined
  readonly offsetIndex: ByteRange | undefined
}

export interface RowGroup {
  readonly raw: ThriftStruct
  readonly rows: number
  readonly columns: readonly ColumnChunk[]
}

export interface ParquetFooter {
  readonly raw: ThriftStruct
  readonly schema: SchemaNode
  readonly rowGroups: readonly RowGroup[]
  /** Bytes of the footer, with its length and magic. */
  readonly bytes: number
}

/** Bytes behind the footer: its length and the magic. */
export const trailerBytes = 8
const decoder = new TextDecoder()
const text = (bytes: Uint8Array | undefined): string => decoder.decode(bytes)

const damaged = (url: string, reason: string, cause?: unknown): ConnectorError =>
  new ConnectorError('data', `${url} is no Parquet file that can be read: ${reason}.`, {
    code: 'CorruptParquet',
    place: { object: url },
    hint: 'The file is damaged, or something else than its table says: write it anew, or remove it from the table.',
    ...(cause !== undefined && { cause }),
  })

/** Length of a footer, from the last 8 bytes of a file. Throws `data` where they are not Parquet's. */
export const footerLength = (trailer: Uint8Array, url: string, size: number): number => {
  const magic = text(trailer.subarray(4, 8))
  if (magic === 'PARE')
    throw new ConnectorError('data', `${url} is an encrypted Parquet file, which can't be read.`, {
      code: 'UnsupportedParquet',
      place: { object: url },
      hint: 'Write the table without Parquet encryption.',
    })
  if (magic !== 'PAR1') throw damaged(url, 'it does not end as one')
  const length = new DataView(trailer.buffer, trailer.byteOffset, 8).getUint32(0, true)
  if (length + trailerBytes + 4 > size) throw damaged(url, `its footer would have ${length} bytes`)
  return length
}

/** Reads a footer (without length and magic). Throws `data` for whatever does not hold together. */
export const parseFooter = (bytes: Uint8Array, url: string, size: number): ParquetFooter => {
  try {
    const { struct } = decodeStruct(bytes)
    if (structAt(struct, 8)) throw damaged(url, 'its columns are encrypted')
    const schema = schemaTree(structsAt(struct, 2))
    const end = size - trailerBytes - bytes.length
    const leaves = countLeaves(schema)
    const rowGroups = structsAt(struct, 4).map((raw) => rowGroup(raw, leaves, end))
    return { raw: struct, schema, rowGroups, bytes: bytes.length + trailerBytes }
  } catch (error) {
    if (ConnectorError.isInstance(error)) throw error
    throw damaged(url, error instanceof Error ? error.message.replace(/\.$/, '') : String(error), error)
  }
}

const schemaTree = (elements: readonly ThriftStruct[]): SchemaNode => {
  let next = 0
  let leaf = 0
  const read = (depth: number): SchemaNode => {
    const element = elements[next++]
    if (!element || depth > 64) throw new RangeError('its schema is incomplete')
    const count = integerAt(element, 5) ?? 0
    const isLeaf = count === 0 && next > 1
    const physical = integerAt(element, 1)
    return {
      name: text(bytesAt(element, 4)),
      fieldId: integerAt(element, 9),
      element,
      leaf: isLeaf ? leaf++ : undefined,
      physical: physical === undefined ? undefined : physicalTypes[physical],
      children: Array.from({ length: count }, () => read(depth + 1)),
    }
  }
  const root = read(0)
  if (next !== elements.length) throw new RangeError('its schema has a part too many')
  return root
}

const countLeaves = (node: SchemaNode): number =>
  (node.leaf === undefined ? 0 : 1) + node.children.reduce((sum, child) => sum + countLeaves(child), 0)

const rowGroup = (raw: ThriftStruct, leaves: number, end: number): RowGroup => {
  const columns = structsAt(raw, 1)
  const rows = integerAt(raw, 3)
  if (columns.length !== leaves || rows === undefined || rows < 0)
    throw new RangeError('a row group does not fit its schema')
  return { raw, rows, columns: columns.map((column) => columnChunk(column, end)) }
}

const columnChunk = (raw: ThriftStruct, end: number): ColumnChunk => {
  const meta = structAt(raw, 3)
  if (!meta || bytesAt(raw, 1)) throw new RangeError('a column is kept in another file')
  const data = integerAt(meta, 9)
  const length = integerAt(meta, 7)
  if (data === undefined || length === undefined) throw new RangeError('a column has no place')
  const dictionary = integerAt(meta, 11)
  const start = dictionary !== undefined && dictionary > 0 && dictionary < data ? dictionary : data
  if (start < 4 || length < 0 || start + length > end) throw new RangeError('a column is out of its bounds')
  const part = (from: number | undefined, size: number | undefined): ByteRange | undefined =>
    from !== undefined && size !== undefined && from >= 4 && size > 0 && from + size <= end
      ? { start: from, end: from + size }
      : undefined
  return {
    raw,
    meta,
    range: { start, end: start + length },
    values: integerAt(meta, 5) ?? 0,
    bloomFilter: part(integerAt(meta, 14), integerAt(meta, 15)),
    offsetIndex: part(integerAt(raw, 4), integerAt(raw, 5)),
    columnIndex: part(integerAt(raw, 6), integerAt(raw, 7)),
  }
}

/** Statistics of a chunk as the file has them. */
export interface RawStatistics {
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
  readonly exact: boolean
  /** The file says that both are values of the chunk. Without a word they may be outer bounds, by the format. */
  readonly occur: boolean
  readonly nulls: number | undefined
}

/**
 * Deprecated `min` and `max` (fields 1 and 2) were written in signed order whatever the type; they serve for numbers
 * alone, which the caller tells.
 */
export const rawStatistics = ({ meta }: ColumnChunk, allowDeprecated: boolean): RawStatistics => {
  const statistics = structAt(meta, 12)
  const modern = { max: bytesAt(statistics, 5), min: bytesAt(statistics, 6) }
  const hasModern = modern.min !== undefined || modern.max !== undefined
  const deprecated = allowDeprecated
    ? { max: bytesAt(statistics, 1), min: bytesAt(statistics, 2) }
    : undefined
  return {
    min: hasModern ? modern.min : deprecated?.min,
    max: hasModern ? modern.max : deprecated?.max,
    exact: fieldAt(statistics, 7) !== false && fieldAt(statistics, 8) !== false,
    occur: hasModern && fieldAt(statistics, 7) === true && fieldAt(statistics, 8) === true,
    nulls: integerAt(statistics, 3),
  }
}

/** Type of a column as the file says it: what its bytes mean. */
export interface FileType {
  readonly physical: PhysicalType
  readonly meaning: 'plain' | 'text' | 'decimal' | 'date' | 'time' | 'timestamp' | 'uuid' | 'int' | 'other'
  readonly unit?: 'ms' | 'us' | 'ns'
  readonly zoned?: boolean
  readonly scale?: number
  readonly signed?: boolean
}

const units = { 1: 'ms', 2: 'us', 3: 'ns' } as const

/** Undefined for a group. */
export const fileType = ({ element, physical }: SchemaNode): FileType | undefined => {
  if (physical === undefined) return undefined
  const logical = structAt(element, 10)?.fields[0]
  const inner = typeof logical?.value === 'object' && 'fields' in logical.value ? logical.value : undefined
  const unit = units[(structAt(inner, 2)?.fields[0]?.id ?? 0) as 1 | 2 | 3]
  switch (logical?.id) {
    case 1:
    case 4:
    case 12:
      return { physical, meaning: 'text' }
    case 5:
      return { physical, meaning: 'decimal', scale: integerAt(inner, 1) ?? 0 }
    case 6:
      return { physical, meaning: 'date' }
    case 7:
      return unit ? { physical, meaning: 'time', unit } : { physical, meaning: 'other' }
    case 8:
      return unit
        ? { physical, meaning: 'timestamp', unit, zoned: fieldAt(inner, 1) === true }
        : { physical, meaning: 'other' }
    case 10:
      return { physical, meaning: 'int', signed: fieldAt(inner, 2) !== false }
    case 14:
      return { physical, meaning: 'uuid' }
    case undefined:
      return convertedType(element, physical)
    default:
      return { physical, meaning: 'other' }
  }
}

const convertedType = (element: ThriftStruct, physical: PhysicalType): FileType => {
  switch (integerAt(element, 6)) {
    case undefined:
      return { physical, meaning: 'plain' }
    case 0:
    case 4:
    case 19:
      return { physical, meaning: 'text' }
    case 5:
      return { physical, meaning: 'decimal', scale: integerAt(element, 7) ?? 0 }
    case 6:
      return { physical, meaning: 'date' }
    case 7:
      return { physical, meaning: 'time', unit: 'ms' }
    case 8:
      return { physical, meaning: 'time', unit: 'us' }
    case 9:
      return { physical, meaning: 'timestamp', unit: 'ms', zoned: true }
    case 10:
      return { physical, meaning: 'timestamp', unit: 'us', zoned: true }
    case 11:
    case 12:
    case 13:
    case 14:
      return { physical, meaning: 'int', signed: false }
    case 15:
    case 16:
    case 17:
    case 18:
      return { physical, meaning: 'int', signed: true }
    default:
      return { physical, meaning: 'other' }
  }
}

/** Lists of integers, such as the null counts of a column index. */
export const integersAt = (struct: ThriftStruct, id: number): readonly number[] =>
  itemsAt(struct, id).map((item) => Number(item))
