import { askField, askFields, type Prompter, printable, type WizardOptions } from '@penstock/command-kit'
import {
  type AnyConnector,
  type AuthMethod,
  ConnectorError,
  nearest,
  type SchemaField,
  schemaFields,
} from '@penstock/core'
import { type ConnectionEdit, hasReference, needsExternalId, secretVariable } from '@penstock/runtime'

type Fields = Record<string, unknown>

/** A connection that is being made. */
export interface Draft {
  readonly name: string
  readonly connector: AnyConnector
  readonly reference: string
  readonly description: string | undefined
  readonly method: AuthMethod | undefined
  readonly fields: Fields
  readonly auth: Fields
}

export const editOf = ({
  name,
  connector,
  reference,
  description,
  method,
  fields,
  auth,
}: Draft): ConnectionEdit => ({
  name,
  connector,
  reference,
  fields,
  ...(description === undefined ? {} : { description }),
  ...(method ? { auth: { method: method.id, ...auth } } : {}),
})

/** The auth method that is wanted, else the only one, else the one that is chosen. */
export const chooseMethod = async (
  connector: AnyConnector,
  wanted: string | undefined,
  prompter: Prompter | undefined,
): Promise<AuthMethod | undefined> => {
  const methods: readonly AuthMethod[] = connector.auth ?? []
  const ids = methods.map((method) => method.id)
  if (wanted !== undefined) {
    const found = methods.find((method) => method.id === wanted)
    if (found) return found
    const guess = nearest(wanted, ids)
    throw new ConnectorError('config', `The connector ${connector.name} has no such auth method.`, {
      code: 'Usage',
      hint: guess ? `Did you mean ${guess}?` : `Methods: ${ids.join(', ') || 'none'}.`,
    })
  }
  if (methods.length <= 1) return methods[0]
  if (!prompter)
    throw new ConnectorError('config', '--auth is missing: how to prove who you are.', {
      code: 'Usage',
      hint: `Methods: ${ids.join(', ')}.`,
    })
  const choices = [...methods].sort((a, b) => Number(b.recommended ?? false) - Number(a.recommended ?? false))
  const chosen = await prompter.select({
    message: 'Authentication',
    choices: choices.map(({ id, title, description, recommended }) => ({
      value: id,
      label: recommended ? `${title} (recommended)` : title,
      ...(description === undefined ? {} : { hint: description }),
    })),
  })
  return methods.find((method) => method.id === chosen)
}

/** Asks for what is missing. The external id is not asked for: it is made. */
export const complete = async (draft: Draft, prompter: Prompter | undefined): Promise<Draft> => {
  if (!prompter) return requireComplete(draft)
  const options = wizardOptions(draft)
  const { connector, method } = draft
  const fields = await askFields(prompter, connector.config, { ...options, given: draft.fields })
  const auth = await askAuth(prompter, draft, method, draft.auth)
  if (!(await prompter.confirm({ message: 'Set optional fields too?', initial: false })))
    return { ...draft, fields, auth }
  return {
    ...draft,
    fields: await askFields(prompter, connector.config, { ...options, given: fields, optional: true }),
    auth: method
      ? await askFields(prompter, method.fields, {
          ...options,
          given: { externalId: '', ...auth },
          optional: true,
        })
      : auth,
  }
}

const wizardOptions = ({ name }: Draft): WizardOptions => ({
  isReference: (text) => text.includes('${') && hasReference(text),
  variableFor: (field: SchemaField) => secretVariable(name, field.name),
})

const askAuth = async (
  prompter: Prompter,
  draft: Draft,
  method: AuthMethod | undefined,
  auth: Fields,
): Promise<Fields> => {
  if (!method) return {}
  const given = needsExternalId(method, auth) ? { ...auth, externalId: '' } : auth
  const asked = await askFields(prompter, method.fields, { ...wizardOptions(draft), given })
  if (asked.externalId === '') delete asked.externalId
  return asked
}

/** Asks which answer is wrong, and for the right one. */
export const amend = async (draft: Draft, prompter: Prompter): Promise<Draft> => {
  const { connector, method, fields, auth } = draft
  const parts = [
    { prefix: '', known: schemaFields(connector.config), values: fields },
    { prefix: 'auth.', known: method ? schemaFields(method.fields) : [], values: auth },
  ]
  const methods: readonly AuthMethod[] = connector.auth ?? []
  const chosen = await prompter.select({
    message: 'What is to be changed?',
    choices: [
      ...parts.flatMap(({ prefix, known, values }) =>
        known.map((field) => ({
          value: prefix + field.name,
          label: field.title ?? field.name,
          hint: shown(values[field.name]),
        })),
      ),
      ...(methods.length > 1 ? [{ value: 'auth', label: 'Authentication', hint: method?.title ?? '' }] : []),
    ],
  })
  if (chosen === 'auth') {
    const other = await chooseMethod(connector, undefined, prompter)
    return { ...draft, method: other, auth: await askAuth(prompter, draft, other, {}) }
  }
  for (const { prefix, known, values } of parts) {
    const field = known.find(({ name }) => prefix + name === chosen)
    if (!field) continue
    const answer = await askField(prompter, field, { ...wizardOptions(draft), current: values[field.name] })
    if (answer === undefined) delete values[field.name]
    else values[field.name] = answer
  }
  return draft
}

const shown = (value: unknown): string => {
  if (value === undefined) return 'not set'
  return printable(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Nobody can be asked: what is missing is told as it can be given. */
const requireComplete = (draft: Draft): Draft => {
  const { name, connector, method, fields, auth } = draft
  const made = needsExternalId(method, auth) ? { ...auth, externalId: '' } : auth
  const missing = [
    ...missingOf(connector.config, fields, ''),
    ...(method ? missingOf(method.fields, made, 'auth.') : []),
  ]
  if (missing.length === 0) return draft
  const flags = missing.map(({ path, field }) =>
    field.kind === 'secret'
      ? `--set '${path}=\${env:${secretVariable(name, field.name)}}'`
      : `--set ${path}=...`,
  )
  throw new ConnectorError(
    'config',
    `${missing.map(({ path }) => path).join(', ')} of connection "${name}" ${missing.length === 1 ? 'is' : 'are'} missing.`,
    { code: 'Usage', hint: `Add ${flags.join(' ')}, or run it on a terminal, where it asks.` },
  )
}

const missingOf = (schema: AuthMethod['fields'], given: Fields, prefix: string) =>
  schemaFields(schema)
    .filter((field) => field.required && given[field.name] === undefined)
    .map((field) => ({ path: prefix + field.name, field }))

/** Makes the external id of a role that has none yet: the other side puts it into the trust policy. */
export const addExternalId = async (draft: Draft): Promise<string | undefined> => {
  if (!needsExternalId(draft.method, draft.auth)) return undefined
  const { createExternalId } = await import('@penstock/aws')
  const externalId = createExternalId()
  draft.auth.externalId = externalId
  return externalId
}
