import { countOf } from '@penstock/command-kit'
import { joinName, type ListedNamespace, listNamespaces } from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Shows the namespaces of a catalog. */
export class Namespaces extends ProjectCommand {
  static override summary = 'Show the namespaces of a catalog.'
  static override description =
    'Lists the namespaces (databases) of a zero-copy connection, and which of them it shares. A missing permission is an error, never an empty list.'
  static override examples = [
    { description: 'Of the connection warehouse', command: '<%= config.bin %> namespaces warehouse' },
    { description: 'For a script', command: '<%= config.bin %> namespaces warehouse --json' },
  ]
  static override args = { connection: connectionArgument }

  async run(): Promise<{ connection: string; namespaces: readonly ListedNamespace[] }> {
    const { args, flags } = await this.parse(Namespaces)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection)
    const namespaces = await listNamespaces(connection, {
      signal: this.signal,
      notice: (message) => this.notice(message),
    })
    this.#show(namespaces, args.connection)
    return { connection: args.connection, namespaces }
  }

  #show(namespaces: readonly ListedNamespace[], connection: string): void {
    if (namespaces.length === 0) {
      this.print('The catalog has no namespaces.')
      return
    }
    const described = namespaces.some(({ description }) => description !== undefined)
    this.printTable(
      [
        { title: 'NAMESPACE', cut: 'middle' },
        { title: 'SHARED', cut: 'never' },
        ...(described ? [{ title: 'DESCRIPTION' }] : []),
      ],
      namespaces.map(({ namespace, shared, description = '' }) => [
        joinName(namespace),
        shared ? 'yes' : 'no',
        ...(described ? [description] : []),
      ]),
    )
    const first = joinName(namespaces[0]?.namespace ?? [])
    this.notice(
      `\n${countOf(namespaces.length, 'namespace')}. Its tables:\n  ${this.config.bin} tables ${connection} --namespace ${first}`,
    )
  }
}
