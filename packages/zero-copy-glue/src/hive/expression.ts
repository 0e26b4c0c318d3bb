import type { LogicalType, Predicate, Scalar } from '@penstock/core'

/** Characters of an expression that Glue takes at most. */
const maximumLength = 2048

/**
 * What Glue may leave out of GetPartitions, as its expression: those parts of the predicate that say the same there and
 * here, joined with AND. Undefined when there are none. Everything is checked once more when the partitions come.
 */
export const partitionExpression = (
  predicate: Predicate | undefined,
  keys: ReadonlyMap<string, LogicalType>,
): string | undefined => {
  if (!predicate) return undefined
  const parts: string[] = []
  for (const part of conjuncts(predicate)) {
    const text = expressionOf(part, keys)
    if (text !== undefined && [...parts, text].join(' AND ').length <= maximumLength) parts.push(text)
  }
  return parts.length === 0 ? undefined : parts.join(' AND ')
}

const conjuncts = (predicate: Predicate): readonly Predicate[] =>
  predicate.kind === 'and' ? predicate.of.flatMap(conjuncts) : [predicate]

const expressionOf = (predicate: Predicate, keys: ReadonlyMap<string, LogicalType>): string | undefined => {
  if (predicate.kind !== 'compare' && !isIn(predicate)) return undefined
  const [name, ...nested] = predicate.column
  const type = keys.get(name)
  if (!type || nested.length > 0 || !/^\w+$/.test(name)) return undefined
  if (isIn(predicate)) {
    const values = predicate.values.map((value) => literal(value, type))
    return values.includes(undefined) || values.length === 0 ? undefined : `${name} IN (${values.join(', ')})`
  }
  // Texts are ordered by collation there: only equality is sure to mean the same.
  if (type.type === 'string' && predicate.operator !== '=') return undefined
  const value = literal(predicate.value, type)
  return value === undefined ? undefined : `${name} ${predicate.operator} ${value}`
}

type In = Extract<Predicate, { readonly values: unknown }>

const isIn = (predicate: Predicate): predicate is In => predicate.kind === 'in'

const literal = (value: Scalar, type: LogicalType): string | undefined => {
  if (type.type === 'int' && typeof value === 'bigint') return String(value)
  if (type.type === 'string' && typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (type.type === 'date' && typeof value === 'bigint') {
    const date = new Date(Number(value) * 86_400_000)
    return Number.isNaN(date.getTime()) ? undefined : `'${date.toISOString().slice(0, 10)}'`
  }
  return undefined
}
