import { decimal, type LogicalType } from '@penstock/core'
import { z } from 'zod'
import { exactNumber } from './json.ts'

const decimalType = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/

/** Type of a column as the configuration spells it. */
export const columnType = z
  .string()
  .refine(
    (type) =>
      ['text', 'bigint', 'double', 'boolean', 'timestamp', 'date', 'json'].includes(type) ||
      isDecimal(decimalType.exec(type)),
    'must be text, bigint, double, decimal(p,s), boolean, timestamp, date or json',
  )

const isDecimal = (match: RegExpExecArray | null): boolean =>
  match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 38 && Number(match[2]) <= Number(match[1])

const bigintType: LogicalType = { type: 'int', bits: 64, signed: true }
const smallest = -(2n ** 63n)
const largest = 2n ** 63n - 1n

/** Schema of the values of a column; null and absent where it is no part of the key or the cursor. */
export const columnSchema = (type: string, options: { required: boolean; cursor: boolean }): z.ZodType => {
  const schema = valueSchema(type, options.cursor)
  return options.required ? schema : schema.nullish()
}

const valueSchema = (type: string, cursor: boolean): z.ZodType => {
  switch (type) {
    case 'text':
      return z.string()
    case 'bigint':
      // A saved cursor is JSON, which has no integers beyond 2^53.
      return cursor
        ? z.int().meta({ logicalType: bigintType })
        : z
            .union([z.int(), z.bigint().min(smallest).max(largest)], { error: 'must be a 64-bit integer' })
            .meta({ logicalType: bigintType })
    case 'double':
      return z.number()
    case 'boolean':
      return z.boolean()
    case 'timestamp':
      return z.iso.datetime({ offset: true })
    case 'date':
      return z.iso.date()
    case 'json':
      return z.unknown()
    default: {
      const [, precision = '18', scale = '3'] = decimalType.exec(type) ?? []
      return decimal(Number(precision), Number(scale))
    }
  }
}

/** The value of a record's field as the column takes it: exact numbers as text for decimals, as numbers elsewhere. */
export const columnValue = (value: unknown, type: string): unknown => {
  const number = exactNumber(value)
  if (number === undefined) return value
  if (type.startsWith('decimal')) return plainDecimal(number.source)
  if (type === 'double') return Number(number.source)
  if (type === 'bigint' && /^-?\d{16,}$/.test(number.source)) return BigInt(number.source)
  return number.value
}

/** A JSON number without an exponent, with every digit: `1.5e3` is `1500`. */
const plainDecimal = (source: string): string => {
  const match = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(source)
  if (!match) return source
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (Math.abs(point) > 400) return source
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0')
  const at = Math.max(point, 1)
  const rest = padded.slice(at)
  return `${sign}${padded.slice(0, at)}${rest === '' ? '' : `.${rest}`}`
}
