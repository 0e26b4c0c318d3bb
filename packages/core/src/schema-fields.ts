import type { z } from 'zod'

/**
 * What one field of a configuration takes, for whoever turns a schema into flags, prompts or a form.
 * `list` and `map` hold texts or numbers; `other` is what has no simple form.
 */
export type FieldKind =
  | 'text'
  | 'number'
  | 'boolean'
  | 'choice'
  | 'secret'
  | 'list'
  | 'map'
  | 'object'
  | 'other'

export interface SchemaField {
  readonly name: string
  readonly kind: FieldKind
  /** Kind of the entries of a list or a map. */
  readonly item?: FieldKind
  /** False for an optional field and for one with a default. */
  readonly required: boolean
  readonly default?: unknown
  /** Values of a choice, or of the entries of a list of choices. */
  readonly options?: readonly string[]
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  /** Everything that was attached with `.meta()`, outermost first. */
  readonly meta: Readonly<Record<string, unknown>>
  readonly schema: z.ZodType
  /** Fields of an object. */
  readonly fields?: readonly SchemaField[]
  /** Fields of the objects in a list. */
  readonly itemFields?: readonly SchemaField[]
}

/** The parts of zod's definitions that are read here. Read by name, not by class: a connector may bring its own zod. */
interface Definition {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly entries?: Readonly<Record<string, string | number>>
  readonly values?: readonly unknown[]
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly defaultValue?: unknown
}

const definitionOf = (schema: z.ZodType): Definition => schema._zod.def as unknown as Definition

/** Fields of an object schema, in its order; none for another schema. */
export const schemaFields = (schema: z.ZodType): readonly SchemaField[] => {
  const { shape } = definitionOf(unwrapSchema(schema).inner)
  return Object.entries(shape ?? {}).map(([name, field]) => schemaField(name, field))
}

/** What a schema takes, under the given name. */
export const schemaField = (name: string, schema: z.ZodType): SchemaField => {
  const { inner, meta, optional, fallback } = unwrapSchema(schema)
  const form = meta.secret === true ? { kind: 'secret' as const } : formOf(inner)
  return {
    name,
    ...form,
    required: !optional && fallback === undefined,
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(typeof meta.title === 'string' ? { title: meta.title } : {}),
    ...(typeof meta.description === 'string' ? { description: meta.description } : {}),
    ...(Array.isArray(meta.examples) ? { examples: meta.examples } : {}),
    meta,
    schema,
    ...(form.kind === 'object' ? { fields: schemaFields(inner) } : {}),
  }
}

interface Unwrapped {
  readonly inner: z.ZodType
  readonly meta: Readonly<Record<string, unknown>>
  readonly optional: boolean
  readonly fallback: unknown
}

const wrappers = new Set([
  'optional',
  'nullable',
  'default',
  'prefault',
  'readonly',
  'catch',
  'nonoptional',
  'pipe',
])

const unwrapSchema = (schema: z.ZodType): Unwrapped => {
  let inner = schema
  let meta: Record<string, unknown> = {}
  let optional = false
  let fallback: unknown
  for (;;) {
    meta = { ...inner.meta(), ...meta }
    const definition = definitionOf(inner)
    const next = definition.type === 'pipe' ? definition.in : definition.innerType
    if (!wrappers.has(definition.type) || !next) return { inner, meta, optional, fallback }
    if (definition.type === 'optional') optional = true
    if (definition.type === 'default' || definition.type === 'prefault') fallback ??= definition.defaultValue
    inner = next
  }
}

type Form = Pick<SchemaField, 'kind' | 'item' | 'options' | 'itemFields'>

