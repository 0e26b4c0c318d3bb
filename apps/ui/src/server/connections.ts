import { randomUUID } from 'node:crypto'
import { errorFields } from '@penstock/command-kit'
import {
  type AnyConnector,
  type AuthMethod,
  type Connection,
  ConnectorError,
  schemaFields,
} from '@penstock/core'
import {
  connectionNamed,
  connectionProblems,
  needsExternalId,
  openDraft,
  type Project,
  problemsError,
  removeConnection,
  runCheck,
  saveConnection,
  summarizeConnection,
} from '@penstock/runtime'
import type { CheckLine, ConnectionDraft, ConnectionInfo, Policies, SavedConnection } from '../api.ts'
import { connectorOf, projectOf, type UiHost, useConnection } from './host.ts'
import { invalidForm } from './http.ts'
import { removeSecrets, takeSecrets, withoutPlainSecrets, writeSecrets } from './secrets.ts'

type Fields = Readonly<Record<string, unknown>>

export const connectionInfo = async (
  host: UiHost,
  project: Project,
  name: string,
): Promise<ConnectionInfo> => {
  let connector: AnyConnector | undefined
  const summary = await summarizeConnection(project, name, async ({ connector: reference }) => {
    connector = await host.loadConnector(reference, project.folder)
    return connector
  })
  return {
    ...summary,
    ...(connector ? { kind: connector.kind, title: connector.title ?? connector.name } : {}),
  }
}

/** A connection for its form. */
export const readConnection = async (host: UiHost, name: string): Promise<ConnectionDraft> => {
  const project = await projectOf(host)
  const { connector: reference, description, fields, auth } = connectionNamed(project, name)
  const connector = await connectorOf(host, project, name)
  const method = methodOf(connector, auth)
  return {
    connector: reference,
    ...(description === undefined ? {} : { description }),
    fields: withoutPlainSecrets(schemaFields(connector.config), fields),
    ...(auth ? { auth: withoutPlainSecrets(method ? schemaFields(method.fields) : [], auth) } : {}),
  }
}

const methodOf = (connector: AnyConnector, auth: Fields | undefined): AuthMethod | undefined =>
  ((connector.auth ?? []) as readonly AuthMethod[]).find(({ id }) => id === auth?.method)

/**
 * A draft as the project file would have it, with the secrets that were typed under a name of their own. What is wrong is
 * told field by field.
 */
const editOf = async (
  host: UiHost,
  project: Project,
  name: string,
  body: Readonly<Record<string, unknown>>,
  secretsUnder = name,
) => {
  const draft = readDraft(body)
  const created = !Object.hasOwn(project.connections, name)
  if (body.create === true && !created)
    throw invalidForm(new ConnectorError('conflict', `There is a connection "${name}" already.`), [
      { path: ['name'], message: 'is taken' },
    ])
  const connector = await host.loadConnector(draft.connector, project.folder)
  const given = draft.auth ?? {}
  const externalId = needsExternalId(methodOf(connector, given), given) ? await newExternalId() : undefined
  const auth = externalId === undefined ? draft.auth : { ...given, externalId }
  const taken = takeSecrets({ name: secretsUnder, connector, fields: draft.fields, auth })
  const edit = {
    name,
    connector,
    reference: draft.connector,
    fields: taken.fields,
    ...(draft.description ? { description: draft.description } : {}),
    ...(taken.auth ? { auth: taken.auth } : {}),
  }
  const problems = connectionProblems(edit)
  if (problems.length > 0) throw invalidForm(problemsError(problems), problems)
  host.addSecrets(taken.typed.map(({ text }) => text))
  return { edit, typed: taken.typed, externalId, created }
}

/** Adds a connection, or replaces one. Where something is wrong, nothing is written. */
export const writeConnection = async (
  host: UiHost,
  name: string,
  body: Readonly<Record<string, unknown>>,
): Promise<SavedConnection> => {
  const project = await projectOf(host)
  const { edit, typed, externalId, created } = await editOf(host, project, name, body)
  await writeSecrets(project.folder, typed)
  const saved = await saveConnection(project, edit)
  const { trust } = await policies(host, saved, name).catch((): Policies => ({}))
  return {
    name,
    created,
    ...(externalId === undefined ? {} : { externalId }),
    ...(trust === undefined ? {} : { trust }),
  }
}

const newExternalId = async (): Promise<string> => (await import('@penstock/aws')).createExternalId()

const readDraft = ({
  connector,
  description,
  fields,
  auth,
}: Readonly<Record<string, unknown>>): ConnectionDraft => {
  if (typeof connector !== 'string' || !isFields(fields) || (auth !== undefined && !isFields(auth)))
    throw new ConnectorError('config', 'A connection has a connector and fields.')
  return {
    connector,
    fields,
    ...(typeof description === 'string' ? { description } : {}),
    ...(auth === undefined ? {} : { auth }),
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Removes a connection, with the secrets that were kept for it. */
export const deleteConnection = async (host: UiHost, name: string): Promise<void> => {
  const project = await projectOf(host)
  await removeConnection(project, name)
  await removeSecrets(project.folder, name)
}

/** Tests a connection; each step is told as soon as it is known. */
export const checkSteps = async (
  host: UiHost,
  name: string,
  signal: AbortSignal,
  tell: Tell,
): Promise<void> => testSteps(await useConnection(host, await projectOf(host), name), signal, tell)

type Tell = (line: CheckLine) => void

/**
 * A test of what a form says, before anything is saved. Throws where a field is wrong; what it gives runs the test and
 * leaves nothing.
 */
export const draftCheck = async (
  host: UiHost,
  name: string,
  body: Readonly<Record<string, unknown>>,
): Promise<(signal: AbortSignal, tell: Tell) => Promise<void>> => {
  const project = await projectOf(host)
  const kept = `.draft-${randomUUID()}`
  const { edit, typed } = await editOf(host, project, name, body, kept)
  return async (signal, tell) => {
    try {
      await writeSecrets(project.folder, typed)
      const connection = await openDraft(project, edit)
      host.addSecrets(connection.secrets())
      await testSteps(connection, signal, tell)
    } finally {
      await removeSecrets(project.folder, kept)
    }
  }
}

const testSteps = async (connection: Connection, signal: AbortSignal, tell: Tell): Promise<void> => {
  const steps = await runCheck(connection, {
    signal,
    onStep: ({ error, ...step }) => tell({ step: error ? { ...step, error: errorFields(error) } : step }),
  })
  tell({ done: steps.some(({ status }) => status === 'failed') ? 'failed' : 'passed' })
}

/** What has to be allowed on the other side. */
export const connectionPolicies = async (host: UiHost, name: string): Promise<Policies> =>
  policies(host, await projectOf(host), name)

const policies = async (host: UiHost, project: Project, name: string): Promise<Policies> => {
  const { connector, config, authMethod, authFields } = await useConnection(host, project, name, {
    secrets: 'optional',
  })
  return connector.policy?.({ config, authMethod, authFields }, {}) ?? {}
}
