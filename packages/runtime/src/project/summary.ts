import { type AnyConnector, type ErrorRecord, schemaFields, toConnectorError } from '@penstock/core'
import { errorRecord } from '../extract/extract.ts'
import { checkConnection } from './connection.ts'
import { connectionNamed, type Project, type ProjectConnection } from './project.ts'

/** A connection for a list. */
export interface ConnectionSummary {
  readonly name: string
  readonly connector: string
  readonly description?: string
  readonly auth?: string
  /** Fields that are no secrets, as they stand in the file. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly valid: boolean
  readonly error?: ErrorRecord
}

/** Checks a connection of the project against its connector; what is wrong is part of the summary. Calls nothing. */
export const summarizeConnection = async (
  project: Project,
  name: string,
  load: (entry: ProjectConnection) => Promise<AnyConnector>,
): Promise<ConnectionSummary> => {
  const entry = connectionNamed(project, name)
  const method = entry.auth?.method
  const base = {
    name: entry.name,
    connector: entry.connector,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(typeof method === 'string' ? { auth: method } : {}),
  }
  let connector: AnyConnector | undefined
  try {
    connector = await load(entry)
    checkConnection(project, entry.name, connector)
    return { ...base, fields: plainFields(connector, entry), valid: true }
  } catch (error) {
    const fields = connector ? plainFields(connector, entry) : {}
    return { ...base, fields, valid: false, error: errorRecord(toConnectorError(error)) }
  }
}

/** Fields that the connector knows and that hold no secret. */
const plainFields = (connector: AnyConnector, entry: ProjectConnection): Record<string, unknown> => {
  const plain = schemaFields(connector.config).filter(
    (field) => field.kind !== 'secret' && field.kind !== 'object',
  )
  const names = new Set(plain.map((field) => field.name))
  return Object.fromEntries(Object.entries(entry.fields).filter(([name]) => names.has(name)))
}
