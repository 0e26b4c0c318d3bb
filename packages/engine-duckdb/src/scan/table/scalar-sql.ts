import type { LogicalType, Scalar } from '@penstock/core'
import { duckdbType } from '../../logical-types.ts'
import { quoteText } from '../../sql.ts'

/** SQL of a value of a type. */
export const scalarSql = (value: Scalar, type: LogicalType): string => {
  const cast = (text: string) => `${quoteText(text)}::${duckdbType(type)}`
  if (value instanceof Uint8Array) return `unhex(${quoteText(Buffer.from(value).toString('hex'))})`
  if (typeof value !== 'bigint') return cast(String(value))
  switch (type.type) {
    case 'decimal':
      return cast(decimalText(value, type.scale))
    case 'date':
      return `(DATE '1970-01-01' + ${value}::INTEGER)`
    case 'time':
      return `(TIME '00:00:00' + to_microseconds(${value}))`
    case 'timestamp': {
      if (type.zoned) return `(make_timestamp(${value}) AT TIME ZONE 'UTC')`
      const micros = { s: value * 1_000_000n, ms: value * 1_000n, us: value, ns: value }[type.unit]
      return type.unit === 'ns'
        ? `make_timestamp_ns(${value})`
        : `make_timestamp(${micros})::${duckdbType(type)}`
    }
    default:
      return cast(String(value))
  }
}

export const decimalText = (unscaled: bigint, scale: number): string => {
  if (scale === 0) return String(unscaled)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
