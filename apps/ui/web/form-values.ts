import type { Schema, TypedSecret } from '@penstock/ui/api'

export type Values = Readonly<Record<string, unknown>>

/** A text that stands for a value which is known later. */
export const isReference = (value: unknown): value is string =>
  typeof value === 'string' && /^\$\{(env|file):[^{}]+\}$/.test(value)

export const isTyped = (value: unknown): value is TypedSecret =>
  typeof value === 'object' && value !== null && 'typed' in value

/** What a form shows for a schema: the first that fits. */
export type Shape =
  | 'secret'
  | 'choice'
  | 'boolean'
  | 'number'
  | 'text'
  | 'object'
  | 'list'
  | 'map'
  | 'union'
  | 'json'

export const shapeOf = (schema: Schema): Shape => {
  if (schema.secret) return 'secret'
  if (schema.enum || schema.const !== undefined) return 'choice'
  if (schema.oneOf || schema.anyOf) return 'union'
  switch (schema.type) {
    case 'boolean':
      return 'boolean'
    case 'number':
    case 'integer':
      return 'number'
    case 'string':
      return 'text'
    case 'array':
      return schema.items ? 'list' : 'json'
    case 'object':
      if (schema.properties) return 'object'
      return typeof schema.additionalProperties === 'object' ? 'map' : 'json'
    default:
      return 'json'
  }
}

/** Variants of a union, and the field whose value tells them apart, where there is one. */
export const variantsOf = (
  schema: Schema,
): { readonly variants: readonly Schema[]; readonly discriminator?: string } => {
  const variants = schema.oneOf ?? schema.anyOf ?? []
  const first = variants[0]?.properties ?? {}
  const discriminator = Object.keys(first).find((name) =>
    variants.every((variant) => variant.properties?.[name]?.const !== undefined),
  )
  return { variants, ...(discriminator === undefined ? {} : { discriminator }) }
}

/** Which variant of a union a value is of: the first that it could be. */
export const variantOf = (schema: Schema, value: unknown): number => {
  const { variants, discriminator } = variantsOf(schema)
  const index = variants.findIndex((variant) => {
    if (discriminator !== undefined)
      return variant.properties?.[discriminator]?.const === (value as Values | undefined)?.[discriminator]
    return isOfType(variant, value)
  })
  return Math.max(0, index)
}

const isOfType = (schema: Schema, value: unknown): boolean => {
  switch (schema.type) {
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'integer':
      return typeof value === 'number'
    default:
      return typeof value === schema.type
  }
}

export const variantTitle = (schema: Schema, discriminator: string | undefined): string => {
  const mark = discriminator === undefined ? undefined : schema.properties?.[discriminator]
  if (mark) return mark.description ? `${String(mark.const)}: ${mark.description}` : String(mark.const)
  return (
    schema.title ??
    { array: 'several', object: 'with details', string: 'one text' }[schema.type ?? ''] ??
    String(schema.type)
  )
}

/** The value that a new entry, a new variant or an optional object begins with. */
export const blankOf = (schema: Schema): unknown => {
  switch (shapeOf(schema)) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
          field.const === undefined ? [] : [[name, field.const]],
        ),
      )
    case 'list':
      return []
    case 'map':
      return {}
    case 'union':
      return blankOf(variantsOf(schema).variants[0] ?? {})
    default:
      return undefined
  }
}

/** Sets one field; undefined removes it, so that what is left empty is not saved. */
export const withField = (values: Values, name: string, value: unknown): Values => {
  const { [name]: _, ...others } = values
  return value === undefined ? others : { ...values, [name]: value }
}

/** A text from an input as the number that is meant; a reference, and what is no number, stays text to be refused. */
export const numberOrText = (text: string): unknown => {
  if (text.trim() === '') return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

/** `nullStrings` -> `Null strings`, for a field without a title. */
export const titleOf = (name: string, schema: Schema): string => {
  if (schema.title) return schema.title
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `LAKE_SECRET_ACCESS_KEY`: an environment variable that fits a secret field. */
export const variableFor = (connection: string, field: string): string =>
  `${connection || 'my'}_${field}`
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()

/** Default and examples as a placeholder; a form does not fill them in. */
export const placeholderOf = (schema: Schema): string => {
  const sample = schema.default ?? schema.examples?.find((example) => !isReference(example))
  if (sample === undefined || typeof sample === 'object') return ''
  return schema.default === undefined ? `e.g. ${String(sample)}` : String(sample)
}
