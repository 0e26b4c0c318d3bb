import type { PrimitiveType } from '../types.ts'
import { bigEndianInteger, type Value } from './value.ts'

/**
 * A lower or upper bound from its bytes, by the type that the field has now
 * (https://iceberg.apache.org/spec/#binary-single-value-serialization). A file that was written before a promotion has
 * the bytes of the narrower type. Undefined where the bytes tell nothing that can be relied on: then nothing is
 * pruned by them.
 */
export const decodeBound = (
  bytes: Uint8Array,
  type: PrimitiveType,
  side: 'lower' | 'upper',
): Value | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (type.type) {
    case 'boolean':
      return bytes.length === 1 ? bytes[0] !== 0 : undefined
    case 'int':
    case 'date':
      return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : undefined
    case 'long':
    case 'time':
      return integer(view)
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      // Four bytes were a date, and stand for its first moment.
      if (bytes.length === 4)
        return BigInt(view.getInt32(0, true)) * (type.type.endsWith('_ns') ? nsPerDay : usPerDay)
      return bytes.length === 8 ? view.getBigInt64(0, true) : undefined
    case 'float':
      return bytes.length === 4 ? number(view.getFloat32(0, true)) : undefined
    case 'double':
      if (bytes.length === 4) return number(view.getFloat32(0, true))
      return bytes.length === 8 ? number(view.getFloat64(0, true)) : undefined
    case 'decimal':
      return bytes.length > 0 ? bigEndianInteger(bytes) : undefined
    case 'uuid':
      return bytes.length === 16 ? bytes : undefined
    case 'string':
      return text(bytes, side)
    case 'fixed':
    case 'binary':
      return bytes
    case 'unknown':
    case 'unsupported':
      return undefined
  }
}

const usPerDay = 86_400_000_000n
const nsPerDay = usPerDay * 1000n

const integer = (view: DataView): bigint | undefined =>
  view.byteLength === 8
    ? view.getBigInt64(0, true)
    : view.byteLength === 4
      ? BigInt(view.getInt32(0, true))
      : undefined

// Old writers wrote NaN as a bound, which bounds nothing.
const number = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value)

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A bound that was cut within a character is no text: what is left of it still bounds from below, not from above. */
const text = (bytes: Uint8Array, side: 'lower' | 'upper'): string | undefined => {
  for (let cut = 0; cut < (side === 'lower' ? Math.min(4, bytes.length + 1) : 1); cut++) {
    try {
      return strict.decode(bytes.subarray(0, bytes.length - cut))
    } catch {}
  }
  return undefined
}
