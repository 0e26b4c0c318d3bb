import {
  type AnyConnector,
  type AuthMethod,
  type Connection,
  ConnectorError,
  coerceText,
  connectUnknown,
  nearest,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import type { z } from 'zod'
import { type FieldPath, type ProjectDocument, unknownField } from './document.ts'
import { connectionNamed, type Project, type ProjectConnection } from './project.ts'
import {
  hasReference,
  isReference,
  mapReferences,
  type ResolveOptions,
  referencesOf,
  resolveText,
} from './references.ts'
import { connectionEntry } from './schema.ts'
import { rethrown, throwIssues, withoutReferences } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks a connection of the project against its connector, as far as that goes without resolving references.
 * Secrets in plain text are refused.
 */
export const checkConnection = (project: Project, name: string, connector: AnyConnector): void => {
  const entry = connectionNamed(project, name)
  for (const part of partsOf(project.document, entry, connector)) {
    refusePlainSecrets(project.document, entry, part)
    refuseUnknownFields(project.document, part)
    const result = part.schema.safeParse(part.input)
    if (result.success) continue
    const issues = withoutReferences(result.error.issues, part.input)
    if (issues.length > 0) throwIssues(project.document, part.path, issues, part.describe)
  }
}

export interface OpenConnectionOptions {
  /** Environment variables for references; default: those of the process. */
  readonly env?: ResolveOptions['env']
  /**
   * `optional`: a secret whose reference can't be resolved is left at a placeholder. For what needs no secret, such as
   * printing policies.
   */
  readonly secrets?: 'required' | 'optional'
  /** Connector that the connection is opened for instead of its own: it gets the fields that it has as well. */
  readonly as?: AnyConnector
}

/**
 * Makes a connection of the project ready for use: references are resolved now. Everything wrong is a `config` error
 * that names the field, with line and column.
 */
export const openConnection = async (
  project: Project,
  name: string,
  connector: AnyConnector,
  { env = process.env, secrets = 'required', as }: OpenConnectionOptions = {},
): Promise<Connection> => {
  checkConnection(project, name, connector)
  const entry = connectionNamed(project, name)
  const options = { env, folder: project.folder, secrets }
  const resolved: Fields[] = []
  for (const part of partsOf(project.document, entry, connector)) {
    const fields = (await mapReferences(part.input, [], (text, path) =>
      resolveField(project.document, entry, part, text, path, options),
    )) as Fields
    const result = part.schema.safeParse(fields)
    if (!result.success) throwIssues(project.document, part.path, result.error.issues, part.describe)
    resolved.push(fields)
  }
  const [config = {}, auth] = resolved
  const method = entry.auth?.method
  const known = as && new Set(schemaFields(as.config).map((field) => field.name))
  const fields = Object.fromEntries(Object.entries(config).filter(([field]) => known?.has(field) ?? true))
  return connectUnknown(as ?? connector, auth ? { ...fields, auth: { method, ...auth } } : fields, { name })
}

/** The connector's own fields, or those of its auth method, with their place in the file. */
interface Part {
  readonly path: FieldPath
  readonly schema: z.ZodType
  readonly input: Fields
  readonly fields: readonly SchemaField[]
  readonly describe: () => { subject: string; known: readonly string[] }
}

/** The connector's own part first: it is complete before the auth part is looked at. */
function* partsOf(
  document: ProjectDocument,
  entry: ProjectConnection,
  connector: AnyConnector,
): Generator<Part> {
  const path = ['connections', entry.name]
  const fields = schemaFields(connector.config)
  const common = Object.keys(connectionEntry.shape)
  const config: Part = {
    path,
    schema: connector.config,
    input: entry.fields,
    fields,
    describe: () => ({
      subject: `connection "${entry.name}" (${connector.name})`,
      known: [...common, ...fields.map((field) => field.name)],
    }),
  }
  yield config
  const methods: readonly AuthMethod[] = connector.auth ?? []
  if (methods.length === 0) {
    if (entry.auth === undefined) return
    throw document.problem([...path, 'auth'], `The connector ${connector.name} takes no auth.`, { at: 'key' })
  }
  const method = authMethodOf(document, entry, methods)
  const { method: _, ...input } = entry.auth ?? {}
  const authFields = schemaFields(method.fields)
  const known = ['method', ...authFields.map((field) => field.name)]
  yield {
    path: [...path, 'auth'],
    schema: method.fields,
    input,
    fields: authFields,
    describe: () => ({ subject: `auth method ${method.id}`, known }),
  }
}

const authMethodOf = (
  document: ProjectDocument,
  entry: ProjectConnection,
  methods: readonly AuthMethod[],
): AuthMethod => {
  const id = entry.auth?.method
  const found = methods.find((method) => method.id === id)
  if (found) return found
  const ids = methods.map((method) => method.id)
  const path = ['connections', entry.name, 'auth', 'method']
  if (id === undefined)
    throw document.problem(path, `Connection "${entry.name}" has no auth method.`, {
      hint: `Set auth.method to one of: ${ids.join(', ')}.`,
    })
  const guess = nearest(String(id), ids)
  throw document.problem(path, `Unknown auth method "${String(id)}".`, {
    hint: guess ? `Did you mean ${guess}?` : `Methods: ${ids.join(', ')}.`,
  })
}

/** A plain zod object drops what it does not know; a project file must not hold a field that does nothing. */
const refuseUnknownFields = (document: ProjectDocument, part: Part): void => {
  const definition = part.schema._zod.def as { type: string; catchall?: z.ZodType }
  if (definition.type !== 'object' || definition.catchall) return
  const { subject, known } = part.describe()
  for (const name of Object.keys(part.input))
    if (!part.fields.some((field) => field.name === name))
      throw unknownField(document, [...part.path, name], known, subject)
}

const refusePlainSecrets = (document: ProjectDocument, entry: ProjectConnection, part: Part): void => {
  for (const { path, invalid } of plainSecrets(part.fields, part.input)) {
    const full = [...part.path, ...path]
    if (invalid) throw rethrown(document, full, invalid)
    throw document.problem(full, plainSecretMessage(full.slice(2), `connection "${entry.name}"`), {
      code: 'PlainSecret',
      hint: `${secretHint(entry.name, path)} If the file was shared or committed, replace the secret.`,
    })
  }
}

export const plainSecretMessage = (path: FieldPath, subject: string): string =>
  `${path.join('.')} of ${subject} is a secret and must not stand in the project file in plain text.`

/** Name of an environment variable that fits a secret field: `LAKE_SECRET_ACCESS_KEY`. */
export const secretVariable = (connection: string, field: string): string =>
  `${connection}_${field}`
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^(?=\d)/, '_')
    .toUpperCase()

