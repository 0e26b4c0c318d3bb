import { toJson } from '@penstock/command-kit'

/** A value of a query as text, for a table or CSV; null is undefined. Numbers keep all their digits. */
export const valueText = (value: unknown): string | undefined => {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object') return toJson(plainValue(value), 0)
  return String(value)
}

/** A value of a query as plain data for JSON. */
export const plainValue = (value: unknown): unknown => {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, entry]) => [String(key), plainValue(entry)]))
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value === 'object' && value !== null && !('toJSON' in value))
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainValue(entry)]))
  return value
}

/** One line of CSV (RFC 4180): null is empty, an empty text is quoted. */
export const csvLine = (values: readonly (string | undefined)[]): string =>
  values
    .map((value) => {
      if (value === undefined) return ''
      return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
    })
    .join(',')
