import { ConnectorError, describeType, type LogicalType } from '@penstock/core'
import type { ConstantColumn } from './mapping.ts'
import { encodeStruct, type ThriftField, type ThriftStruct, type ThriftValue, thriftType } from './thrift.ts'

const { i16, i32, i64, binary, list, struct, true: boolean } = thriftType
const field = (id: number, type: number, value: ThriftValue): ThriftField => ({ id, type, value })
const fields = (...all: readonly ThriftField[]): ThriftStruct => ({ fields: all })
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const empty = fields()

/** A required column of the local file that the source does not have: its schema and the pages of a row group. */
export interface MadeColumn {
  readonly name: string
  readonly element: ThriftStruct
  /** Pages and column metadata; offsets count from the start of the pages. */
  chunk(rows: number, firstRow: number): { readonly pages: Uint8Array; meta(offset: number): ThriftStruct }
}

const encodings = { plain: 0, rle: 3, dictionary: 8 } as const

const element = (name: string, physical: number, ...others: readonly ThriftField[]): ThriftStruct => ({
  fields: [field(1, i32, physical), field(3, i32, 0), field(4, binary, utf8(name)), ...others].toSorted(
    (a, b) => a.id - b.id,
  ),
})

const page = (
  kind: 'data' | 'dictionary',
  values: number,
  encoding: number,
  body: Uint8Array,
): Uint8Array => {
  const header =
    kind === 'data'
      ? field(
          5,
          struct,
          fields(
            field(1, i32, values),
            field(2, i32, encoding),
            field(3, i32, encodings.rle),
            field(4, i32, encodings.rle),
          ),
        )
      : field(7, struct, fields(field(1, i32, values), field(2, i32, encodings.plain)))
  const encoded = encodeStruct(
    fields(
      field(1, i32, kind === 'data' ? 0 : 2),
      field(2, i32, body.length),
      field(3, i32, body.length),
      header,
    ),
  )
  return Buffer.concat([encoded, body])
}

const metadata = (
  name: string,
  physical: number,
  rows: number,
  bytes: number,
  offsets: { data: number; dictionary?: number },
): ThriftStruct => ({
  fields: [
    field(1, i32, physical),
    field(2, list, { elementType: i32, items: [encodings.plain, encodings.rle, encodings.dictionary] }),
    field(3, list, { elementType: binary, items: [utf8(name)] }),
    field(4, i32, 0),
    field(5, i64, BigInt(rows)),
    field(6, i64, BigInt(bytes)),
    field(7, i64, BigInt(bytes)),
    field(9, i64, BigInt(offsets.data)),
    ...(offsets.dictionary === undefined ? [] : [field(11, i64, BigInt(offsets.dictionary))]),
  ],
})

/** A BOOLEAN column of which each row group's values are given, bit by bit, the lowest first. */
export const bitColumn = (
  name: string,
  bitsOf: (rows: number, firstRow: number) => Uint8Array,
): MadeColumn => ({
  name,
  element: element(name, 0),
  chunk: (rows, firstRow) => {
    const pages = page('data', rows, encodings.plain, bitsOf(rows, firstRow))
    return { pages, meta: (offset) => metadata(name, 0, rows, pages.length, { data: offset }) }
  },
})

/** A column with the same value in all rows: a dictionary of it and one run, whatever the count of rows. */
export const constantColumn = (column: ConstantColumn, url: string): MadeColumn => {
  const { name, value, type } = column
  if (type.type === 'boolean')
    return bitColumn(name, (rows) => new Uint8Array(Math.ceil(rows / 8)).fill(value === true ? 0xff : 0))
  const encoding = encodingOf(column)
  if (!encoding)
    throw new ConnectorError(
      'data',
      `Column ${name} has a constant of type ${describeType(type)} in ${url}.`,
      {
        code: 'UnsupportedColumn',
        place: { object: url, column: name },
        hint: 'Leave the column out of the query.',
      },
    )
  const { physical, bytes, annotations } = encoding
  const dictionary = page('dictionary', 1, encodings.plain, bytes)
  return {
    name,
    element: element(name, physical, ...annotations),
    chunk: (rows) => {
      // Width of an index in bits, then one run of `rows` times index 0.
      const data = page('data', rows, encodings.dictionary, Uint8Array.from([1, ...varint(rows * 2), 0]))
      const pages = Buffer.concat([dictionary, data])
      const meta = (offset: number) =>
        metadata(name, physical, rows, pages.length, { dictionary: offset, data: offset + dictionary.length })
      return { pages, meta }
    },
  }
}

