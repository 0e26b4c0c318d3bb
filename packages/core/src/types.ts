/**
 * Types of values as connectors and engines agree on them. An engine maps them to its own:
 * DuckDB's `BIGINT` is `{ type: 'int', bits: 64 }`.
 */
export type LogicalType =
  | {
      readonly type: 'boolean' | 'string' | 'binary' | 'uuid' | 'json' | 'date' | 'time' | 'interval' | 'null'
    }
  | { readonly type: 'int'; readonly bits: 8 | 16 | 32 | 64 | 128; readonly signed: boolean }
  | { readonly type: 'float' | 'double' }
  | { readonly type: 'decimal'; readonly precision: number; readonly scale: number }
  /** `zoned`: an instant in UTC; otherwise wall-clock time without a zone. */
  | { readonly type: 'timestamp'; readonly unit: 's' | 'ms' | 'us' | 'ns'; readonly zoned: boolean }
  | { readonly type: 'list'; readonly element: LogicalType }
  | {
      readonly type: 'struct'
      readonly fields: readonly { readonly name: string; readonly type: LogicalType }[]
    }
  | { readonly type: 'map'; readonly key: LogicalType; readonly value: LogicalType }
  /** A type of the engine or the file that has no name here; kept as text in `name`. */
  | { readonly type: 'other'; readonly name: string }

export interface Column {
  readonly name: string
  readonly type: LogicalType
  readonly nullable: boolean
  readonly description?: string
}

export interface TableSchema {
  readonly columns: readonly Column[]
  /** Names of the columns that identify a row. */
  readonly key?: readonly string[]
  /** Name of the column that never decreases, by which new rows are found. */
  readonly cursor?: string
}

export const bigint: LogicalType = { type: 'int', bits: 64, signed: true }
export const text: LogicalType = { type: 'string' }

/** The type in words that SQL users know: `bigint`, `decimal(18,2)`, `timestamp with time zone`, `list(text)`. */
export const describeType = (type: LogicalType): string => {
  switch (type.type) {
    case 'int': {
      const names = { 8: 'tinyint', 16: 'smallint', 32: 'integer', 64: 'bigint', 128: 'hugeint' } as const
      return type.signed ? names[type.bits] : `u${names[type.bits]}`
    }
    case 'string':
      return 'text'
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'timestamp': {
      const unit = type.unit === 'us' ? '' : `(${type.unit})`
      return `timestamp${unit}${type.zoned ? ' with time zone' : ''}`
    }
    case 'list':
      return `list(${describeType(type.element)})`
    case 'struct':
      return `struct(${type.fields.map((field) => `${field.name} ${describeType(field.type)}`).join(', ')})`
    case 'map':
      return `map(${describeType(type.key)}, ${describeType(type.value)})`
    case 'other':
      return type.name
    default:
      return type.type
  }
}

export const sameType = (a: LogicalType, b: LogicalType): boolean => describeType(a) === describeType(b)
