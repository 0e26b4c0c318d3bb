import { itemsOf, type JsonSpan, type JsonValue, membersOf, parseSpan } from '../json/scanner.ts'
import type { IcebergSchema, IcebergType, NestedField } from '../types.ts'
import { arrayAt, integerAt, type JsonObject, objectOf, optionalAt, stringAt } from './json-access.ts'

const simple = new Set([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
  'unknown',
] as const)
type Simple = typeof simple extends Set<infer Name> ? Name : never
const isSimple = (name: string): name is Simple => simple.has(name as Simple)

/** A type from its text or object in the metadata. Types that are not known are kept by name. */
const parseType = (json: JsonValue | undefined): IcebergType => {
  if (typeof json === 'string') return parsePrimitive(json)
  const object = objectOf(json, 'a type')
  switch (object.type) {
    case 'struct':
      return { type: 'struct', fields: arrayAt(object, 'fields').map(parseField) }
    case 'list':
      return { type: 'list', element: nested(object, 'element') }
    case 'map':
      return {
        type: 'map',
        key: { id: integerAt(object, 'key-id'), name: 'key', required: true, type: parseType(object.key) },
        value: nested(object, 'value'),
      }
    default:
      return { type: 'unsupported', name: String(object.type) }
  }
}

const parsePrimitive = (text: string): IcebergType => {
  if (isSimple(text)) return { type: text }
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(text)
  if (decimal) return { type: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  const fixed = /^fixed\[\s*(\d+)\s*\]$/.exec(text)
  if (fixed) return { type: 'fixed', length: Number(fixed[1]) }
  return { type: 'unsupported', name: text }
}

const nested = (object: JsonObject, name: 'element' | 'value'): NestedField => ({
  id: integerAt(object, `${name}-id`),
  name,
  required: object[`${name}-required`] === true,
  type: parseType(object[name]),
})

const parseField = (json: JsonValue): NestedField => {
  const object = objectOf(json, 'a field')
  return {
    id: integerAt(object, 'id'),
    name: stringAt(object, 'name'),
    required: object.required === true,
    type: parseType(object.type),
    ...(typeof object.doc === 'string' ? { doc: object.doc } : {}),
    ...(object['initial-default'] === undefined ? {} : { initialDefault: object['initial-default'] }),
  }
}

/**
 * Parses schemas of one metadata file; v1 has schemas without an id, which count as 0. A wide table has its columns in
 * hundreds of schemas: what is the same in several of them is kept once.
 */
export const schemaParser = (bytes: Buffer): ((span: JsonSpan) => IcebergSchema) => {
  const known = new Map<string, NestedField>()
  const fieldAt = (span: JsonSpan): NestedField => {
    const text = bytes.toString('latin1', span.start, span.end)
    const field = known.get(text) ?? parseField(parseSpan(bytes, span))
    known.set(text, field)
    return field
  }
  return (span) => {
    let fields: NestedField[] | undefined
    const members: Record<string, JsonValue> = {}
    for (const [key, value] of membersOf(bytes, span.start)) {
      if (key === 'fields') fields = Array.from(itemsOf(bytes, value.start), fieldAt)
      else members[key] = parseSpan(bytes, value)
    }
    if (!fields) throw new TypeError('"fields" of a schema is missing')
    return {
      schemaId: optionalAt(members, 'schema-id', integerAt) ?? 0,
      fields,
      identifierFieldIds: (optionalAt(members, 'identifier-field-ids', arrayAt) ?? []).map(Number),
    }
  }
}
