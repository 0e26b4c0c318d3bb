import { Flags, type Interfaces } from '@oclif/core'
import {
  ConnectorError,
  coerceText,
  describeIssue,
  issueText,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import type { z } from 'zod'

type AnyFlag = Interfaces.FlagInput[string]

export interface SchemaFlagOptions {
  /** Heading in the help. */
  readonly group?: string
  /** Fields that get no flag. */
  readonly omit?: readonly string[]
  /** Fields that take one value in the schema, and may be given several times as a flag. */
  readonly repeatable?: readonly string[]
  /** What stands for the value in the help, by field: `{ folder: 'PREFIX' }`. */
  readonly valueNames?: Readonly<Record<string, string>>
}

/**
 * Flags from an object schema: names in kebab-case, descriptions and options from the schema. Whether a flag is
 * required, and whether its value is right, is left to the schema, so that every error is worded here and never
 * repeats a value. Secrets get no flag: what is on a command line stands in process lists and shell histories.
 */
export const schemaFlags = (schema: z.ZodType, options: SchemaFlagOptions = {}): Interfaces.FlagInput => {
  const flags: Interfaces.FlagInput = {}
  for (const { field, flag, path } of flaggedFields(schema)) {
    if (options.omit?.includes(path.join('.'))) continue
    const repeatable = options.repeatable?.includes(path.join('.')) ?? false
    flags[flag] = flagOf(field, flag, repeatable, options)
  }
  return flags
}

interface FlaggedField {
  readonly field: SchemaField
  readonly flag: string
  readonly path: readonly string[]
}

const flaggedFields = (schema: z.ZodType): readonly FlaggedField[] => {
  const walk = (fields: readonly SchemaField[], parents: readonly string[]): FlaggedField[] =>
    fields.flatMap((field) => {
      const path = [...parents, field.name]
      if (field.kind === 'secret') return []
      if (field.fields) return walk(field.fields, path)
      return [{ field, path, flag: [...parents.map(kebab), flagName(field)].join('-') }]
    })
  return walk(schemaFields(schema), [])
}

const kebab = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/_/g, '-')
    .toLowerCase()

/** Name of a field's flag: `meta({ flag })` rules; a list or a map is given piece by piece, so in the singular. */
export const flagName = (field: SchemaField): string => {
  if (typeof field.meta.flag === 'string') return field.meta.flag
  const name = kebab(field.name)
  const pieces = field.kind === 'map' || (field.kind === 'list' && field.item !== 'list')
  return pieces ? name.replace(/([^s])s$/, '$1') : name
}

const flagOf = (
  field: SchemaField,
  flag: string,
  repeatable: boolean,
  options: SchemaFlagOptions,
): AnyFlag => {
  const common = {
    description: describe(field),
    ...(options.group === undefined ? {} : { helpGroup: options.group }),
  }
  if (field.kind === 'boolean')
    return Flags.boolean({ ...common, allowNo: field.default !== false }) as AnyFlag
  const multiple = field.kind === 'list' || field.kind === 'map' || repeatable
  const shared = {
    ...common,
    helpValue: options.valueNames?.[field.name] ?? valueName(field, flag),
    ...(field.options ? { options: [...field.options] } : {}),
  }
  return (
    multiple ? Flags.string({ ...shared, multiple: true, multipleNonGreedy: true }) : Flags.string(shared)
  ) as AnyFlag
}

const describe = (field: SchemaField): string => {
  const text = field.description ?? field.title ?? ''
  const fallback = field.default
  const told = /default/i.test(text) || fallback === undefined || typeof fallback === 'object'
  return told || fallback === false ? text : `${text} (default: ${String(fallback)})`
}

const valueName = (field: SchemaField, flag: string): string => {
  if (typeof field.meta.valueName === 'string') return field.meta.valueName
  if (field.options) return field.options.join('|')
  if (field.kind === 'number') return 'N'
  if (field.kind === 'map') return 'NAME=VALUE'
  return (flag.split('-').at(-1) ?? flag).toUpperCase()
}

/** The fields that were given as flags, as the schema's input: texts become numbers where the schema wants numbers. */
export const readFlags = (
  schema: z.ZodType,
  flags: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const input: Record<string, unknown> = {}
  for (const { field, flag, path } of flaggedFields(schema)) {
    const given = flags[flag]
    if (given === undefined) continue
    let target = input
    for (const parent of path.slice(0, -1)) {
      target[parent] ??= {}
      target = target[parent] as Record<string, unknown>
    }
    target[path.at(-1) as string] = givenValue(field, flag, given)
  }
  return input
}

const givenValue = (field: SchemaField, flag: string, given: unknown): unknown => {
  if (field.kind === 'map') return mapOf(flag, given as string[])
  if (Array.isArray(given)) return given.map((text) => coerceText(field, String(text)))
  return typeof given === 'string' ? coerceText(field, given) : given
}

const mapOf = (flag: string, pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const index = pair.indexOf('=')
      if (index > 0) return [pair.slice(0, index), pair.slice(index + 1)]
      throw new ConnectorError('config', `--${flag} takes NAME=VALUE.`, { code: 'Usage' })
    }),
  )

/**
 * Validates input that came from flags, and from arguments (`argumentNames`: fields that are one). A failure is one
 * `config` error that names them, and no value.
 */
export const parseFlags = <Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  hint?: string,
  argumentNames: readonly string[] = [],
): z.output<Schema> => {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const flags = new Map(flaggedFields(schema).map(({ path, flag }) => [path.join('.'), flag]))
  const messages = result.error.issues.map((issue) => {
    const flag = flagAt(flags, issue.path)
    const [field = ''] = issue.path.map(String)
    if (argumentNames.includes(field)) return issueText(argumentLabel(field), issue)
    return flag ? issueText(`--${flag}`, issue) : describeIssue(issue)
  })
  throw new ConnectorError('config', `${[...new Set(messages)].join('\n')}${ending(messages)}`, {
    code: 'Usage',
    ...(hint === undefined ? {} : { hint }),
  })
}

/** An argument as the help shows it: `PATH`. */
export const argumentLabel = (field: string): string => kebab(field).toUpperCase()

const ending = (messages: readonly string[]): string => (messages.at(-1)?.endsWith('.') ? '' : '.')

const flagAt = (flags: ReadonlyMap<string, string>, path: readonly PropertyKey[]): string | undefined => {
  for (let length = path.length; length > 0; length--) {
    const flag = flags.get(path.slice(0, length).map(String).join('.'))
    if (flag) return flag
  }
  return undefined
}
