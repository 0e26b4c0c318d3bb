/** An Avro writer schema with names resolved, as read from a file's header. Iceberg's ids are kept. */
export type AvroType =
  | {
      readonly kind: 'null' | 'boolean' | 'float' | 'double' | 'bytes' | 'string'
      readonly logical?: AvroLogical
    }
  | { readonly kind: 'int' | 'long'; readonly logical?: AvroLogical }
  | { readonly kind: 'fixed'; readonly size: number; readonly logical?: AvroLogical }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType; readonly elementId?: number; readonly isMap: boolean }
  | { readonly kind: 'map'; readonly values: AvroType; readonly keyId?: number; readonly valueId?: number }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | { readonly kind: 'record'; readonly fields: readonly AvroField[] }

export interface AvroField {
  readonly name: string
  readonly fieldId: number | undefined
  readonly type: AvroType
}

export interface AvroLogical {
  readonly name: string
  readonly precision?: number
  readonly scale?: number
  /** Of timestamps: whether the values are instants in UTC. */
  readonly adjustToUtc?: boolean
}

type Json = Readonly<Record<string, unknown>>

/** Resolves the JSON of a schema. Throws on anything that Avro does not know. */
export const parseAvroSchema = (json: unknown): AvroType => resolve(json, new Map(), '')

const plain = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
type PlainKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'
const isPlain = (name: string): name is PlainKind => plain.has(name)

const resolve = (json: unknown, named: Map<string, AvroType>, namespace: string): AvroType => {
  if (typeof json === 'string') {
    if (isPlain(json)) return { kind: json }
    const found = named.get(json) ?? named.get(`${namespace}.${json}`)
    if (found) return found
    throw new TypeError(`Avro schema names an unknown type "${json}"`)
  }
  if (Array.isArray(json))
    return { kind: 'union', branches: json.map((branch) => resolve(branch, named, namespace)) }
  if (typeof json !== 'object' || json === null) throw new TypeError('Avro schema is not an object')
  return resolveObject(json as Json, named, namespace)
}

const resolveObject = (json: Json, named: Map<string, AvroType>, namespace: string): AvroType => {
  const { type } = json
  if (typeof type !== 'string') return resolve(type, named, namespace)
  switch (type) {
    case 'record':
    case 'error': {
      const space = namespaceOf(json, namespace)
      const fields: AvroField[] = []
      const record: AvroType = { kind: 'record', fields }
      declare(json, space, named, record)
      for (const field of list(json.fields)) {
        fields.push({
          name: text(field.name),
          fieldId: id(field['field-id']),
          type: resolve(field.type, named, space),
        })
      }
      return record
    }
    case 'fixed': {
      const size = json.size
      if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
        throw new TypeError('Avro fixed has no valid size')
      const fixed: AvroType = { kind: 'fixed', size, ...logicalOf(json) }
      declare(json, namespaceOf(json, namespace), named, fixed)
      return fixed
    }
    case 'enum': {
      const symbols = Array.isArray(json.symbols) ? json.symbols.map(text) : []
      const found: AvroType = { kind: 'enum', symbols }
      declare(json, namespaceOf(json, namespace), named, found)
      return found
    }
    case 'array':
      return {
        kind: 'array',
        items: resolve(json.items, named, namespace),
        isMap: json.logicalType === 'map',
        ...optional('elementId', id(json['element-id'])),
      }
    case 'map':
      return {
        kind: 'map',
        values: resolve(json.values, named, namespace),
        ...optional('keyId', id(json['key-id'])),
        ...optional('valueId', id(json['value-id'])),
      }
    default:
      if (isPlain(type)) return { kind: type, ...logicalOf(json) }
      return resolve(type, named, namespace)
  }
}

const optional = <K extends string>(key: K, value: number | undefined): { [P in K]?: number } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: number })

const logicalOf = (json: Json): { logical?: AvroLogical } => {
  const name = json.logicalType
  if (typeof name !== 'string') return {}
  return {
    logical: {
      name,
      ...optional('precision', id(json.precision)),
      ...optional('scale', id(json.scale)),
      ...(typeof json['adjust-to-utc'] === 'boolean' ? { adjustToUtc: json['adjust-to-utc'] } : {}),
    },
  }
}

const namespaceOf = (json: Json, outer: string): string =>
  typeof json.namespace === 'string' ? json.namespace : outer

const declare = (json: Json, namespace: string, named: Map<string, AvroType>, type: AvroType): void => {
  const name = text(json.name)
  named.set(name, type)
  if (namespace && !name.includes('.')) named.set(`${namespace}.${name}`, type)
}

const list = (value: unknown): Json[] => {
  if (!Array.isArray(value)) throw new TypeError('Avro record has no fields')
  return value as Json[]
}

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError('Avro schema lacks a name')
  return value
}

const id = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