/** How to write a secret as a reference, with a variable name that fits. */
export const secretHint = (connection: string, path: FieldPath): string => {
  const variable = secretVariable(connection, String(path.at(-1)))
  return `Put it into an environment variable and write \${env:${variable}}, or into a file and write \${file:path}.`
}

interface PlainSecret {
  readonly path: FieldPath
  /** Set when the text is meant as a reference and is none. */
  readonly invalid?: ConnectorError
}

/** Secret fields whose value is not exactly one reference. */
export const plainSecrets = (
  fields: readonly SchemaField[],
  input: Fields,
  path: FieldPath = [],
): readonly PlainSecret[] =>
  fields.flatMap((field) => {
    const value = input[field.name]
    const here = [...path, field.name]
    if (value === undefined || value === null) return []
    if (field.kind === 'secret') return plainSecret(String(value), here)
    if (!field.fields || typeof value !== 'object') return []
    return plainSecrets(field.fields, value as Fields, here)
  })

const plainSecret = (text: string, path: FieldPath): readonly PlainSecret[] => {
  try {
    referencesOf(text)
    return isReference(text) ? [] : [{ path }]
  } catch (error) {
    return [ConnectorError.isInstance(error) ? { path, invalid: error } : { path }]
  }
}

const resolveField = async (
  document: ProjectDocument,
  entry: ProjectConnection,
  part: Part,
  text: string,
  path: FieldPath,
  options: ResolveOptions & { readonly secrets: 'required' | 'optional' },
): Promise<unknown> => {
  const full = [...part.path, ...path]
  const field = fieldAt(part.fields, path)
  try {
    const label = `${full.slice(2).join('.')} of connection "${entry.name}"`
    const resolved = await resolveText(text, label, options)
    return field && hasReference(text) ? coerceText(field, resolved) : resolved
  } catch (error) {
    if (options.secrets === 'optional' && field?.kind === 'secret') return '(not resolved)'
    throw rethrown(document, full, error)
  }
}

const fieldAt = (fields: readonly SchemaField[], path: FieldPath): SchemaField | undefined => {
  const field = fields.find((candidate) => candidate.name === path[0])
  return path.length > 1 && field?.fields ? fieldAt(field.fields, path.slice(1)) : field
}
