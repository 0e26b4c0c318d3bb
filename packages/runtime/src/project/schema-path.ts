import type { z } from 'zod'

/** The parts of zod's definitions that are read here. Read by name, not by class: a connector may bring its own zod. */
interface Definition {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly out?: z.ZodType
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
  readonly items?: readonly z.ZodType[]
}

/** What a schema says about one field: its schema, that anything may be there, or that there is no such field. */
export type FieldOfSchema =
  | { readonly is: 'schema'; readonly schema: z.ZodType }
  | { readonly is: 'anything' }
  | { readonly is: 'missing'; readonly known: readonly string[] }

const anything: FieldOfSchema = { is: 'anything' }
const wrappers = new Set(['optional', 'nullable', 'default', 'prefault', 'readonly', 'catch', 'nonoptional'])
const leaves = new Set([
  'string',
  'number',
  'int',
  'bigint',
  'boolean',
  'enum',
  'literal',
  'null',
  'undefined',
  'date',
  'template_literal',
])

/** The field of what a schema takes (`input`) or gives (`output`), as far as the schema tells. */
export const fieldOfSchema = (
  schema: z.ZodType,
  key: string | number,
  side: 'input' | 'output',
): FieldOfSchema => {
  const definition = schema._zod.def as unknown as Definition
  const inner = definition.type === 'pipe' ? (side === 'input' ? definition.in : definition.out) : undefined
  const next = wrappers.has(definition.type) ? definition.innerType : inner
  if (next) return fieldOfSchema(next, key, side)
  if (definition.type === 'object') {
    const shape = definition.shape ?? {}
    const field = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (field) return { is: 'schema', schema: field }
    const open = definition.catchall !== undefined && definition.catchall._zod.def.type !== 'never'
    return open ? anything : { is: 'missing', known: Object.keys(shape) }
  }
  if (definition.type === 'record' && definition.valueType)
    return { is: 'schema', schema: definition.valueType }
  if (definition.type === 'array' && definition.element)
    return typeof key === 'number'
      ? { is: 'schema', schema: definition.element }
      : { is: 'missing', known: ['[0]'] }
  if (definition.type === 'union')
    return firstOf((definition.options ?? []).map((option) => fieldOfSchema(option, key, side)))
  return leaves.has(definition.type) ? { is: 'missing', known: [] } : anything
}

const firstOf = (fields: readonly FieldOfSchema[]): FieldOfSchema =>
  fields.find((field) => field.is === 'schema') ??
  fields.find((field) => field.is === 'anything') ?? {
    is: 'missing',
    known: fields.flatMap((field) => (field.is === 'missing' ? field.known : [])),
  }

/** Names of the fields of the object at a path inside what a schema takes; none where it is no object of known fields. */
export const fieldNamesAt = (schema: z.ZodType, path: readonly (string | number)[]): readonly string[] => {
  let current = schema
  for (const part of path) {
    const field = fieldOfSchema(current, part, 'input')
    if (field.is !== 'schema') return []
    current = field.schema
  }
  // A name that no object has: the answer lists those that it has.
  const field = fieldOfSchema(current, '', 'input')
  return field.is === 'missing' ? field.known : []
}
