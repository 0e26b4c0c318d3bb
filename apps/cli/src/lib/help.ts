import { type Command, Help } from '@oclif/core'

/** Commands whose flags depend on the connection that they are for. */
const byConnection = ['export', 'keys']

/** Help that shows the flags of the named connection's destination alone: `penstock export lake --help`. */
export default class ConnectionHelp extends Help {
  #argv: readonly string[] = []

  override async showHelp(argv: string[]): Promise<void> {
    this.#argv = argv
    await super.showHelp(argv)
  }

  override async showCommandHelp(command: Command.Loadable): Promise<void> {
    await super.showCommandHelp(
      byConnection.includes(command.id) ? await withOwnFlags(command, this.#argv) : command,
    )
  }
}

const withOwnFlags = async (
  command: Command.Loadable,
  argv: readonly string[],
): Promise<Command.Loadable> => {
  const [{ connectorInArguments }, { isDestinationGroup, optionFlags }] = await Promise.all([
    import('./project-command.ts'),
    import('./exporting.ts'),
  ])
  // A connection that can't be loaded is no reason to show no help.
  const connector = await connectorInArguments(argv).catch(() => undefined)
  if (connector?.kind !== 'destination') return command
  const shared = Object.entries(command.flags).filter(([, { helpGroup }]) => !isDestinationGroup(helpGroup))
  const flags = { ...Object.fromEntries(shared), ...optionFlags(connector) } as Command.Loadable['flags']
  return { ...command, flags }
}