const varint = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest % 0x80) | 0x80)
  }
}

interface Encoding {
  readonly physical: number
  readonly bytes: Uint8Array
  readonly annotations: readonly ThriftField[]
}

const logical = (id: number, inner: ThriftStruct): ThriftField =>
  field(10, struct, fields(field(id, struct, inner)))

const encodingOf = ({ type, value }: ConstantColumn): Encoding | undefined => {
  if (typeof value === 'bigint') return integerEncoding(type, value)
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(type.type === 'float' ? 4 : 8)
    if (type.type === 'float') bytes.writeFloatLE(value)
    else bytes.writeDoubleLE(value)
    return { physical: type.type === 'float' ? 4 : 5, bytes, annotations: [] }
  }
  if (typeof value === 'string') {
    if (type.type === 'uuid')
      return {
        physical: 7,
        bytes: Buffer.from(value.replaceAll('-', ''), 'hex'),
        annotations: [field(2, i32, 16), logical(14, empty)],
      }
    return {
      physical: 6,
      bytes: lengthPrefixed(utf8(value)),
      annotations: [field(6, i32, 0), logical(1, empty)],
    }
  }
  return value instanceof Uint8Array
    ? { physical: 6, bytes: lengthPrefixed(value), annotations: [] }
    : undefined
}

const lengthPrefixed = (bytes: Uint8Array): Uint8Array => {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32LE(bytes.length)
  return Buffer.concat([prefix, bytes])
}

const integerEncoding = (type: LogicalType, value: bigint): Encoding | undefined => {
  switch (type.type) {
    case 'int':
      return type.bits === 64 ? int64(value) : type.bits < 64 ? int32(value) : undefined
    case 'date':
      return int32(value, field(6, i32, 6), logical(6, empty))
    case 'time':
      return int64(value, logical(7, fields(field(1, boolean, false), field(2, struct, unitOf('us')))))
    case 'timestamp':
      // Parquet knows no seconds: the engine casts.
      return type.unit === 's'
        ? int64(value * 1000n, timestampOf(type.zoned, 'ms'))
        : int64(value, timestampOf(type.zoned, type.unit))
    case 'decimal': {
      const bytes = Buffer.alloc(16)
      bytes.writeBigInt64BE(value >> 64n, 0)
      bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 8)
      const inner = fields(field(1, i32, type.scale), field(2, i32, type.precision))
      const annotations = [
        field(2, i32, 16),
        field(6, i32, 5),
        field(7, i32, type.scale),
        field(8, i32, type.precision),
        logical(5, inner),
      ]
      return { physical: 7, bytes, annotations }
    }
    default:
      return undefined
  }
}

const unitOf = (unit: 'ms' | 'us' | 'ns'): ThriftStruct =>
  fields(field({ ms: 1, us: 2, ns: 3 }[unit], struct, empty))

const timestampOf = (zoned: boolean, unit: 'ms' | 'us' | 'ns'): ThriftField =>
  logical(8, fields(field(1, boolean, zoned), field(2, struct, unitOf(unit))))

const int32 = (value: bigint, ...annotations: readonly ThriftField[]): Encoding => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(Number(BigInt.asIntN(32, value)))
  return { physical: 1, bytes, annotations }
}

const int64 = (value: bigint, ...annotations: readonly ThriftField[]): Encoding => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt.asIntN(64, value))
  return { physical: 2, bytes, annotations }
}

/** Ordinal of a row group, as its metadata keeps it. */
export const ordinalField = (ordinal: number): ThriftField => field(7, i16, Math.min(ordinal, 0x7fff))

/** What stands for the rows of a file of which no column is read. */
export const rowColumn: MadeColumn = constantColumn(
  { name: '__penstock_row', type: { type: 'int', bits: 32, signed: true }, value: 0n },
  '',
)
