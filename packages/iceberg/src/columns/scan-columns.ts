import type { ColumnPath, ColumnSource, Scalar, ScanColumn } from '@penstock/core'
import { ConnectorError, nearest } from '@penstock/core'
import { unsupported } from '../errors.ts'
import { childrenOf, logicalTypeOf } from '../metadata/fields.ts'
import type { NameMapping } from '../metadata/name-mapping.ts'
import type { PartitionSpec } from '../metadata/spec.ts'
import type { IcebergSchema, NestedField } from '../types.ts'
import { initialDefault } from '../values/default.ts'
import { uuidToText, type Value } from '../values/value.ts'

/** The fields that a request asks for, each with the parts that it needs. */
export const requestedFields = (
  schema: IcebergSchema,
  paths: readonly ColumnPath[],
): readonly NestedField[] => {
  const byName = new Map<string, string[][]>()
  for (const [name, ...rest] of paths) byName.set(name, [...(byName.get(name) ?? []), rest])
  return [...byName].map(([name, rests]) => {
    const field = schema.fields.find((candidate) => candidate.name === name)
    if (!field) throw unknownColumn(schema, name)
    return narrow(field, rests)
  })
}

const unknownColumn = (schema: IcebergSchema, name: string): ConnectorError => {
  const names = schema.fields.map((field) => field.name)
  const close = nearest(name, names)
  return new ConnectorError('not-found', `The table has no column "${name}".`, {
    hint: close ? `Did you mean "${close}"?` : `Columns: ${names.join(', ')}.`,
  })
}

/** The field with only the struct fields on the paths; a path that ends here takes all of it. */
const narrow = (field: NestedField, paths: readonly (readonly string[])[]): NestedField => {
  if (field.type.type !== 'struct' || paths.some((path) => path.length === 0)) return field
  const fields = field.type.fields.flatMap((child) => {
    const deeper = paths.filter(([name]) => name === child.name).map(([, ...rest]) => rest)
    return deeper.length > 0 ? [narrow(child, deeper)] : []
  })
  return fields.length > 0 ? { ...field, type: { type: 'struct', fields } } : field
}

/** What the columns of a file depend on beside the schema. */
export interface FileColumns {
  readonly spec: PartitionSpec | undefined
  readonly partition: Readonly<Record<number, Value | null>>
  readonly nameMapping: NameMapping | undefined
}

/**
 * How a field comes from a file, after https://iceberg.apache.org/spec/#column-projection: the value of its identity
 * partition, else the field by id, else by the names of the mapping, else its initial default, else null.
 */
export const scanColumn = (field: NestedField, file: FileColumns): ScanColumn => {
  const { type } = field
  if (type.type === 'unsupported')
    throw unsupported(
      `Column "${field.name}" of type ${type.name}`,
      'Leave the column out of the query: name the columns instead of *.',
    )
  const children = childrenOf(type)
  return {
    name: field.name,
    type: logicalTypeOf(type),
    source: sourceOf(field, file),
    ...(children.length > 0 ? { children: children.map((child) => scanColumn(child, file)) } : {}),
  }
}

const sourceOf = (field: NestedField, file: FileColumns): ColumnSource => {
  if (field.type.type === 'unknown') return { from: 'constant', value: null }
  const constant = identityValue(field, file)
  if (constant !== undefined) return { from: 'constant', value: constant }
  const names = file.nameMapping?.get(field.id)
  const absent = initialDefault(field)
  return {
    from: 'field-id',
    id: field.id,
    ...(names === undefined ? {} : { names }),
    ...(absent === null ? {} : { absent }),
  }
}

const identityValue = (field: NestedField, { spec, partition }: FileColumns): Scalar | null | undefined => {
  const identity = spec?.fields.find(
    ({ transform, sourceIds }) => transform.kind === 'identity' && sourceIds[0] === field.id,
  )
  const value = identity && partition[identity.fieldId]
  return field.type.type === 'uuid' && value instanceof Uint8Array ? uuidToText(value) : value
}
