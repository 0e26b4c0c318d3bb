import { ConnectorError } from '@penstock/core'

/**
 * A value as a literal of standard SQL: what a reference inside the SQL of a step becomes, so that no value can change
 * the statement. Objects and lists become their JSON as text.
 */
export const sqlLiteral = (value: unknown): string => {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (!text.includes('\0')) return `'${text.replaceAll("'", "''")}'`
  throw new ConnectorError('data', 'A text with a NUL character can not stand in SQL.', {
    code: 'InvalidSql',
  })
}
