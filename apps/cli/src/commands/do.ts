import { Args, actionCommand, findAction, printable, showActionHelp, showHelp } from '@penstock/command-kit'
import { type AnyAction, type AnyActions, ConnectorError, requireKind } from '@penstock/core'
import { openProject } from '@penstock/runtime'
import { openProjectConnection, ProjectCommand } from '../lib/project-command.ts'

/** Runs an action of any connection, a third party's included. */
export class Do extends ProjectCommand {
  static override summary = 'Run an action of a connection.'
  static override description =
    'Runs an action of a connection of the project, of whatever connector: arguments and flags are those of the action. Without an action it lists them. Actions on S3 have commands of their own (penstock s3).'
  static override examples = [
    { description: 'What it can do', command: '<%= config.bin %> do tools' },
    { description: 'One of it', command: '<%= config.bin %> do tools list-files incoming/ --limit 5' },
  ]
  static override usage = 'do CONNECTION [ACTION] [ARGUMENTS] [flags of the action]'
  /** Its help is that of the action, where one is named. */
  static readonly ownHelp = true
  static override args = {
    connection: Args.string({
      name: 'connection',
      description: 'Connection of the project.',
      ignoreStdin: true,
    }),
    action: Args.string({
      name: 'action',
      description: 'Name of the action, long or short.',
      ignoreStdin: true,
    }),
  }

  async run(): Promise<unknown> {
    // The action's flags are not known before the action is.
    const [connectionName, word, ...rest] = this.argv
    const help = this.argv.includes('--help')
    if (help && (word === undefined || [connectionName, word].some((text) => text?.startsWith('-')))) {
      this.parsed = true
      return showHelp(this.config, 'do')
    }
    if (connectionName === undefined || connectionName.startsWith('-')) {
      await this.parse(Do)
      throw new ConnectorError('config', 'CONNECTION is missing.', {
        code: 'Usage',
        hint: `See: ${this.config.bin} do --help`,
      })
    }
    const at = this.argv.indexOf('--project')
    const project = await openProject({
      cwd: process.cwd(),
      given: at === -1 ? process.env.PENSTOCK_PROJECT : this.argv[at + 1],
    })
    const connector = requireKind(await this.connectorOf(project, connectionName), 'actions')
    if (word === undefined || word.startsWith('-')) {
      await this.parse(Do)
      return this.#list(connector)
    }
    const command = actionCommand({
      connector,
      action: findAction(connector, word).name,
      connection: connectionName,
      flags: ProjectCommand.baseFlags,
      openConnection: (name) => openProjectConnection(project, name),
    })
    this.parsed = true
    if (help) return showActionHelp(this.config, command, ['do', connectionName, word])
    // The action's own command reads the words, and prints the result.
    await command.run(rest, this.config)
    return undefined
  }

  #list(connector: AnyActions): unknown {
    const actions = Object.entries(connector.actions as Readonly<Record<string, AnyAction>>)
    this.printTable(
      [{ title: 'ACTION' }, { title: 'ARGUMENTS' }, { title: 'WHAT' }],
      actions.map(([name, action]) => [
        [name, ...(action.aliases ?? [])].join(', '),
        (action.arguments ?? []).map((argument) => argument.toUpperCase()).join(' '),
        printable(action.title),
      ]),
    )
    return {
      connector: connector.name,
      actions: actions.map(([name, { title, aliases = [] }]) => ({ name, title, aliases })),
    }
  }
}
