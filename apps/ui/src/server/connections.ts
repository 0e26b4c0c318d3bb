import { errorFields } from '@penstock/command-kit'
import { type AnyConnector, type AuthMethod, ConnectorError, schemaFields } from '@penstock/core'
import {
  connectionNamed,
  connectionProblems,
  needsExternalId,
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

/** Adds a connection, or replaces one. What is wrong is told field by field, and then nothing is written. */
export const writeConnection = async (
  host: UiHost,
  name: string,
  body: Readonly<Record<string, unknown>>,
): Promise<SavedConnection> => {
  const draft = readDraft(body)
  const project = await projectOf(host)
  const created = !Object.hasOwn(project.connections, name)
  if (body.create === true && !created)
    throw invalidForm(new ConnectorError('conflict', `There is a connection "${name}" already.`), [
      { path: ['name'], message: 'is taken' },
    ])
  const connector = await host.loadConnector(draft.connector, project.folder)
  const given = draft.auth ?? {}
  const externalId = needsExternalId(methodOf(connector, given), given) ? await newExternalId() : undefined
  const auth = externalId === undefined ? draft.auth : { ...given, externalId }
  const taken = takeSecrets({ name, connector, fields: draft.fields, auth })
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
  await writeSecrets(project.folder, taken.typed)
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
  tell: (line: CheckLine) => void,
): Promise<void> => {
  const connection = await useConnection(host, await projectOf(host), name)
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
