import type { PrimitiveType } from '../../src/types.ts'
import { compareValues, minimalBigEndian, type Value } from '../../src/values/value.ts'
import type { AvroJson } from './avro.ts'

/** The Avro type of a partition value, as Iceberg's writers have it. */
export const avroTypeOf = (type: PrimitiveType, name: string): AvroJson => {
  switch (type.type) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return type.type
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'uuid':
      return { type: 'fixed', name, size: 16, logicalType: 'uuid' }
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale }
    case 'binary':
    case 'fixed':
      return 'bytes'
    default:
      return 'long'
  }
}

/** A value as the Avro writer of the tests takes it. */
export const avroValueOf = (type: PrimitiveType, value: Value | null): unknown =>
  value !== null && type.type === 'decimal' ? minimalBigEndian(value as bigint) : value

/** Single-value serialization of a bound. */
export const boundBytes = (type: PrimitiveType, value: Value): Uint8Array => {
  const buffer = Buffer.alloc(8)
  switch (type.type) {
    case 'boolean':
      return Uint8Array.of(value ? 1 : 0)
    case 'int':
    case 'date':
      buffer.writeInt32LE(Number(value))
      return buffer.subarray(0, 4)
    case 'float':
      buffer.writeFloatLE(value as number)
      return buffer.subarray(0, 4)
    case 'double':
      buffer.writeDoubleLE(value as number)
      return buffer
    case 'decimal':
      return minimalBigEndian(value as bigint)
    case 'string':
      return new TextEncoder().encode(value as string)
    case 'uuid':
    case 'binary':
    case 'fixed':
      return value as Uint8Array
    default:
      buffer.writeBigInt64LE(value as bigint)
      return buffer
  }
}

/** Smallest and largest value, without null and NaN. */
export const extremes = (values: readonly (Value | null)[]): readonly [Value, Value] | undefined => {
  const present = values.filter((value): value is Value => value !== null && !Number.isNaN(value))
  const sorted = present.toSorted(compareValues)
  const [first] = sorted
  const last = sorted.at(-1)
  return first === undefined || last === undefined ? undefined : [first, last]
}

/** An outer bound of texts or bytes that is no longer than `width`; undefined where there is none from above. */
export const truncateBound = (value: Value, side: 'lower' | 'upper', width: number): Value | undefined => {
  if (typeof value === 'string') {
    const points = [...value]
    if (points.length <= width) return value
    const kept = points.slice(0, width).map((point) => point.codePointAt(0) ?? 0)
    if (side === 'lower') return String.fromCodePoint(...kept)
    for (let index = kept.length - 1; index >= 0; index--) {
      const point = kept[index] ?? 0
      if (point === 0x10ffff) continue
      const next = point === 0xd7ff ? 0xe000 : point + 1
      return String.fromCodePoint(...kept.slice(0, index), next)
    }
    return undefined
  }
  if (!(value instanceof Uint8Array) || value.length <= width) return value
  const kept = [...value.subarray(0, width)]
  if (side === 'lower') return Uint8Array.from(kept)
  for (let index = kept.length - 1; index >= 0; index--)
    if (kept[index] !== 255) return Uint8Array.from([...kept.slice(0, index), (kept[index] ?? 0) + 1])
  return undefined
}
