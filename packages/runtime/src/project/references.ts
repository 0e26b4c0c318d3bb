import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { ConnectorError } from '@penstock/core'

/** `${env:NAME}`, `${file:path}`, `${steps.ID.field}`, or `$${`, which stands for a literal `${`. */
const pattern = /\$\$\{|\$\{([^{}:]*)(?::([^{}]*))?\}/g

export interface Reference {
  readonly type: 'env' | 'file' | 'value'
  /** Name of the variable, path of the file, or the value of a run that is meant: `steps.export.files[0].key`. */
  readonly target: string
}

/** References inside a text, in order. Throws a `config` error for `${...}` that is none. */
export const referencesOf = (text: string): readonly Reference[] =>
  [...text.matchAll(pattern)].filter((match) => match[0] !== '$${').map(referenceOf)

const referenceOf = (match: RegExpMatchArray): Reference => {
  const [whole, type, target] = match
  if ((type === 'env' || type === 'file') && target?.trim()) return { type, target: target.trim() }
  if (target === undefined && /^\s*(steps|run)\b/.test(type ?? ''))
    return { type: 'value', target: (type ?? '').trim() }
  throw new ConnectorError('config', `${whole} is no reference.`, {
    code: 'InvalidReference',
    hint: `Write \${env:NAME} or \${file:path}; for a literal \${ write $\${.`,
  })
}

/** True when the text is one reference and nothing else: what a secret field has to be. */
export const isReference = (text: string): boolean =>
  /^\$\{(env|file):[^{}]+\}$/.test(text.trim()) && referencesOf(text.trim()).length === 1

/** The value of a run that a text means as a whole, as in `${steps.load.rowsLoaded}`: it keeps its type. */
const wholeValue = (text: string): string | undefined => {
  const match = /^\$\{([^{}]*)\}$/.exec(text)
  const reference = match ? referencesOf(text)[0] : undefined
  return reference?.type === 'value' ? reference.target : undefined
}

/** True when a value holds a reference, at any depth. */
export const hasReference = (value: unknown): boolean => {
  if (typeof value === 'string') return referencesOf(value).length > 0
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasReference)
}

export interface ResolveOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from: the project's. */
  readonly folder: string
  /** Values of a run, by what stands between the braces. Absent outside of steps: there are none. */
  readonly values?: ((target: string) => unknown) | undefined
  /** How a value is written inside a text (default: as plain text). */
  readonly encode?: ((value: unknown) => string) | undefined
}

/**
 * Replaces the references of one text. A file's text loses its last line break. A variable that is missing or empty,
 * or a file that can't be read, is a `config` error that names it, and `field`.
 */
export const resolveText = async (text: string, field: string, options: ResolveOptions): Promise<string> => {
  const encode = options.encode ?? plainText
  const values: string[] = []
  for (const reference of referencesOf(text)) values.push(encode(await resolveOne(reference, field, options)))
  return text.replaceAll(pattern, (match) => (match === '$${' ? '${' : (values.shift() ?? '')))
}

/** Like {@link resolveText}, but a text that is one value of a run and nothing else becomes that value, with its type. */
export const resolveValue = async (
  text: string,
  field: string,
  options: ResolveOptions,
): Promise<unknown> => {
  const whole = wholeValue(text)
  return whole === undefined
    ? resolveText(text, field, options)
    : resolveOne({ type: 'value', target: whole }, field, options)
}

const resolveOne = async (
  { type, target }: Reference,
  field: string,
  options: ResolveOptions,
): Promise<unknown> => {
  if (type === 'env') return fromEnvironment(target, field, options)
  if (type === 'file') return fromFile(target, field, options)
  if (options.values) return options.values(target)
  throw new ConnectorError('config', `\${${target}} has no value here: ${field} is no input of a step.`, {
    code: 'InvalidReference',
    hint: `Use it in the steps of a pipeline; here \${env:NAME} and \${file:path} have values.`,
  })
}

const plainText = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const fromEnvironment = (name: string, field: string, options: ResolveOptions): string => {
  const value = options.env[name]
  if (value) return value
  const state = value === '' ? 'is empty' : 'is not set'
  throw new ConnectorError('config', `The environment variable ${name} ${state}; ${field} needs it.`, {
    code: 'MissingVariable',
    hint: `Set it in your shell before the command, for example: export ${name}=...`,
  })
}

const fromFile = async (path: string, field: string, options: ResolveOptions): Promise<string> => {
  const full = path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(options.folder, path)
  try {
    const text = (await readFile(full, 'utf8')).replace(/\r?\n$/, '')
    if (text !== '') return text
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    throw new ConnectorError('config', `The file ${full} can't be read (${code}); ${field} needs it.`, {
      code: 'MissingFile',
      hint: 'Relative paths start at the folder of penstock.yaml.',
      cause: error,
    })
  }
  throw new ConnectorError('config', `The file ${full} is empty; ${field} needs it.`, { code: 'MissingFile' })
}

export type ValuePath = readonly (string | number)[]

/** Replaces all references of a value, at any depth. `resolveLeaf` gets each text that holds one, with its path. */
export const mapReferences = async (
  value: unknown,
  path: ValuePath,
  resolveLeaf: (text: string, path: ValuePath) => Promise<unknown>,
): Promise<unknown> => {
  if (typeof value === 'string') return value.includes('${') ? resolveLeaf(value, path) : value
  if (Array.isArray(value))
    return Promise.all(value.map((entry, index) => mapReferences(entry, [...path, index], resolveLeaf)))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(
    async ([name, entry]) => [name, await mapReferences(entry, [...path, name], resolveLeaf)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}
