import type { LogicalType, Predicate, Scalar, TableSchema } from '@penstock/core'
import { decimalText } from './scalar-sql.ts'

/** Values of a list that are shown. */
const shownValues = 4

/** A predicate in words, for people: what a scan was pruned by. */
export const predicateText = (predicate: Predicate, schema: TableSchema): string => {
  const typeOf = (path: readonly string[]): LogicalType | undefined => {
    let type = schema.columns.find(({ name }) => name === path[0])?.type
    for (const name of path.slice(1))
      type = type?.type === 'struct' ? type.fields.find((field) => field.name === name)?.type : undefined
    return type
  }
  const list = (values: readonly Scalar[], type: LogicalType | undefined) => {
    const shown = values.slice(0, shownValues).map((value) => scalarText(value, type))
    return `(${[...shown, ...(values.length > shownValues ? [`... ${values.length} values`] : [])].join(', ')})`
  }
  const text = (part: Predicate, nested: boolean): string => {
    switch (part.kind) {
      case 'true':
      case 'false':
        return part.kind
      case 'and':
      case 'or': {
        const joined = part.of.map((child) => text(child, true)).join(` ${part.kind} `)
        return nested ? `(${joined})` : joined
      }
      case 'not':
        return `not ${text(part.of, true)}`
      default:
        return columnText(part)
    }
  }
  const columnText = (part: Extract<Predicate, { column: unknown }>): string => {
    const name = part.column.join('.')
    const type = typeOf(part.column)
    switch (part.kind) {
      case 'compare':
        return `${name} ${part.operator} ${scalarText(part.value, type)}`
      case 'in':
        return `${name} in ${list(part.values, type)}`
      case 'not-in':
        return `${name} not in ${list(part.values, type)}`
      case 'starts-with':
        return `${name} starts with '${part.prefix}'`
      case 'not-starts-with':
        return `${name} does not start with '${part.prefix}'`
      default:
        return `${name} ${{ 'is-null': 'is null', 'not-null': 'is not null', 'is-nan': 'is NaN', 'not-nan': 'is not NaN' }[part.kind]}`
    }
  }
  return text(predicate, false)
}

const perMillisecond = { s: 0.001, ms: 1, us: 1_000, ns: 1_000_000 } as const
const dayMs = 86_400_000

const scalarText = (value: Scalar, type: LogicalType | undefined): string => {
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`
  if (typeof value === 'string') return `'${value}'`
  if (typeof value !== 'bigint') return String(value)
  switch (type?.type) {
    case 'date':
      return dateText(Number(value) * dayMs)?.slice(0, 10) ?? String(value)
    case 'timestamp':
      return dateText(Number(value) / perMillisecond[type.unit]) ?? String(value)
    case 'decimal':
      return decimalText(value, type.scale)
    default:
      return String(value)
  }
}

const dateText = (ms: number): string | undefined =>
  Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : undefined
