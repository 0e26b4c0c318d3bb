import type { DecodedValue, LogicalType, TableSchema } from '@penstock/core'
import type { FixtureRow, FixtureValue } from '@penstock/iceberg-fixtures'
import type { Row } from './engine.ts'

/** Rows in the form of the fixtures' expected rows, in a fixed order. */
export const canonicalRows = (rows: readonly Row[], schema: TableSchema): FixtureRow[] =>
  sortRows(
    rows.map((row) =>
      Object.fromEntries(schema.columns.map(({ name, type }) => [name, canonical(row[name] ?? null, type)])),
    ),
  )

export const sortRows = (rows: readonly FixtureRow[]): FixtureRow[] =>
  rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const canonical = (value: DecodedValue, type: LogicalType): FixtureValue => {
  if (value === null) return null
  switch (type.type) {
    case 'float':
    case 'double':
      return Number.isFinite(value) ? (value as number) : String(value)
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'date':
      return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
    case 'time':
      return new Date(Number((value as bigint) / 1000n)).toISOString().slice(11, 19) + micros(value as bigint)
    case 'timestamp': {
      const us = value as bigint
      const ms = Number((us - (((us % 1000n) + 1000n) % 1000n)) / 1000n)
      return new Date(ms).toISOString().slice(0, 19) + micros(us) + (type.zoned ? 'Z' : '')
    }
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex')
    case 'list':
      return (value as DecodedValue[]).map((item) => canonical(item, type.element))
    case 'map':
      return (value as [DecodedValue, DecodedValue][]).map(([key, item]) => [
        canonical(key, type.key),
        canonical(item, type.value),
      ])
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          canonical((value as Record<string, DecodedValue>)[field.name] ?? null, field.type),
        ]),
      )
    default:
      return typeof value === 'bigint' ? String(value) : (value as FixtureValue)
  }
}

const micros = (us: bigint): string =>
  `.${String(((us % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0')}`

const decimalText = (unscaled: bigint, scale: number): string => {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`
}
