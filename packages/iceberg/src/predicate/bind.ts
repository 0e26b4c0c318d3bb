import type { ColumnPath, Comparison, Predicate, Scalar } from '@penstock/core'
import { type IcebergSchema, isPrimitive, type NestedField, type PrimitiveType } from '../types.ts'
import { uuidFromText, type Value } from '../values/value.ts'
import { allOf, anyOf, type BoundPredicate } from './bound.ts'

/**
 * Binds a predicate to a schema. A condition on a column that the schema lacks, or with a value of another type, is
 * `unknown`: it stays with the engine.
 */
export const bindPredicate = (predicate: Predicate, schema: IcebergSchema): BoundPredicate =>
  bind(predicate, schema, false)

const opposites: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
}

const negations = {
  in: 'not-in',
  'not-in': 'in',
  'is-null': 'not-null',
  'not-null': 'is-null',
  'is-nan': 'not-nan',
  'not-nan': 'is-nan',
  'starts-with': 'not-starts-with',
  'not-starts-with': 'starts-with',
} as const

const unknown: BoundPredicate = { kind: 'unknown' }

/** `negate`: whether the predicate stands under an odd number of NOTs. A comparison with null passes neither way. */
const bind = (predicate: Predicate, schema: IcebergSchema, negate: boolean): BoundPredicate => {
  switch (predicate.kind) {
    case 'true':
    case 'false':
      return { kind: (predicate.kind === 'true') === negate ? 'false' : 'true' }
    case 'not':
      return bind(predicate.of, schema, !negate)
    case 'and':
    case 'or': {
      const parts = predicate.of.map((part) => bind(part, schema, negate))
      return (predicate.kind === 'and') === negate ? anyOf(parts) : allOf(parts)
    }
  }
  const field = primitiveAt(schema, predicate.column)
  if (!field) return unknown
  const fieldId = field.id
  switch (predicate.kind) {
    case 'compare': {
      const value = bindValue(predicate.value, field.type)
      const operator = negate ? opposites[predicate.operator] : predicate.operator
      return value === undefined ? unknown : { kind: 'compare', fieldId, operator, value }
    }
    case 'in':
    case 'not-in': {
      const values: Value[] = []
      for (const item of predicate.values) {
        const value = bindValue(item, field.type)
        if (value === undefined) return unknown
        values.push(value)
      }
      const kind = negate ? negations[predicate.kind] : predicate.kind
      if (values.length === 0) return kind === 'in' ? { kind: 'false' } : unknown
      return { kind, fieldId, values }
    }
    case 'starts-with':
    case 'not-starts-with':
      if (field.type.type !== 'string') return unknown
      return {
        kind: negate ? negations[predicate.kind] : predicate.kind,
        fieldId,
        prefix: predicate.prefix,
      }
    default:
      return { kind: negate ? negations[predicate.kind] : predicate.kind, fieldId }
  }
}

interface PrimitiveField extends NestedField {
  readonly type: PrimitiveType
}

/** The field at a path through structs; lists and maps have many values a row and end it. */
const primitiveAt = (schema: IcebergSchema, path: ColumnPath): PrimitiveField | undefined => {
  let fields: readonly NestedField[] = schema.fields
  let found: NestedField | undefined
  for (const name of path) {
    found = fields.find((field) => field.name === name)
    if (!found) return undefined
    fields = found.type.type === 'struct' ? found.type.fields : []
  }
  return found && isPrimitive(found.type) ? { ...found, type: found.type } : undefined
}

/** A scalar as a value of the type; undefined where it is none. */
const bindValue = (scalar: Scalar, type: PrimitiveType): Value | undefined => {
  switch (type.type) {
    case 'boolean':
      return typeof scalar === 'boolean' ? scalar : undefined
    case 'float':
      // Whether another number is rounded before it is compared is the engine's affair.
      return typeof scalar === 'number' && Object.is(Math.fround(scalar), scalar) ? scalar : undefined
    case 'double':
      return typeof scalar === 'number' ? scalar : undefined
    case 'string':
      return typeof scalar === 'string' ? scalar : undefined
    case 'uuid':
      return typeof scalar === 'string' ? uuidFromText(scalar) : undefined
    case 'binary':
    case 'fixed':
      return scalar instanceof Uint8Array ? scalar : undefined
    case 'unknown':
    case 'unsupported':
      return undefined
    default:
      return typeof scalar === 'bigint' ? scalar : undefined
  }
}
