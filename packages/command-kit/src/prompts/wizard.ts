import { coerceText, describeIssue, type SchemaField, schemaFields } from '@penstock/core'
import type { z } from 'zod'
import type { Prompter } from './prompter.ts'

export interface WizardOptions {
  /** Fields that have a value already: they are not asked for. */
  readonly given?: Readonly<Record<string, unknown>>
  /** True for a text that stands for a value which is known later: it is taken as it is. */
  readonly isReference: (text: string) => boolean
  /** Name of an environment variable that fits a secret field. */
  readonly variableFor: (field: SchemaField) => string
  /** Ask for optional fields too. */
  readonly optional?: boolean
  /** What a single field has now: it is proposed. */
  readonly current?: unknown
}

/**
 * Asks for the fields of an object schema, one by one: choices as a list, booleans as a question, everything else as
 * text that is checked at once. A secret is never typed in: the answer is where it comes from.
 */
export const askFields = async (
  prompter: Prompter,
  schema: z.ZodType,
  options: WizardOptions,
): Promise<Record<string, unknown>> => {
  const answers: Record<string, unknown> = { ...options.given }
  for (const field of schemaFields(schema)) {
    if (answers[field.name] !== undefined) continue
    if (!field.required && !options.optional) continue
    const answer = await askField(prompter, field, options)
    if (answer !== undefined) answers[field.name] = answer
  }
  return answers
}

/** Asks for one field; undefined when an optional field is left out. */
export const askField = async (
  prompter: Prompter,
  field: SchemaField,
  options: WizardOptions,
): Promise<unknown> => {
  const message = questionOf(field)
  const proposed = options.current ?? field.default
  switch (field.kind) {
    case 'secret':
      return askSecret(prompter, field, options)
    case 'boolean':
      return field.required || field.default !== undefined
        ? prompter.confirm({ message, initial: proposed === true })
        : askOptionalBoolean(prompter, message, proposed)
    case 'choice':
      return prompter.select({
        message,
        choices: (field.options ?? []).map((option) => ({ value: option, label: option })),
        ...(proposed === undefined ? {} : { initial: String(proposed) }),
      })
    case 'object': {
      const nested = await askFields(prompter, field.schema, { ...options, given: {}, current: undefined })
      return Object.keys(nested).length > 0 ? nested : undefined
    }
    case 'list':
      return askList(prompter, field, options)
    case 'map':
    case 'other':
      // Has no simple question: it is set in the file, unless nothing can be saved without it.
      return field.required ? askJson(prompter, field, options) : undefined
    default:
      return askText(prompter, field, options)
  }
}

/** Without a default "no" is not the same as nothing said. */
const askOptionalBoolean = async (prompter: Prompter, message: string, proposed: unknown) => {
  const choices = [
    { value: 'unset', label: 'Not set' },
    { value: 'true', label: 'Yes' },
    { value: 'false', label: 'No' },
  ]
  const initial = typeof proposed === 'boolean' ? String(proposed) : 'unset'
  const answer = await prompter.select({ message, choices, initial })
  return answer === 'unset' ? undefined : answer === 'true'
}

const questionOf = (field: SchemaField): string => {
  const title = field.title ?? field.description ?? field.name
  const more =
    field.title && field.description && field.description !== field.title ? ` - ${field.description}` : ''
  return `${title}${more}${field.required ? '' : ' (optional)'}`
}

const placeholderOf = (field: SchemaField): string | undefined => {
  const sample = field.default ?? field.examples?.[0]
  if (sample === undefined) return undefined
  return typeof sample === 'object' ? JSON.stringify(sample) : String(sample)
}

/** A value as it is typed: a list with commas, other things as JSON. */
const textOfValue = (value: unknown): string => {
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object')) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const askText = async (prompter: Prompter, field: SchemaField, options: WizardOptions): Promise<unknown> => {
  const placeholder = placeholderOf(field)
  const answer = await prompter.text({
    message: questionOf(field),
    ...(placeholder === undefined ? {} : { placeholder }),
    ...(options.current === undefined ? {} : { initial: textOfValue(options.current) }),
    validate: (text) => {
      if (text.trim() === '') return field.required ? 'An answer is needed.' : undefined
      return options.isReference(text) ? undefined : wrongness(field, coerceText(field, text.trim()))
    },
  })
  if (answer.trim() === '') return undefined
  return options.isReference(answer) ? answer.trim() : coerceText(field, answer.trim())
}

const askJson = (prompter: Prompter, field: SchemaField, options: WizardOptions): Promise<unknown> => {
  const title = `${field.title ?? field.description ?? field.name} (as JSON)`
  return askText(prompter, { ...field, kind: 'other', title }, options)
}

const wrongness = (field: SchemaField, value: unknown): string | undefined => {
  const result = field.schema.safeParse(value)
  const issue = result.success ? undefined : result.error.issues[0]
  return issue && describeIssue(issue)
}

const askList = async (prompter: Prompter, field: SchemaField, options: WizardOptions): Promise<unknown> => {
  const listed = {
    ...field,
    title: `${field.title ?? field.description ?? field.name} (separated by commas)`,
  }
  const answer = await askText(
    prompter,
    { ...listed, kind: 'text', schema: field.schema },
    {
      ...options,
      isReference: () => true, // the entries are checked when the whole is saved
    },
  )
  if (typeof answer !== 'string') return undefined
  return answer.split(',').map((entry) => coerceText(field, entry.trim()))
}

const askSecret = async (
  prompter: Prompter,
  field: SchemaField,
  options: WizardOptions,
): Promise<unknown> => {
  // One that is set is proposed as it stands: `${env:NAME}` or `${file:path}`.
  const [, kind, place] = /^\$\{(env|file):(.*)\}$/.exec(String(options.current)) ?? []
  const title = field.title ?? field.description ?? field.name
  const from = await prompter.select({
    message: `${title}: where does it come from? (The project file holds no secrets.)`,
    choices: [
      { value: 'env', label: 'An environment variable' },
      { value: 'file', label: 'A file' },
      ...(field.required ? [] : [{ value: 'none', label: 'There is none' }]),
    ],
    initial: kind ?? (field.required ? 'env' : 'none'),
  })
  if (from === 'none') return undefined
  const variable = options.variableFor(field)
  const answer = await prompter.text({
    message: from === 'env' ? 'Name of the variable' : 'Path of the file',
    ...(from === 'env' || kind === from
      ? { initial: kind === from ? String(place) : variable }
      : { placeholder: './secrets/key.txt' }),
    validate: (text) => {
      if (from === 'file') return text.trim() === '' ? 'An answer is needed.' : undefined
      return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text.trim())
        ? undefined
        : 'That is no name of a variable (the secret itself is not wanted here).'
    },
  })
  const named = answer.trim()
  if (from === 'env' && process.env[named] === undefined)
    prompter.note(`export ${named}=...`, 'Not set in this shell. Before you use the connection:')
  return `\${${from}:${named}}`
}
