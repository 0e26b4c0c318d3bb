import { Flags } from '@penstock/command-kit'
import { type ConnectionSummary, removeConnection, summarizeConnection } from '@penstock/runtime'
import { loadConnector } from '../lib/connectors.ts'
import { ProjectCommand } from '../lib/project-command.ts'

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
      Object.values(project.connections).map(({ name }) =>
        summarizeConnection(project, name, ({ connector }) => loadConnector(connector, project.folder)),
      ),
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
