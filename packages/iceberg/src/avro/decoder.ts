/** A position in Avro binary data. Every read checks the end, so that cut data is an error and not zeros. */
export interface Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  position: number
}

export const cursorOf = (bytes: Uint8Array): Cursor => ({
  // A plain array: slices of a Buffer would share its memory.
  bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  position: 0,
})

/** The data ends within a value; a stream that has more of it may try again with so many bytes. */
export class EndOfData extends RangeError {
  readonly needed: number
  constructor(needed: number) {
    super('Avro data ends within a value')
    this.needed = needed
  }
}

const advance = (cursor: Cursor, count: number): number => {
  const start = cursor.position
  if (count < 0) throw new RangeError(`Avro length ${count} is negative`)
  if (start + count > cursor.bytes.length) throw new EndOfData(start + count)
  cursor.position = start + count
  return start
}

/** A zigzag variable-length int of up to 32 bits. */
export const readInt = (cursor: Cursor): number => {
  const value = readLong(cursor)
  if (value < -2147483648n || value > 2147483647n)
    throw new RangeError(`Avro int ${value} has more than 32 bits`)
  return Number(value)
}

/** A zigzag variable-length long, exact: snapshot ids exceed 2^53. */
export const readLong = (cursor: Cursor): bigint => {
  let low = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor)
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1))
  }
  let value = BigInt(low)
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = readByte(cursor)
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) {
      const unsigned = BigInt.asUintN(64, value)
      return (unsigned >> 1n) ^ -(unsigned & 1n)
    }
  }
  throw new RangeError('Avro long has more than 64 bits')
}

/** A length or count: a long that must fit what is addressable. */
export const readLength = (cursor: Cursor): number => {
  const value = readLong(cursor)
  if (value < BigInt(-Number.MAX_SAFE_INTEGER) || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new RangeError(`Avro length ${value} is out of range`)
  return Number(value)
}

const readByte = (cursor: Cursor): number => {
  const byte = cursor.bytes[cursor.position]
  if (byte === undefined) throw new EndOfData(cursor.position + 1)
  cursor.position++
  return byte
}

export const readBoolean = (cursor: Cursor): boolean => {
  const byte = readByte(cursor)
  if (byte > 1) throw new RangeError(`Avro boolean ${byte} is neither 0 nor 1`)
  return byte === 1
}

export const readFloat = (cursor: Cursor): number => cursor.view.getFloat32(advance(cursor, 4), true)
export const readDouble = (cursor: Cursor): number => cursor.view.getFloat64(advance(cursor, 8), true)

/** A view into the data, not a copy. */
export const readFixed = (cursor: Cursor, size: number): Uint8Array => {
  const start = advance(cursor, size)
  return cursor.bytes.subarray(start, start + size)
}

export const readBytes = (cursor: Cursor): Uint8Array => readFixed(cursor, readLength(cursor))

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
export const readString = (cursor: Cursor): string => utf8.decode(readBytes(cursor))

export const skipBytes = (cursor: Cursor, count: number): void => void advance(cursor, count)

export const skipLong = (cursor: Cursor): void => {
  for (let count = 0; count < 10; count++) if (readByte(cursor) < 0x80) return
  throw new RangeError('Avro long has more than 64 bits')
}

/**
 * Runs `item` for each item of an Avro array or map, block by block. A negative count announces the block's size in
 * bytes: with `item` left out, such a block is jumped over.
 */
export const readBlocks = (cursor: Cursor, item: () => void, jump = false): void => {
  for (;;) {
    const count = readLength(cursor)
    if (count === 0) return
    if (count < 0) {
      const size = readLength(cursor)
      if (jump) {
        skipBytes(cursor, size)
        continue
      }
    }
    for (let left = Math.abs(count); left > 0; left--) item()
  }
}
