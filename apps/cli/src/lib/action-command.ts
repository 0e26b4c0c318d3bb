import { type ActionCommandClass, actionCommand } from '@penstock/command-kit'
import { type AnyActions, type Connection, ConnectorError } from '@penstock/core'
import { openProject } from '@penstock/runtime'
import { openProjectConnection, projectFlag } from './project-command.ts'

/** The command of an action of this connector, at home in a project. The short name is its id, the long one an alias. */
export const projectActionCommand = (
  connector: AnyActions,
  action: string,
  aliases: readonly string[] = [],
): ActionCommandClass =>
  actionCommand({
    connector,
    action,
    aliases,
    flags: projectFlag,
    openConnection: async (name, flags): Promise<Connection> => {
      const project = await openProject({ cwd: process.cwd(), given: flags.project as string | undefined })
      const connection = await openProjectConnection(project, name)
      if (connection.connector.name === connector.name) return connection
      throw new ConnectorError(
        'config',
        `Connection "${name}" is one of ${connection.connector.name}, not of ${connector.name}.`,
        { code: 'WrongConnectorKind', hint: `Make one with: penstock connect ${connector.name}` },
      )
    },
  })
