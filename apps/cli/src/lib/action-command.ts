import { type ActionCommandClass, actionCommand, findAction } from '@penstock/command-kit'
import {
  type AnyActions,
  type AnyConnector,
  type AuthMethod,
  type Connection,
  ConnectorError,
} from '@penstock/core'
import { connectionNamed, openConnection, openProject, type ProjectConnection } from '@penstock/runtime'
import { loadConnector } from './connectors.ts'
import { projectFlag } from './project-command.ts'

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
      const given = (flags.project as string | undefined) ?? process.env.PENSTOCK_PROJECT
      const project = await openProject({ cwd: process.cwd(), given })
      const entry = connectionNamed(project, name)
      const own = await loadConnector(entry.connector, project.folder)
      if (own.name === connector.name) return openConnection(project, name, own)
      refuseUse(own, entry, connector, action)
      return openConnection(project, name, own, { as: connector })
    },
  })

/**
 * A connection of another connector serves as well where its auth method is the same: who has a source or a destination
 * need not describe the bucket again. It must not do more than it was made for.
 */
const refuseUse = (
  own: AnyConnector,
  entry: ProjectConnection,
  connector: AnyActions,
  word: string,
): void => {
  const refusal = (message: string): ConnectorError =>
    new ConnectorError('config', message, {
      code: 'WrongConnectorKind',
      hint: `Make one for it with: penstock connect ${connector.name}`,
    })
  const methods: readonly AuthMethod[] = own.auth ?? []
  const method = methods.find(({ id }) => id === entry.auth?.method)
  if (!method || !connector.auth?.includes(method))
    throw refusal(`Connection "${entry.name}" is one of ${own.name}, not of ${connector.name}.`)
  if (findAction(connector, word).action.readOnly) return
  if (own.kind === 'source' || own.kind === 'zero-copy')
    throw refusal(`Connection "${entry.name}" is one of ${own.name}, which only reads.`)
  if (entry.fields.prefix !== undefined)
    throw refusal(
      `Connection "${entry.name}" is confined to ${String(entry.fields.prefix)}, and this could change what is outside.`,
    )
}
