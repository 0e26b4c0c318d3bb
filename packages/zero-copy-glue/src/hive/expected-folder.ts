import type { LogicalType, Predicate, Scalar } from '@penstock/core'

/**
 * The folder that the partitions of a filter lie in where the table keeps to Hive's layout: `location/key=value/`, as
 * far as the leading partition columns have one value. A guess: Glue says where partitions are. Undefined where there
 * is nothing to guess, as for a table without partitions.
 */
export const expectedFolder = (
  location: string | undefined,
  keys: ReadonlyMap<string, LogicalType>,
  filter: Predicate | undefined,
): string | undefined => {
  if (location === undefined || keys.size === 0) return undefined
  const levels: string[] = []
  for (const [name, type] of keys) {
    const value = filter && onlyValueOf(name, filter)
    const text = value === undefined ? undefined : partitionText(value, type)
    if (text === undefined) break
    levels.push(`${name}=${text}`)
  }
  return [location.replace(/\/+$/, ''), ...levels, ''].join('/')
}

const onlyValueOf = (name: string, predicate: Predicate): Scalar | undefined => {
  if (predicate.kind === 'and')
    return predicate.of.map((part) => onlyValueOf(name, part)).find((value) => value !== undefined)
  const isOwn = 'column' in predicate && predicate.column.length === 1 && predicate.column[0] === name
  if (!isOwn) return undefined
  if (predicate.kind === 'compare' && predicate.operator === '=') return predicate.value
  return predicate.kind === 'in' && predicate.values.length === 1 ? predicate.values[0] : undefined
}

/** As writers put it into the path; undefined for what they escape or write in several ways. */
const partitionText = (value: Scalar, { type }: LogicalType): string | undefined => {
  if (type === 'int') return String(value)
  if (type === 'string' && typeof value === 'string') return /^[\w.-]+$/.test(value) ? value : undefined
  if (type !== 'date' || typeof value !== 'bigint') return undefined
  const date = new Date(Number(value) * 86_400_000)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().slice(0, 10)
}
