/** Types of Thrift's compact protocol, as they stand in field headers. */
export const thriftType = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const

export interface ThriftList {
  readonly elementType: number
  readonly items: readonly ThriftValue[]
}

/** i64 as bigint, smaller integers as number; texts as bytes. */
export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftList | ThriftStruct | ThriftMap

export interface ThriftMap {
  readonly keyType: number
  readonly valueType: number
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[]
}

export interface ThriftField {
  readonly id: number
  readonly type: number
  readonly value: ThriftValue
}

/** A struct with all of its fields, in the file's order: those without a meaning here are kept for writing. */
export interface ThriftStruct {
  readonly fields: readonly ThriftField[]
}

/** Fields of nested structs that a decoder goes down at most: Parquet needs fewer, damaged bytes could ask for more. */
const maxDepth = 32

/** Decodes one struct. Throws RangeError for bytes that are none. */
export const decodeStruct = (
  bytes: Uint8Array,
  start = 0,
): { readonly struct: ThriftStruct; readonly end: number } => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = start

  const need = (count: number) => {
    if (position + count > bytes.length) throw new RangeError('Thrift data ends early.')
  }
  const readByte = (): number => {
    need(1)
    return bytes[position++] as number
  }
  const readVarint = (): number => {
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = readByte()
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return result
    }
    throw new RangeError('Thrift integer is too long.')
  }
  const readLong = (): bigint => {
    let low = 0
    let shift = 0
    for (; shift < 49; shift += 7) {
      const byte = readByte()
      low += (byte & 0x7f) * 2 ** shift
      // A double holds it, and counts faster.
      if (byte < 0x80) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2)
    }
    let result = BigInt(low)
    for (; shift < 70; shift += 7) {
      const byte = readByte()
      result += BigInt(byte & 0x7f) << BigInt(shift)
      if (byte < 0x80) return zigzag(BigInt.asUintN(64, result))
    }
    throw new RangeError('Thrift integer is too long.')
  }
  const readInt = (): number => {
    const raw = readVarint()
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }
  const readBinary = (): Uint8Array => {
    const length = readVarint()
    need(length)
    position += length
    return bytes.subarray(position - length, position)
  }
  const readValue = (type: number, depth: number): ThriftValue => {
    switch (type) {
      case thriftType.true:
      case thriftType.false:
        return readByte() === 1
      case thriftType.byte:
        return (readByte() << 24) >> 24
      case thriftType.i16:
      case thriftType.i32:
        return readInt()
      case thriftType.i64:
        return readLong()
      case thriftType.double:
        need(8)
        position += 8
        return view.getFloat64(position - 8, true)
      case thriftType.binary:
        return readBinary()
      case thriftType.list:
      case thriftType.set:
        return readList(depth)
      case thriftType.map:
        return readMap(depth)
      case thriftType.struct:
        return readStruct(depth + 1)
      default:
        throw new RangeError(`Unknown Thrift type ${type}.`)
    }
  }
  const readList = (depth: number): ThriftList => {
    const header = readByte()
    const elementType = header & 0x0f
    const size = header >> 4 === 15 ? readVarint() : header >> 4
    // Every element takes a byte at least.
    need(size)
    return { elementType, items: Array.from({ length: size }, () => readValue(elementType, depth)) }
  }
  const readMap = (depth: number): ThriftMap => {
    const size = readVarint()
    if (size === 0) return { keyType: 0, valueType: 0, entries: [] }
    need(size)
    const types = readByte()
    const keyType = types >> 4
    const valueType = types & 0x0f
    const entries = Array.from(
      { length: size },
      () => [readValue(keyType, depth), readValue(valueType, depth)] as const,
    )
    return { keyType, valueType, entries }
  }
  const readStruct = (depth: number): ThriftStruct => {
    if (depth > maxDepth) throw new RangeError('Thrift data is nested too deep.')
    const fields: ThriftField[] = []
    for (let last = 0; ; ) {
      const header = readByte()
      if (header === 0) return { fields }
      const type = header & 0x0f
      const id = header >> 4 === 0 ? readInt() : last + (header >> 4)
      last = id
      const isBoolean = type === thriftType.true || type === thriftType.false
      fields.push({ id, type, value: isBoolean ? type === thriftType.true : readValue(type, depth) })
    }
  }

  const struct = readStruct(0)
  return { struct, end: position }
}

const zigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n)

