import { type Interfaces, parseFlags, readFlags } from '@penstock/command-kit'
import { type AnySource, type Connection, requireKind } from '@penstock/core'
import { type Project, type ResourceOptions, resourceOptions } from '@penstock/runtime'
import { selection } from '@penstock/source-s3'
import { connectionArgument, connectorInArguments, ProjectCommand } from './project-command.ts'
import { loadFlags, requestsFromFlags, resourceFlags, selectionFlags, selectionFlagsOf } from './selection.ts'

/** Connector whose selection the help shows; another one brings its own. */
const shownConnector = 'source-s3'

/** Flags of `extract` and `plan`. */
export const loadCommandFlags: Interfaces.FlagInput = {
  ...selectionFlags(selection),
  ...loadFlags,
  ...resourceFlags,
}

type LoadInput = Interfaces.Input<
  Interfaces.OutputFlags<Interfaces.FlagInput>,
  Interfaces.OutputFlags<Interfaces.FlagInput>,
  Interfaces.OutputArgs<Interfaces.ArgInput>
>

export interface LoadArguments {
  readonly project: Project
  readonly connection: Connection
  readonly tables: readonly Readonly<Record<string, unknown>>[]
  readonly resources: ResourceOptions
  readonly flags: Readonly<Record<string, unknown>>
}

/** What `extract` and `plan` share: the connection decides which flags choose its tables. */
export abstract class LoadCommand extends ProjectCommand {
  protected async readLoadArguments(ownFlags: Interfaces.FlagInput): Promise<LoadArguments> {
    const named = await connectorInArguments(this.argv)
    const foreign = named && named.name !== shownConnector ? requireKind(named, 'source') : undefined
    const flagsFor = (connector: AnySource): Interfaces.FlagInput => ({
      ...selectionFlagsOf(connector),
      ...loadFlags,
      ...resourceFlags,
      ...ownFlags,
    })
    const { args, flags } = await this.parse({
      args: { connection: connectionArgument },
      flags: foreign ? flagsFor(foreign) : { ...loadCommandFlags, ...ownFlags },
      baseFlags: ProjectCommand.baseFlags,
      enableJsonFlag: true,
    } as LoadInput)
    const project = await this.openProject(flags.project)
    const name = String(args.connection)
    const connector = requireKind(await this.connectorOf(project, name), 'source')
    const resources = parseFlags(resourceOptions, readFlags(resourceOptions, flags))
    const tables = requestsFromFlags(connector, flags)
    const connection = await this.openConnection(project, name)
    return { project, connection, tables, resources, flags }
  }
}