const formOf = (schema: z.ZodType): Form => {
  const definition = definitionOf(schema)
  switch (definition.type) {
    case 'string':
    case 'template_literal':
    case 'date':
      return { kind: 'text' }
    case 'number':
    case 'int':
    case 'bigint':
      return { kind: 'number' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'enum':
      return { kind: 'choice', options: Object.values(definition.entries ?? {}).map(String) }
    case 'literal':
      return { kind: 'choice', options: (definition.values ?? []).map(String) }
    case 'array':
    case 'set':
      return itemsOf('list', definition.element ?? definition.valueType)
    case 'record':
    case 'map':
      return itemsOf('map', definition.valueType)
    case 'object':
      return { kind: 'object' }
    case 'union':
      return unionForm((definition.options ?? []).map((option) => schemaField('', option)))
    default:
      return { kind: 'other' }
  }
}

const itemsOf = (kind: 'list' | 'map', schema: z.ZodType | undefined): Form => {
  const item = schema ? schemaField('', schema) : undefined
  return {
    kind,
    item: item?.kind ?? 'text',
    ...(item?.options ? { options: item.options } : {}),
    ...(item?.fields ? { itemFields: item.fields } : {}),
  }
}

/** A union takes the form that covers the others: a list covers its entry, a text covers numbers. */
const unionForm = (forms: readonly SchemaField[]): Form => {
  const first = forms[0]
  if (!first) return { kind: 'other' }
  const same = forms.every((form) => form.kind === first.kind)
  if (same && first.kind === 'choice')
    return { kind: 'choice', options: forms.flatMap((form) => form.options ?? []) }
  if (same) return { kind: first.kind, ...(first.item ? { item: first.item } : {}) }
  const list = forms.find((form) => form.kind === 'list')
  if (list) return { kind: 'list', item: list.item ?? 'text' }
  return { kind: forms.some((form) => form.kind === 'text') ? 'text' : 'other' }
}

/**
 * A text from a flag, an environment variable or a file as the value that the field takes: `true`, `8`, an entry of a
 * list. What does not read as such stays text, for the schema to refuse it in its own words.
 */
export const coerceText = (field: Pick<SchemaField, 'kind' | 'item'>, text: string): unknown => {
  switch (field.kind) {
    case 'number':
      return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : text
    case 'boolean': {
      const lower = text.trim().toLowerCase()
      if (['true', 'yes', 'on', '1'].includes(lower)) return true
      return ['false', 'no', 'off', '0'].includes(lower) ? false : text
    }
    case 'list':
      return coerceText({ kind: field.item ?? 'text' }, text)
    case 'other':
    case 'object':
      return jsonOrText(text)
    default:
      return text
  }
}

const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** One sentence on what is wrong, for people. Holds no input value. */
export const describeIssue = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) return 'is required'
      return issue.message
        .replace(/^Invalid input: expected/, 'must be of type')
        .replace(/, received .*$/, '')
    case 'invalid_value':
      if (issue.message.startsWith('Invalid')) return `must be one of: ${issue.values.map(String).join(', ')}`
      return issue.message
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.join(', ')}`
    case 'invalid_union': {
      const inner = issue.errors.map((errors) => errors[0]).filter((error) => error !== undefined)
      if (issue.message !== 'Invalid input' || inner.length === 0) return issue.message
      return [...new Set(inner.map((error) => describeIssue(error as z.core.$ZodIssue)))].join(', or ')
    }
    case 'too_small':
    case 'too_big':
      return issue.message.startsWith('Too ') ? limitOf(issue) : issue.message
    default:
      return issue.message.replace(/^Invalid input: /, '')
  }
}

/** A clause for a field: `region is required`, or, for a message in the connector's own words, `region: A region ...`. */
export const issueText = (field: string, issue: z.core.$ZodIssue): string => {
  const text = describeIssue(issue).replace(/\.$/, '')
  return /^(is|has|must) /.test(text) ? `${field} ${text}` : `${field}: ${text}`
}

const limitOf = (issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string => {
  const limit = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`
  const units: Record<string, string> = { string: ' characters', array: ' entries', set: ' entries' }
  return issue.origin in units ? `must have ${limit}${units[issue.origin]}` : `must be ${limit}`
}
