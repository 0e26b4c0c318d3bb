import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { ConnectorError } from '@penstock/core'

/** `${env:NAME}`, `${file:path}`, or `$${`, which stands for a literal `${`. */
const pattern = /\$\$\{|\$\{([^{}:]*)(?::([^{}]*))?\}/g

export interface Reference {
  readonly type: 'env' | 'file'
  /** Name of the variable, or path of the file. */
  readonly target: string
}

/** References inside a text, in order. Throws a `config` error for `${...}` that is none. */
export const referencesOf = (text: string): readonly Reference[] =>
  [...text.matchAll(pattern)].filter((match) => match[0] !== '$${').map(referenceOf)

const referenceOf = (match: RegExpMatchArray): Reference => {
  const [whole, type, target] = match
  if ((type === 'env' || type === 'file') && target?.trim()) return { type, target: target.trim() }
  throw new ConnectorError('config', `${whole} is no reference.`, {
    code: 'InvalidReference',
    hint: `Write \${env:NAME} or \${file:path}; for a literal \${ write $\${.`,
  })
}

/** True when the text is one reference and nothing else: what a secret field has to be. */
export const isReference = (text: string): boolean =>
  /^\$\{(env|file):[^{}]+\}$/.test(text.trim()) && referencesOf(text.trim()).length === 1

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
}

/**
 * Replaces the references of one text. A file's text loses its last line break. A variable that is missing or empty,
 * or a file that can't be read, is a `config` error that names it, and `field`.
 */
export const resolveText = async (text: string, field: string, options: ResolveOptions): Promise<string> => {
  const references = referencesOf(text)
  const values: string[] = []
  for (const reference of references)
    values.push(
      reference.type === 'env'
        ? fromEnvironment(reference.target, field, options)
        : await fromFile(reference.target, field, options),
    )
  return text.replaceAll(pattern, (match) => (match === '$${' ? '${' : (values.shift() ?? '')))
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
