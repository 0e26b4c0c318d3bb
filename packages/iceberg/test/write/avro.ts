import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib'

/** JSON of an Avro schema, as far as the tests write it. */
export type AvroJson =
  | string
  | readonly AvroJson[]
  | {
      readonly type: AvroJson
      readonly [key: string]: unknown
    }

interface RecordJson {
  readonly fields: readonly { readonly name: string; readonly type: AvroJson }[]
}

export const codecs = ['null', 'deflate', 'snappy', 'zstandard'] as const
export type Codec = (typeof codecs)[number]

/** An Avro object container file of the records, in blocks of `perBlock`. */
export const writeAvro = (
  schema: AvroJson,
  records: readonly unknown[],
  options: { metadata?: Readonly<Record<string, string>>; codec?: Codec; perBlock?: number } = {},
): Uint8Array => {
  const { metadata = {}, codec = 'null', perBlock = 1000 } = options
  const sync = Uint8Array.from({ length: 16 }, (_, index) => index * 7)
  const header = { 'avro.schema': JSON.stringify(schema), 'avro.codec': codec, ...metadata }
  const parts: Uint8Array[] = [
    Uint8Array.of(0x4f, 0x62, 0x6a, 1),
    long(Object.keys(header).length),
    ...Object.entries(header).flatMap(([key, value]) => [text(key), bytes(new TextEncoder().encode(value))]),
    long(0),
    sync,
  ]
  for (let start = 0; start < records.length; start += perBlock) {
    const block = records.slice(start, start + perBlock)
    const body = compress(codec, concat(block.flatMap((record) => encode(schema, record))))
    parts.push(long(block.length), long(body.length), body, sync)
  }
  return concat(parts)
}

const compress = (codec: Codec, body: Uint8Array): Uint8Array => {
  switch (codec) {
    case 'null':
      return body
    case 'deflate':
      return deflateRawSync(body)
    case 'zstandard':
      return zstdCompressSync(body)
    case 'snappy': {
      // One literal: a valid, if large, Snappy block.
      const size: number[] = []
      for (let rest = body.length; ; rest >>>= 7) {
        size.push(rest < 128 ? rest : (rest & 127) | 128)
        if (rest < 128) break
      }
      const length = Buffer.alloc(4)
      length.writeUInt32LE(Math.max(0, body.length - 1))
      const checksum = Buffer.alloc(4)
      checksum.writeUInt32BE(crc32(body))
      const literal = body.length === 0 ? [] : [Uint8Array.of(63 << 2), length, body]
      return concat([Uint8Array.from(size), ...literal, checksum])
    }
  }
}

const encode = (schema: AvroJson, value: unknown): Uint8Array[] => {
  if (Array.isArray(schema)) {
    const branch = schema.findIndex((item) => (item === 'null') === (value === null || value === undefined))
    return [long(branch), ...encode(schema[branch] as AvroJson, value)]
  }
  const type = typeof schema === 'string' ? schema : (schema as { type: AvroJson }).type
  const object = schema as unknown as RecordJson & { items: AvroJson; size: number }
  switch (type) {
    case 'null':
      return []
    case 'boolean':
      return [Uint8Array.of(value ? 1 : 0)]
    case 'int':
    case 'long':
      return [long(value as bigint | number)]
    case 'float': {
      const buffer = Buffer.alloc(4)
      buffer.writeFloatLE(value as number)
      return [buffer]
    }
    case 'double': {
      const buffer = Buffer.alloc(8)
      buffer.writeDoubleLE(value as number)
      return [buffer]
    }
    case 'string':
      return [text(value as string)]
    case 'bytes':
      return [bytes(value as Uint8Array)]
    case 'fixed':
      return [value as Uint8Array]
    case 'array': {
      const items = value as readonly unknown[]
      const body =
        items.length > 0 ? [long(items.length), ...items.flatMap((item) => encode(object.items, item))] : []
      return [...body, long(0)]
    }
    case 'record':
      return object.fields.flatMap((field) =>
        encode(field.type, (value as Record<string, unknown>)[field.name]),
      )
    default:
      return encode(type, value)
  }
}

const long = (value: bigint | number): Uint8Array => {
  const signed = BigInt(value)
  let rest = BigInt.asUintN(64, (signed << 1n) ^ (signed >> 63n))
  const out: number[] = []
  for (;;) {
    const part = Number(rest & 127n)
    rest >>= 7n
    out.push(rest === 0n ? part : part | 128)
    if (rest === 0n) return Uint8Array.from(out)
  }
}

const bytes = (value: Uint8Array): Uint8Array => concat([long(value.length), value])
const text = (value: string): Uint8Array => bytes(new TextEncoder().encode(value))
const concat = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
