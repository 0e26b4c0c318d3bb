import { type Connection, ConnectorError, toConnectorError } from '@penstock/core'
import { type OpenConnectionOptions, openConnection } from './connection.ts'
import type { ConnectionEdit } from './edit.ts'
import { type Project, parseProject } from './project.ts'

/**
 * A connection that is not saved yet, ready for use: to be tested first. Errors are those of `openConnection`, but name
 * no line of the project file, where it does not stand.
 */
export const openDraft = async (
  project: Project,
  { name, connector, reference, fields, auth }: ConnectionEdit,
  options: OpenConnectionOptions = {},
): Promise<Connection> => {
  // JSON is YAML, too.
  const text = JSON.stringify({ connections: { [name]: { ...fields, connector: reference, auth } } })
  try {
    return await openConnection(parseProject(text, project.file), name, connector, options)
  } catch (error) {
    throw withoutPlace(toConnectorError(error))
  }
}

const withoutPlace = (error: ConnectorError): ConnectorError =>
  new ConnectorError(error.kind, error.message.replace(/^\S*:\d+:\d+: /, ''), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.code === undefined ? {} : { code: error.code }),
    cause: error,
  })
