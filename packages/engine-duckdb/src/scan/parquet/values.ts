import type { LogicalType, Scalar } from '@penstock/core'
import type { FileType } from './footer.ts'

/**
 * A bound of a statistic in the table's type. Texts stay UTF-8 bytes, because a cut bound may end within a character.
 * Undefined where the file's type can't be compared with the table's: nothing is pruned then.
 */
export type Bound = boolean | bigint | number | Uint8Array

const perSecond = { s: 1n, ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n } as const
const secondsPerDay = 86_400n

/** Decodes a PLAIN-encoded value as a bound of a column of type `table`. */
const decodeBound = (bytes: Uint8Array, file: FileType, table: LogicalType): Bound | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const integer = (): bigint | undefined => {
    if (file.physical === 'int32' && bytes.length === 4)
      return BigInt(file.signed === false ? view.getUint32(0, true) : view.getInt32(0, true))
    if (file.physical === 'int64' && bytes.length === 8)
      return file.signed === false ? view.getBigUint64(0, true) : view.getBigInt64(0, true)
    return undefined
  }
  switch (table.type) {
    case 'boolean':
      return file.physical === 'boolean' && bytes.length === 1 ? bytes[0] === 1 : undefined
    case 'int':
      return file.meaning === 'plain' || file.meaning === 'int' ? integer() : undefined
    case 'float':
    case 'double':
      if (file.meaning !== 'plain') return undefined
      if (file.physical === 'float' && bytes.length === 4) return view.getFloat32(0, true)
      return file.physical === 'double' && bytes.length === 8 ? view.getFloat64(0, true) : undefined
    case 'decimal':
      if (file.meaning !== 'decimal' || file.scale !== table.scale) return undefined
      return file.physical === 'bytes' || file.physical === 'fixed' ? bigEndian(bytes) : integer()
    case 'string':
      return file.physical === 'bytes' && file.meaning === 'text' ? bytes : undefined
    case 'binary':
      return file.physical === 'bytes' || file.physical === 'fixed' ? bytes : undefined
    case 'uuid':
      return file.meaning === 'uuid' && bytes.length === 16 ? bytes : undefined
    case 'date':
      return file.meaning === 'date' ? integer() : undefined
    case 'time':
      return file.meaning === 'time' ? rescale(integer(), file.unit, 'us') : undefined
    case 'timestamp':
      if (file.meaning === 'date' && !table.zoned) {
        const days = integer()
        return days === undefined ? undefined : days * secondsPerDay * perSecond[table.unit]
      }
      return file.meaning === 'timestamp' && file.zoned === table.zoned
        ? rescale(integer(), file.unit, table.unit)
        : undefined
    default:
      return undefined
  }
}

/** Both bounds in the table's type; none where one is NaN, which makes both meaningless. */
export const boundsOf = (
  min: Uint8Array | undefined,
  max: Uint8Array | undefined,
  file: FileType,
  type: LogicalType,
): { min: Bound | undefined; max: Bound | undefined } => {
  const low = min && decodeBound(min, file, type)
  const high = max && decodeBound(max, file, type)
  const isNotANumber = (bound: Bound | undefined) => typeof bound === 'number' && Number.isNaN(bound)
  return isNotANumber(low) || isNotANumber(high)
    ? { min: undefined, max: undefined }
    : { min: low, max: high }
}

/** Undefined where the table's unit is coarser: rounding would make an outer bound an inner one. */
const rescale = (
  value: bigint | undefined,
  from: keyof typeof perSecond | undefined,
  to: keyof typeof perSecond,
): bigint | undefined => {
  if (value === undefined || from === undefined || perSecond[from] > perSecond[to]) return undefined
  return value * (perSecond[to] / perSecond[from])
}

const bigEndian = (bytes: Uint8Array): bigint | undefined => {
  if (bytes.length === 0 || bytes.length > 32) return undefined
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

const uuidBytes = (uuid: string): Uint8Array => Uint8Array.from(Buffer.from(uuid.replaceAll('-', ''), 'hex'))

/** A constant of a predicate in the form of {@link Bound}. */
export const boundOf = (value: Scalar, type: LogicalType): Bound => {
  if (typeof value !== 'string') return value
  return type.type === 'uuid' ? uuidBytes(value) : new Uint8Array(Buffer.from(value, 'utf8'))
}

/** Negative, 0 or positive; undefined where the two are of different kinds. NaN is not ordered here. */
export const compareBounds = (a: Bound, b: Bound): number | undefined => {
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? Buffer.compare(a, b) : undefined
  if (b instanceof Uint8Array || typeof a !== typeof b) return undefined
  return a < b ? -1 : a > b ? 1 : 0
}

/** The PLAIN encoding of a constant in the file's type, as bloom filters hash it; undefined where there is none. */
export const encodePlain = (value: Scalar, file: FileType, table: LogicalType): Uint8Array | undefined => {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  if (table.type === 'string' || table.type === 'binary' || table.type === 'uuid') {
    const encoded = boundOf(value, table)
    return encoded instanceof Uint8Array ? encoded : undefined
  }
  if (typeof value === 'bigint' && table.type === 'int' && file.signed !== false) {
    if (file.physical === 'int32' && BigInt.asIntN(32, value) === value) {
      view.setInt32(0, Number(value), true)
      return bytes.subarray(0, 4)
    }
    if (file.physical === 'int64' && BigInt.asIntN(64, value) === value) {
      view.setBigInt64(0, value, true)
      return bytes
    }
    return undefined
  }
  if (typeof value === 'bigint' && table.type === 'date' && file.physical === 'int32') {
    view.setInt32(0, Number(value), true)
    return bytes.subarray(0, 4)
  }
  return undefined
}
