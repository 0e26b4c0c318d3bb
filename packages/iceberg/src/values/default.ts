import type { Scalar } from '@penstock/core'
import { unsupported } from '../errors.ts'
import { describeIcebergType, type NestedField } from '../types.ts'
import { uuidFromText, uuidToText } from './value.ts'

/**
 * The initial default of a field, from its JSON (https://iceberg.apache.org/spec/#json-single-value-serialization):
 * what rows of files hold that were written before the field was added. Null where there is none.
 */
export const initialDefault = (field: NestedField): Scalar | null => {
  const json = field.initialDefault
  if (json === undefined || json === null) return null
  const value = parseDefault(field, json)
  if (value !== undefined) return value
  throw unsupported(
    `The default of column "${field.name}" (${describeIcebergType(field.type)})`,
    'Leave the column out of the query.',
  )
}

const parseDefault = (field: NestedField, json: unknown): Scalar | undefined => {
  const { type } = field
  switch (type.type) {
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined
    case 'int':
    case 'long':
      return typeof json === 'bigint' || Number.isSafeInteger(json)
        ? BigInt(json as number | bigint)
        : undefined
    case 'float':
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint' ? Number(json) : undefined
  }
  if (typeof json !== 'string') return undefined
  switch (type.type) {
    case 'string':
      return json
    case 'decimal':
      return parseDecimal(json, type.scale)
    case 'date':
      return daysOf(json)
    case 'time':
      return timeOf(json, 6)
    case 'timestamp':
    case 'timestamptz':
      return timestampOf(json, 6)
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return timestampOf(json, 9)
    case 'uuid': {
      const bytes = uuidFromText(json)
      return bytes && uuidToText(bytes)
    }
    case 'fixed':
    case 'binary':
      return /^([0-9a-f]{2})*$/i.test(json) ? Uint8Array.from(json.match(/../g) ?? [], fromHex) : undefined
    default:
      return undefined
  }
}

const fromHex = (digits: string): number => Number.parseInt(digits, 16)

/** The unscaled integer; `1E+2` style texts of old writers are none. */
const parseDecimal = (text: string, scale: number): bigint | undefined => {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', fraction = ''] = match
  if (/[1-9]/.test(fraction.slice(scale))) return undefined
  const digits = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  return sign ? -digits : digits
}

const daysOf = (text: string): bigint | undefined => {
  const match = /^([+-]?\d{4,6})-(\d\d)-(\d\d)$/.exec(text)
  const ms = match ? Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) : Number.NaN
  // Years below 100 would be taken for 19xx.
  return Number.isNaN(ms) || Number(match?.[1]) < 100 ? undefined : BigInt(ms / 86_400_000)
}

const timeOf = (text: string, digits: number): bigint | undefined => {
  const match = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(text)
  if (!match) return undefined
  const seconds = Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3] ?? 0)
  return (
    BigInt(seconds) * 10n ** BigInt(digits) + BigInt((match[4] ?? '').padEnd(digits, '0').slice(0, digits))
  )
}

const timestampOf = (text: string, digits: number): bigint | undefined => {
  const match = /^(.+)T([\d:.]+)(?:Z|\+00:00)?$/.exec(text)
  const days = daysOf(match?.[1] ?? '')
  const time = timeOf(match?.[2] ?? '', digits)
  return days === undefined || time === undefined ? undefined : days * 86_400n * 10n ** BigInt(digits) + time
}
