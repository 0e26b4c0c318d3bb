import type { Column, LogicalType, TableSchema } from '@penstock/core'
import {
  type IcebergSchema,
  type IcebergType,
  isPrimitive,
  type NestedField,
  type PrimitiveType,
} from '../types.ts'
import type { TableMetadata } from './table-metadata.ts'

/** All fields of a schema, nested ones too, by id. */
const fieldsById = (schema: IcebergSchema): ReadonlyMap<number, NestedField> => {
  const fields = new Map<number, NestedField>()
  const add = (field: NestedField): void => {
    fields.set(field.id, field)
    for (const child of childrenOf(field.type)) add(child)
  }
  schema.fields.forEach(add)
  return fields
}

export const childrenOf = (type: IcebergType): readonly NestedField[] => {
  switch (type.type) {
    case 'struct':
      return type.fields
    case 'list':
      return [type.element]
    case 'map':
      return [type.key, type.value]
    default:
      return []
  }
}

/** The primitive types of a schema by field id; a field that only older schemas know has its latest type there. */
export const primitiveTypes = (
  metadata: TableMetadata,
  schema: IcebergSchema,
): ((fieldId: number) => PrimitiveType | undefined) => {
  const current = fieldsById(schema)
  return (fieldId) => {
    const type = (current.get(fieldId) ?? fieldOfAnySchema(metadata, fieldId))?.type
    return type && isPrimitive(type) ? type : undefined
  }
}

/** A field by id, from the newest schema that has it: dropped columns live on in deletes and partitions. */
export const fieldOfAnySchema = (metadata: TableMetadata, fieldId: number): NestedField | undefined => {
  for (const schema of metadata.schemas.toSorted((a, b) => b.schemaId - a.schemaId)) {
    const found = fieldsById(schema).get(fieldId)
    if (found) return found
  }
  return undefined
}

/** The schema in the terms of all connectors. */
export const tableSchemaOf = (schema: IcebergSchema): TableSchema => {
  const fields = fieldsById(schema)
  const key = schema.identifierFieldIds.map((id) => fields.get(id)?.name)
  return {
    columns: schema.fields.map(columnOf),
    ...(key.length > 0 && key.every((name) => name !== undefined) ? { key } : {}),
  }
}

const columnOf = (field: NestedField): Column => ({
  name: field.name,
  type: logicalTypeOf(field.type),
  nullable: !field.required,
  ...(field.doc === undefined ? {} : { description: field.doc }),
})

export const logicalTypeOf = (type: IcebergType): LogicalType => {
  switch (type.type) {
    case 'boolean':
    case 'float':
    case 'double':
    case 'date':
    case 'time':
    case 'string':
    case 'uuid':
    case 'binary':
      return { type: type.type }
    case 'int':
      return { type: 'int', bits: 32, signed: true }
    case 'long':
      return { type: 'int', bits: 64, signed: true }
    case 'decimal':
      return { type: 'decimal', precision: type.precision, scale: type.scale }
    case 'timestamp':
    case 'timestamptz':
      return { type: 'timestamp', unit: 'us', zoned: type.type === 'timestamptz' }
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return { type: 'timestamp', unit: 'ns', zoned: type.type === 'timestamptz_ns' }
    case 'fixed':
      return { type: 'binary' }
    case 'unknown':
      return { type: 'null' }
    case 'unsupported':
      return { type: 'other', name: type.name }
    case 'list':
      return { type: 'list', element: logicalTypeOf(type.element.type) }
    case 'map':
      return { type: 'map', key: logicalTypeOf(type.key.type), value: logicalTypeOf(type.value.type) }
    case 'struct':
      return {
        type: 'struct',
        fields: type.fields.map((field) => ({ name: field.name, type: logicalTypeOf(field.type) })),
      }
  }
}
