import {
  DuckDBArrayType,
  type DuckDBConnection,
  DuckDBDecimalType,
  DuckDBEnumType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api'
import type { Column, LogicalType } from '@penstock/core'
import { quoteIdentifier, quoteText } from './sql.ts'

const timestampNames = { s: 'TIMESTAMP_S', ms: 'TIMESTAMP_MS', us: 'TIMESTAMP', ns: 'TIMESTAMP_NS' } as const
const intNames = { 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT', 128: 'HUGEINT' } as const

/** DuckDB's SQL for a logical type. Instants have microseconds: DuckDB knows no other unit for them. */
export const duckdbType = (type: LogicalType): string => {
  switch (type.type) {
    case 'boolean':
      return 'BOOLEAN'
    case 'string':
    case 'null':
      return 'VARCHAR'
    case 'binary':
      return 'BLOB'
    case 'int':
      return type.signed ? intNames[type.bits] : `U${intNames[type.bits]}`
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'timestamp':
      return type.zoned ? 'TIMESTAMP WITH TIME ZONE' : timestampNames[type.unit]
    case 'list':
      return `${duckdbType(type.element)}[]`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoteIdentifier(field.name)} ${duckdbType(field.type)}`).join(', ')})`
    case 'map':
      return `MAP(${duckdbType(type.key)}, ${duckdbType(type.value)})`
    case 'other':
      return type.name
    default:
      return type.type.toUpperCase()
  }
}

const simpleTypes: Partial<Record<DuckDBTypeId, LogicalType>> = {
  [DuckDBTypeId.BOOLEAN]: { type: 'boolean' },
  [DuckDBTypeId.TINYINT]: { type: 'int', bits: 8, signed: true },
  [DuckDBTypeId.SMALLINT]: { type: 'int', bits: 16, signed: true },
  [DuckDBTypeId.INTEGER]: { type: 'int', bits: 32, signed: true },
  [DuckDBTypeId.BIGINT]: { type: 'int', bits: 64, signed: true },
  [DuckDBTypeId.HUGEINT]: { type: 'int', bits: 128, signed: true },
  [DuckDBTypeId.UTINYINT]: { type: 'int', bits: 8, signed: false },
  [DuckDBTypeId.USMALLINT]: { type: 'int', bits: 16, signed: false },
  [DuckDBTypeId.UINTEGER]: { type: 'int', bits: 32, signed: false },
  [DuckDBTypeId.UBIGINT]: { type: 'int', bits: 64, signed: false },
  [DuckDBTypeId.UHUGEINT]: { type: 'int', bits: 128, signed: false },
  [DuckDBTypeId.FLOAT]: { type: 'float' },
  [DuckDBTypeId.DOUBLE]: { type: 'double' },
  [DuckDBTypeId.BLOB]: { type: 'binary' },
  [DuckDBTypeId.DATE]: { type: 'date' },
  [DuckDBTypeId.TIME]: { type: 'time' },
  [DuckDBTypeId.INTERVAL]: { type: 'interval' },
  [DuckDBTypeId.UUID]: { type: 'uuid' },
  [DuckDBTypeId.SQLNULL]: { type: 'null' },
  [DuckDBTypeId.TIMESTAMP]: { type: 'timestamp', unit: 'us', zoned: false },
  [DuckDBTypeId.TIMESTAMP_S]: { type: 'timestamp', unit: 's', zoned: false },
  [DuckDBTypeId.TIMESTAMP_MS]: { type: 'timestamp', unit: 'ms', zoned: false },
  [DuckDBTypeId.TIMESTAMP_NS]: { type: 'timestamp', unit: 'ns', zoned: false },
  [DuckDBTypeId.TIMESTAMP_TZ]: { type: 'timestamp', unit: 'us', zoned: true },
}

/** The logical type of a DuckDB type. What has no name there keeps DuckDB's SQL in `other`. */
export const logicalType = (type: DuckDBType): LogicalType => {
  if (type.typeId === DuckDBTypeId.VARCHAR) {
    if (type.alias === undefined) return { type: 'string' }
    return type.alias === 'JSON' ? { type: 'json' } : { type: 'other', name: type.alias }
  }
  if (type instanceof DuckDBDecimalType) return { type: 'decimal', precision: type.width, scale: type.scale }
  if (type instanceof DuckDBListType) return { type: 'list', element: logicalType(type.valueType) }
  if (type instanceof DuckDBMapType)
    return { type: 'map', key: logicalType(type.keyType), value: logicalType(type.valueType) }
  if (type instanceof DuckDBStructType)
    return {
      type: 'struct',
      fields: type.entryNames.map((name, index) => ({
        name,
        type: logicalType(type.entryTypes[index] as DuckDBType),
      })),
    }
  if (type instanceof DuckDBArrayType)
    return { type: 'other', name: `${duckdbType(logicalType(type.valueType))}[${type.length}]` }
  if (type instanceof DuckDBEnumType)
    return { type: 'other', name: type.alias ?? `ENUM(${type.values.map(quoteText).join(', ')})` }
  return simpleTypes[type.typeId] ?? { type: 'other', name: type.toString() }
}

/**
 * Columns of a query, without running it. DuckDB does not tell nullability of a query: `nullable` is true; a
 * table's NOT NULL constraints are in `duckdb_columns()`.
 */
export const columnsOf = async (connection: DuckDBConnection, sql: string): Promise<readonly Column[]> => {
  const statement = await connection.prepare(sql)
  try {
    return Array.from({ length: statement.columnCount }, (_, index) => ({
      name: statement.columnName(index),
      type: logicalType(statement.columnType(index)),
      nullable: true,
    }))
  } finally {
    statement.destroySync()
  }
}
