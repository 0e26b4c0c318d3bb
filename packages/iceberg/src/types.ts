/** Types of Iceberg, https://iceberg.apache.org/spec/#schemas-and-data-types. */
export type PrimitiveType =
  | {
      readonly type:
        | 'boolean'
        | 'int'
        | 'long'
        | 'float'
        | 'double'
        | 'date'
        | 'time'
        | 'timestamp'
        | 'timestamptz'
        | 'timestamp_ns'
        | 'timestamptz_ns'
        | 'string'
        | 'uuid'
        | 'binary'
        | 'unknown'
    }
  | { readonly type: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly type: 'fixed'; readonly length: number }
  /** A type of a later format, or one that no reader here knows: kept by name, refused when it is read. */
  | { readonly type: 'unsupported'; readonly name: string }

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly NestedField[]
}
export interface ListType {
  readonly type: 'list'
  readonly element: NestedField
}
export interface MapType {
  readonly type: 'map'
  readonly key: NestedField
  readonly value: NestedField
}
export type IcebergType = PrimitiveType | StructType | ListType | MapType

export interface NestedField {
  readonly id: number
  /** Name in its struct; `element`, `key` and `value` in lists and maps. */
  readonly name: string
  readonly required: boolean
  readonly type: IcebergType
  readonly doc?: string
  /** v3: what files without the field hold, as the JSON of the metadata. */
  readonly initialDefault?: unknown
}

/** A schema of the table, by id. */
export interface IcebergSchema {
  readonly schemaId: number
  readonly fields: readonly NestedField[]
  readonly identifierFieldIds: readonly number[]
}

export const isPrimitive = (type: IcebergType): type is PrimitiveType =>
  type.type !== 'struct' && type.type !== 'list' && type.type !== 'map'

/** The type as the specification writes it: `decimal(9, 2)`, `list<long>`. */
export const describeIcebergType = (type: IcebergType): string => {
  switch (type.type) {
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'fixed':
      return `fixed[${type.length}]`
    case 'unsupported':
      return type.name
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${describeIcebergType(field.type)}`).join(', ')}>`
    case 'list':
      return `list<${describeIcebergType(type.element.type)}>`
    case 'map':
      return `map<${describeIcebergType(type.key.type)}, ${describeIcebergType(type.value.type)}>`
    default:
      return type.type
  }
}
