import type { LogicalType } from '@penstock/core'
import { toJson } from '../output.ts'

/** A value of a query as text, for a table or CSV; null is undefined. Numbers keep all their digits. */
export const valueText = (value: unknown, type: LogicalType): string | undefined => {
  if (value === null || value === undefined) return undefined
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return hex(value)
  return typeof value === 'object' ? jsonText(value, type) : String(value)
}

/**
 * A value of a query as JSON text. Decimals and integers beyond 2^53 are numbers with all their digits, JSON columns
 * are what they hold, bytes are hexadecimal text.
 */
export const jsonText = (value: unknown, type: LogicalType): string => {
  if (value === null || value === undefined) return 'null'
  if (type.type === 'decimal' && /^-?\d+(\.\d+)?$/.test(String(value))) return String(value)
  if (type.type === 'json' && typeof value === 'string') return value
  if (value instanceof Uint8Array) return JSON.stringify(hex(value))
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value))
  if (Array.isArray(value)) {
    const element = type.type === 'list' ? type.element : unknownType
    return `[${value.map((entry) => jsonText(entry, element)).join(',')}]`
  }
  if (value instanceof Map) {
    const entry = type.type === 'map' ? type.value : unknownType
    return objectText([...value].map(([key, item]) => [String(key), jsonText(item, entry)]))
  }
  if (typeof value === 'object' && !(value instanceof Date))
    return objectText(
      Object.entries(value).map(([name, item]) => [name, jsonText(item, fieldType(type, name))]),
    )
  return toJson(value, 0)
}

/** A row as one JSON object; a name that comes twice gets a number, as JSON would lose the first. */
export const rowText = (
  columns: readonly { readonly name: string; readonly type: LogicalType }[],
  row: readonly unknown[],
): string => {
  const used = new Set<string>()
  return objectText(
    columns.map(({ name, type }, index) => {
      let unique = name
      for (let count = 1; used.has(unique); count++) unique = `${name}_${count}`
      used.add(unique)
      return [unique, jsonText(row[index], type)]
    }),
  )
}

const unknownType: LogicalType = { type: 'other', name: '' }

const fieldType = (type: LogicalType, name: string): LogicalType =>
  (type.type === 'struct' ? type.fields.find((field) => field.name === name)?.type : undefined) ?? unknownType

const objectText = (entries: readonly (readonly [string, string])[]): string =>
  `{${entries.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`

const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`

/** One line of CSV (RFC 4180): null is empty, an empty text is quoted. */
export const csvLine = (values: readonly (string | undefined)[]): string =>
  values
    .map((value) => {
      if (value === undefined) return ''
      return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
    })
    .join(',')
