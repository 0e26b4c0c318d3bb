import { Flags } from '@penstock/command-kit'
import { type AnyConnector, type ErrorRecord, schemaFields, toConnectorError } from '@penstock/core'
import {
  checkConnection,
  errorRecord,
  type Project,
  type ProjectConnection,
  removeConnection,
} from '@penstock/runtime'
import { loadConnector } from '../lib/connectors.ts'
import { ProjectCommand } from '../lib/project-command.ts'

interface ConnectionSummary {
  readonly name: string
  readonly connector: string
  readonly description?: string
  readonly auth?: string
  /** Fields that are no secrets, as they stand in the file. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly valid: boolean
  readonly error?: ErrorRecord
}

/** Lists the connections of the project, or removes one. */
export class Connections extends ProjectCommand {
  static override summary = 'List the connections of the project, or remove one.'
  static override description =
    'Each connection is checked against its connector: fields, and secrets that stand in plain text. Nothing is called; that is what `check` does.'
  static override examples = [
    { description: 'All connections', command: '<%= config.bin %> connections' },
    { description: 'Remove one', command: '<%= config.bin %> connections --remove lake' },
  ]
  static override flags = {
    remove: Flags.string({ description: 'Remove this connection from the project.', helpValue: 'NAME' }),
  }

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Connections)
    const project = await this.openProject(flags.project)
    if (flags.remove !== undefined) {
      await removeConnection(project, flags.remove)
      this.print(`${this.outStyle.green('✔')} Removed connection ${flags.remove}.`)
      return { removed: flags.remove }
    }
    const connections = await Promise.all(
      Object.values(project.connections).map((entry) => summarize(project, entry)),
    )
    this.#show(connections)
    return { connections }
  }

  #show(connections: readonly ConnectionSummary[]): void {
    if (connections.length === 0) {
      this.print(`The project has no connections yet. Add one with: ${this.config.bin} connect NAME`)
      return
    }
    const described = connections.some((connection) => connection.description !== undefined)
    this.printTable(
      [
        { title: 'NAME', cut: 'never' },
        { title: 'CONNECTOR', cut: 'middle' },
        { title: 'AUTH' },
        { title: 'FIELDS' },
        ...(described ? [{ title: 'DESCRIPTION' }] : []),
      ],
      connections.map(({ name, connector, auth = '', fields, valid, description = '' }) => [
        valid ? name : `${name} ✖`,
        connector,
        auth,
        Object.entries(fields)
          .map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
          .join(' '),
        description,
      ]),
    )
    for (const { name, error } of connections)
      if (error)
        this.notice(
          `\n${this.errStyle.red('✖')} ${name}: ${error.message}${error.hint ? `\n→ ${error.hint}` : ''}`,
        )
  }
}

const summarize = async (project: Project, entry: ProjectConnection): Promise<ConnectionSummary> => {
  const method = entry.auth?.method
  const base = {
    name: entry.name,
    connector: entry.connector,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(typeof method === 'string' ? { auth: method } : {}),
  }
  let connector: AnyConnector | undefined
  try {
    connector = await loadConnector(entry.connector, project.folder)
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
