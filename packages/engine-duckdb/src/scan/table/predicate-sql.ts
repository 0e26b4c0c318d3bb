import type { ColumnPath, LogicalType, Predicate, ScanColumn } from '@penstock/core'
import { quoteIdentifier, quoteText } from '../../sql.ts'
import { scalarSql } from './scalar-sql.ts'

/** Types whose values compare in SQL as they do in predicates. */
const comparable: ReadonlySet<string> = new Set([
  'boolean',
  'int',
  'float',
  'double',
  'decimal',
  'string',
  'uuid',
  'binary',
  'date',
  'timestamp',
])

/** SQL that is true of every row that a predicate is true of, and of few others; undefined where all rows remain. */
export const predicateSql = (predicate: Predicate, columns: readonly ScanColumn[]): string | undefined => {
  switch (predicate.kind) {
    case 'true':
    case 'not':
      return undefined
    case 'false':
      return 'false'
    case 'and': {
      const parts = predicate.of
        .map((part) => predicateSql(part, columns))
        .filter((part) => part !== undefined)
      return parts.length === 0 ? undefined : `(${parts.join(' AND ')})`
    }
    case 'or': {
      const parts = predicate.of.map((part) => predicateSql(part, columns))
      return parts.includes(undefined) || parts.length === 0 ? undefined : `(${parts.join(' OR ')})`
    }
    default: {
      const type = typeAt(predicate.column, columns)
      if (!type || !comparable.has(type.type)) return undefined
      return leafSql(predicate, predicate.column.map(quoteIdentifier).join('.'), type)
    }
  }
}

type Leaf = Extract<Predicate, { readonly column: ColumnPath }>

/** Only what is likely to leave most rows out: to look for rows that are not null would cost more than it saves. */
const leafSql = (leaf: Leaf, column: string, type: LogicalType): string | undefined => {
  switch (leaf.kind) {
    case 'compare':
      return leaf.operator === '<>' ? undefined : `${column} ${leaf.operator} ${scalarSql(leaf.value, type)}`
    case 'in':
      return `${column} IN (${leaf.values.map((value) => scalarSql(value, type)).join(', ')})`
    case 'is-null':
      return `${column} IS NULL`
    case 'is-nan':
      return `isnan(${column})`
    case 'starts-with':
      return type.type === 'string' ? `starts_with(${column}, ${quoteText(leaf.prefix)})` : undefined
    default:
      return undefined
  }
}

const typeAt = (
  [name, ...rest]: readonly string[],
  columns: readonly ScanColumn[],
): LogicalType | undefined => {
  const column = columns.find((candidate) => candidate.name === name)
  return column && rest.length > 0 ? typeAt(rest, column.children ?? []) : column?.type
}
