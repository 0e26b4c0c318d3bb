import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AnyConnector,
  type AuthMethod,
  ConnectorError,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import { isReference } from '@penstock/runtime'

type Fields = Readonly<Record<string, unknown>>

interface Draft {
  readonly name: string
  readonly connector: AnyConnector
  readonly fields: Fields
  readonly auth: Fields | undefined
}

/** A secret that was typed, and the file that it goes to, relative to the folder of the project. */
interface TypedSecret {
  readonly file: string
  readonly text: string
}

/**
 * Takes typed secrets out of a draft: a `${file:...}` reference stands in their place. They are kept in
 * `.penstock/secrets`, which git ignores, once {@link writeSecrets} is called: after everything else was checked.
 */
export const takeSecrets = (
  draft: Draft,
): { fields: Fields; auth: Fields | undefined; typed: TypedSecret[] } => {
  const typed: TypedSecret[] = []
  const methods: readonly AuthMethod[] = draft.connector.auth ?? []
  const method = methods.find(({ id }) => id === draft.auth?.method)
  const walk = (known: readonly SchemaField[], input: Fields, path: readonly string[]): Fields =>
    Object.fromEntries(
      Object.entries(input).map(([name, value]) => {
        const field = known.find((candidate) => candidate.name === name)
        if (field?.fields && typeof value === 'object' && value !== null)
          return [name, walk(field.fields, value as Fields, [...path, name])]
        const text = field?.kind === 'secret' ? typedText(value) : undefined
        if (text === undefined) return [name, value]
        const file = `.penstock/secrets/${draft.name}/${[...path, name].join('.')}`
        typed.push({ file, text })
        return [name, `\${file:${file}}`]
      }),
    )
  const fields = walk(schemaFields(draft.connector.config), draft.fields, [])
  const auth = draft.auth && walk(method ? schemaFields(method.fields) : [], draft.auth, ['auth'])
  return { fields, auth, typed }
}

const typedText = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null || !('typed' in value)) return undefined
  const { typed } = value
  if (typeof typed === 'string' && typed !== '') return typed
  throw new ConnectorError('config', 'A secret that was typed is empty.')
}

/** Keeps secrets for this user alone. */
export const writeSecrets = async (folder: string, typed: readonly TypedSecret[]): Promise<void> => {
  for (const { file, text } of typed) {
    const path = join(folder, file)
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    await writeFile(path, `${text}\n`, { mode: 0o600 })
    // The mode of an existing file would have stayed.
    await chmod(path, 0o600)
  }
}

/** Removes the secrets that were kept for a connection. */
export const removeSecrets = (folder: string, name: string): Promise<void> =>
  rm(join(folder, '.penstock', 'secrets', name), { recursive: true, force: true })

/** Fields for the browser: a secret that stands in the file in plain text does not go out, a reference does. */
export const withoutPlainSecrets = (known: readonly SchemaField[], input: Fields): Fields =>
  Object.fromEntries(
    Object.entries(input).flatMap(([name, value]) => {
      const field = known.find((candidate) => candidate.name === name)
      if (field?.kind === 'secret') return isReference(String(value)) ? [[name, value]] : []
      if (field?.fields && typeof value === 'object' && value !== null)
        return [[name, withoutPlainSecrets(field.fields, value as Fields)]]
      return [[name, value]]
    }),
  )
