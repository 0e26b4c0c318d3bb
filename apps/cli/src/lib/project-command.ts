import { Args, BaseCommand, Flags, type Interfaces } from '@penstock/command-kit'
import { type AnyConnector, type Connection, ConnectorError } from '@penstock/core'
import { connectionNamed, initProject, openConnection, openProject, type Project } from '@penstock/runtime'
import { loadConnector } from './connectors.ts'

/** The argument CONNECTION of many commands. */
export const connectionArgument = Args.string({
  name: 'connection',
  description: 'Connection of the project.',
  required: true,
  ignoreStdin: true,
})

export const projectFlag = {
  project: Flags.string({
    description: 'Project file, or its folder (default: the nearest penstock.yaml).',
    helpValue: 'PATH',
    helpGroup: 'GLOBAL',
    env: 'PENSTOCK_PROJECT',
  }),
}

/** What commands share that work with a project file. */
export abstract class ProjectCommand extends BaseCommand {
  static override baseFlags: Interfaces.FlagInput = { ...BaseCommand.baseFlags, ...projectFlag }

  protected openProject(given: unknown): Promise<Project> {
    return openProject({ cwd: process.cwd(), given: given as string | undefined })
  }

  /** The project, made now where there is none. */
  protected async openOrStartProject(given: unknown): Promise<Project> {
    try {
      return await this.openProject(given)
    } catch (error) {
      if (!ConnectorError.isInstance(error) || error.code !== 'NoProject') throw error
      const { file } = await initProject(String(given ?? process.cwd()))
      this.notice(`Started a project: ${file}`)
      return openProject({ cwd: process.cwd(), given: file })
    }
  }

  /** The connector of a connection of the project. */
  protected connectorOf(project: Project, name: string): Promise<AnyConnector> {
    return loadConnector(connectionNamed(project, name).connector, project.folder)
  }

  /** A connection ready for use. Its secrets are hidden from every output from now on. */
  protected async openConnection(
    project: Project,
    name: string,
    options: { secrets?: 'required' | 'optional' } = {},
  ): Promise<Connection> {
    const connection = await openProjectConnection(project, name, options)
    this.redactor.add(connection.secrets())
    return connection
  }
}

/**
 * Connector of the first word that names a connection: its schema has to be known before flags can be read. Nothing
 * is wrong yet when there is none.
 */
export const connectorInArguments = async (argv: readonly string[]): Promise<AnyConnector | undefined> => {
  const project = await projectOf(argv).catch(() => undefined)
  const name = argv.find((word) => project !== undefined && Object.hasOwn(project.connections, word))
  if (!project || name === undefined) return undefined
  return loadConnector(connectionNamed(project, name).connector, project.folder)
}

const projectOf = (argv: readonly string[]): Promise<Project> => {
  const given = argv.includes('--project')
    ? argv[argv.indexOf('--project') + 1]
    : process.env.PENSTOCK_PROJECT
  return openProject({ cwd: process.cwd(), given })
}

/** Throws when the first word names no connection; nothing where the first word is a flag, or none. */
export const requireConnection = async (argv: readonly string[]): Promise<void> => {
  const [first = '-'] = argv
  if (!first.startsWith('-')) connectionNamed(await projectOf(argv), first)
}

/** The connection of a project, with its connector loaded. */
export const openProjectConnection = async (
  project: Project,
  name: string,
  options: { secrets?: 'required' | 'optional' } = {},
): Promise<Connection> => {
  const connector = await loadConnector(connectionNamed(project, name).connector, project.folder)
  return openConnection(project, name, connector, options)
}
