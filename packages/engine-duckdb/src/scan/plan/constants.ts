import { type LogicalType, type Scalar, sameType } from '@penstock/core'
import { isObject, type Json, type JsonObject, objectAt, textAt } from './json.ts'

/** A constant of a plan: SQL's NULL, a value, or undefined where it is not understood. */
export type PlanConstant = { readonly value: Scalar | null } | undefined

/**
 * A constant of DuckDB's plan as a scalar of a column's type. Undefined when the types differ: a comparison after a
 * cast is another comparison.
 */
export const planConstant = (constant: Json | undefined, column: LogicalType): PlanConstant => {
  if (!isObject(constant)) return undefined
  if (constant.is_null === true) return { value: null }
  const type = planType(constant.type)
  if (!type || !sameType(type, column)) return undefined
  const value = scalarOf(type, constant.value)
  return value === undefined ? undefined : { value }
}

const planTypes: Readonly<Record<string, LogicalType>> = {
  BOOLEAN: { type: 'boolean' },
  TINYINT: { type: 'int', bits: 8, signed: true },
  SMALLINT: { type: 'int', bits: 16, signed: true },
  INTEGER: { type: 'int', bits: 32, signed: true },
  BIGINT: { type: 'int', bits: 64, signed: true },
  UTINYINT: { type: 'int', bits: 8, signed: false },
  USMALLINT: { type: 'int', bits: 16, signed: false },
  UINTEGER: { type: 'int', bits: 32, signed: false },
  UBIGINT: { type: 'int', bits: 64, signed: false },
  FLOAT: { type: 'float' },
  DOUBLE: { type: 'double' },
  VARCHAR: { type: 'string' },
  BLOB: { type: 'binary' },
  UUID: { type: 'uuid' },
  DATE: { type: 'date' },
  TIME: { type: 'time' },
  TIMESTAMP_S: { type: 'timestamp', unit: 's', zoned: false },
  TIMESTAMP_MS: { type: 'timestamp', unit: 'ms', zoned: false },
  TIMESTAMP: { type: 'timestamp', unit: 'us', zoned: false },
  TIMESTAMP_NS: { type: 'timestamp', unit: 'ns', zoned: false },
  'TIMESTAMP WITH TIME ZONE': { type: 'timestamp', unit: 'us', zoned: true },
}

const planType = (json: Json | undefined): LogicalType | undefined => {
  const id = textAt(json, 'id')
  const info = objectAt(json, 'type_info')
  if (id === 'DECIMAL' && info)
    return { type: 'decimal', precision: Number(info.width), scale: Number(info.scale) }
  // A collation or an alias (JSON, an enum) changes what a comparison means.
  if (id === undefined || info) return undefined
  return planTypes[id]
}

const scalarOf = (type: LogicalType, value: Json | undefined): Scalar | undefined => {
  switch (type.type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'float':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'binary':
      return typeof value === 'string' ? blobOf(value) : undefined
    case 'uuid':
      return isObject(value) ? uuidOf(value) : undefined
    default:
      return integerOf(value)
  }
}

const integerOf = (value: Json | undefined): bigint | undefined => {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return isObject(value) ? hugeintOf(value) : undefined
}

/** 128 bits as DuckDB writes them: a signed upper and an unsigned lower half. */
const hugeintOf = ({ upper, lower }: JsonObject): bigint | undefined => {
  const high = integerOf(upper)
  const low = integerOf(lower)
  return high === undefined || low === undefined ? undefined : (high << 64n) | low
}

/** DuckDB keeps a UUID as 128 signed bits with the top bit flipped, so that they sort like the text. */
const uuidOf = (value: JsonObject): string | undefined => {
  const bits = hugeintOf(value)
  if (bits === undefined) return undefined
  const digits = BigInt.asUintN(128, bits ^ (1n << 127n))
    .toString(16)
    .padStart(32, '0')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Bytes from DuckDB's text of a blob: printable ASCII as it is, everything else as `\xHH`. */
const blobOf = (text: string): Uint8Array | undefined => {
  if (!/^(?:\\x[0-9A-Fa-f]{2}|[\x20-\x5b\x5d-\x7e])*$/.test(text)) return undefined
  const bytes = text.replaceAll(/\\x(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return new Uint8Array(Buffer.from(bytes, 'latin1'))
}