/** Encodes one struct. */
export const encodeStruct = (struct: ThriftStruct): Uint8Array => {
  let bytes = new Uint8Array(1024)
  let length = 0
  const room = (count: number) => {
    if (length + count <= bytes.length) return
    const larger = new Uint8Array(Math.max(bytes.length * 2, length + count))
    larger.set(bytes.subarray(0, length))
    bytes = larger
  }
  const writeByte = (byte: number) => {
    room(1)
    bytes[length++] = byte
  }
  const writeVarint = (value: number) => {
    let rest = value
    while (rest >= 0x80) {
      writeByte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    writeByte(rest)
  }
  const writeLong = (value: bigint) => {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest >= 0x80n) {
      writeByte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    writeByte(Number(rest))
  }
  const writeInt = (value: number) => writeVarint(value < 0 ? -value * 2 - 1 : value * 2)
  const writeBytes = (value: Uint8Array) => {
    room(value.length)
    bytes.set(value, length)
    length += value.length
  }
  const writeDouble = (value: number) => {
    const eight = new Uint8Array(8)
    new DataView(eight.buffer).setFloat64(0, value, true)
    writeBytes(eight)
  }
  const writeBinary = (value: Uint8Array) => {
    writeVarint(value.length)
    writeBytes(value)
  }
  const writeList = ({ elementType, items }: ThriftList) => {
    writeByte((Math.min(items.length, 15) << 4) | elementType)
    if (items.length >= 15) writeVarint(items.length)
    for (const item of items) writeValue(elementType, item)
  }
  const writeMap = ({ keyType, valueType, entries }: ThriftMap) => {
    writeVarint(entries.length)
    if (entries.length > 0) writeByte((keyType << 4) | valueType)
    for (const [key, item] of entries) {
      writeValue(keyType, key)
      writeValue(valueType, item)
    }
  }
  const writeValue = (type: number, value: ThriftValue): void => {
    if (type === thriftType.struct) writeFields(value as ThriftStruct)
    else if (type === thriftType.list || type === thriftType.set) writeList(value as ThriftList)
    else if (type === thriftType.map) writeMap(value as ThriftMap)
    else if (typeof value === 'boolean') writeByte(value ? 1 : 2)
    else if (typeof value === 'bigint') writeLong(value)
    else if (value instanceof Uint8Array) writeBinary(value)
    else if (type === thriftType.double) writeDouble(value as number)
    else if (type === thriftType.byte) writeByte((value as number) & 0xff)
    else writeInt(value as number)
  }
  const writeFields = ({ fields }: ThriftStruct): void => {
    let last = 0
    for (const { id, type, value } of fields) {
      const isBoolean = type === thriftType.true || type === thriftType.false
      const written = isBoolean ? (value === true ? thriftType.true : thriftType.false) : type
      if (id > last && id - last <= 15) writeByte(((id - last) << 4) | written)
      else {
        writeByte(written)
        writeInt(id)
      }
      last = id
      if (!isBoolean) writeValue(type, value)
    }
    writeByte(0)
  }
  writeFields(struct)
  return bytes.subarray(0, length)
}

/** Value of a field, or undefined. */
export const fieldAt = (struct: ThriftStruct | undefined, id: number): ThriftValue | undefined =>
  struct?.fields.find((field) => field.id === id)?.value

export const integerAt = (struct: ThriftStruct | undefined, id: number): number | undefined => {
  const value = fieldAt(struct, id)
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined
}

export const bytesAt = (struct: ThriftStruct | undefined, id: number): Uint8Array | undefined => {
  const value = fieldAt(struct, id)
  return value instanceof Uint8Array ? value : undefined
}

export const structAt = (struct: ThriftStruct | undefined, id: number): ThriftStruct | undefined => {
  const value = fieldAt(struct, id)
  return typeof value === 'object' && 'fields' in value ? value : undefined
}

export const itemsAt = (struct: ThriftStruct | undefined, id: number): readonly ThriftValue[] => {
  const value = fieldAt(struct, id)
  return typeof value === 'object' && 'items' in value ? value.items : []
}

export const structsAt = (struct: ThriftStruct | undefined, id: number): readonly ThriftStruct[] =>
  itemsAt(struct, id).filter((item): item is ThriftStruct => typeof item === 'object' && 'fields' in item)

/** The struct with one field set, or removed where the value is undefined. */
export const withField = (
  struct: ThriftStruct,
  id: number,
  type: number,
  value: ThriftValue | undefined,
): ThriftStruct => {
  const others = struct.fields.filter((field) => field.id !== id)
  const fields = value === undefined ? others : [...others, { id, type, value }]
  return { fields: fields.toSorted((a, b) => a.id - b.id) }
}
