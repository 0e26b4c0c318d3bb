import type { ColumnPath, LogicalType, Predicate, Scalar } from '@penstock/core'
import type { FileType } from './footer.ts'
import { decodeStruct, integerAt, structAt } from './thrift.ts'
import { encodePlain } from './values.ts'
import { xxh64 } from './xxh64.ts'

/** Values that a column has to equal one of for its rows to match; undefined where a bloom filter says nothing. */
export const bloomValues = (
  predicate: Predicate,
  path: ColumnPath,
  file: FileType,
  type: LogicalType,
): readonly Uint8Array[] | undefined => {
  const isColumn = (column: ColumnPath) => JSON.stringify(column) === JSON.stringify(path)
  const encode = (values: readonly Scalar[]) => {
    const encoded = values.map((value) => encodePlain(value, file, type))
    return encoded.every((bytes) => bytes !== undefined) ? encoded : undefined
  }
  switch (predicate.kind) {
    case 'compare':
      return isColumn(predicate.column) && predicate.operator === '=' ? encode([predicate.value]) : undefined
    case 'in':
      return isColumn(predicate.column) ? encode(predicate.values) : undefined
    case 'and':
    case 'or':
      for (const part of predicate.of) {
        const values = bloomValues(part, path, file, type)
        if (values) return values
      }
      return undefined
    default:
      return undefined
  }
}

interface ColumnBloom {
  readonly file: FileType
  readonly type: LogicalType
  /** Header and bits, as they stand in the file. */
  readonly bytes: Uint8Array
}

/** False where bloom filters rule out that any row fulfils the predicate. */
export const bloomMayHold = (
  predicate: Predicate,
  bloomOf: (path: ColumnPath) => ColumnBloom | undefined,
): boolean => {
  switch (predicate.kind) {
    case 'and':
      return predicate.of.every((part) => bloomMayHold(part, bloomOf))
    case 'or':
      return predicate.of.some((part) => bloomMayHold(part, bloomOf))
    case 'compare':
    case 'in': {
      const bloom = bloomOf(predicate.column)
      const values = bloom && bloomValues(predicate, predicate.column, bloom.file, bloom.type)
      const bits = bloom && bitset(bloom.bytes)
      return !values || !bits || values.some((value) => isInside(bits, value))
    }
    default:
      return true
  }
}

/** The bits of a split-block filter with xxHash; undefined for any other, or one that is incomplete. */
const bitset = (bytes: Uint8Array): DataView | undefined => {
  try {
    const { struct, end } = decodeStruct(bytes)
    const size = integerAt(struct, 1) ?? 0
    const isKnown = [2, 3, 4].every((id) => structAt(struct, id)?.fields[0]?.id === 1)
    if (!isKnown || size < 32 || size % 32 !== 0 || end + size > bytes.length) return undefined
    return new DataView(bytes.buffer, bytes.byteOffset + end, size)
  } catch {
    return undefined
  }
}

/** Parquet's specification, "Bloom Filter". */
const salts = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31]

const isInside = (bits: DataView, value: Uint8Array): boolean => {
  const hash = xxh64(value)
  const blocks = BigInt(bits.byteLength / 32)
  const block = Number(((hash >> 32n) * blocks) >> 32n)
  const key = Number(hash & 0xffffffffn)
  return salts.every((salt, index) => {
    const bit = Math.imul(key, salt) >>> 27
    return ((bits.getUint32(block * 32 + index * 4, true) >>> bit) & 1) === 1
  })
}
