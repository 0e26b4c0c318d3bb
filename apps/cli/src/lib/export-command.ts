import { Flags, type Interfaces, parseFlags, readFlags } from '@penstock/command-kit'
import { type AnyDestination, exportModes, requireKind } from '@penstock/core'
import { options as postgresOptions } from '@penstock/destination-postgres'
import { options as s3Options } from '@penstock/destination-s3'
import { exportMode, resourceOptions } from '@penstock/runtime'
import { requireFile } from '../commands/runs.ts'
import { withEngine } from './engine.ts'
import { type Exporting, optionFlags, optionsFromFlags, streamFlags, streamsFromFlags } from './exporting.ts'
import {
  connectionArgument,
  connectorInArguments,
  ProjectCommand,
  requireConnection,
} from './project-command.ts'
import { resourceFlags } from './selection.ts'

const commonFlags: Interfaces.FlagInput = {
  from: Flags.string({
    description: 'DuckDB file that the tables are in, and that --sql runs on.',
    helpValue: 'FILE.duckdb',
  }),
  'read-only': Flags.boolean({
    description: 'Open the file for reading only; what the export remembers goes to the project.',
  }),
  mode: Flags.string({
    description:
      'append adds, overwrite (or full) replaces what this export wrote before, merge replaces rows of the same key, where the destination can (default: append).',
    options: [...exportModes, 'full'],
  }),
  name: Flags.string({ description: 'Name of the export (default: its streams).', helpValue: 'NAME' }),
  stream: Flags.string({
    description: 'Names of the streams, in order: first of the tables, then of the SELECTs.',
    helpValue: 'NAME',
    multiple: true,
    multipleNonGreedy: true,
  }),
}

const sharedFlags: Interfaces.FlagInput = { ...streamFlags, ...commonFlags, ...resourceFlags }

/** Flags that the help shows where no connection is named: with the options of the destinations that come along. */
export const exportFlags: Interfaces.FlagInput = {
  ...optionFlags({ name: 'destination-s3', options: s3Options }),
  ...optionFlags({ name: 'destination-postgres', options: postgresOptions }),
  ...sharedFlags,
}

type ExportInput = Interfaces.Input<
  Interfaces.OutputFlags<Interfaces.FlagInput>,
  Interfaces.OutputFlags<Interfaces.FlagInput>,
  Interfaces.OutputArgs<Interfaces.ArgInput>
>

export interface ExportArguments {
  readonly exporting: Omit<Exporting, 'engine' | 'onProgress'>
  readonly flags: Readonly<Record<string, unknown>>
  /** Opens the database for the time of `use`. */
  readonly withDatabase: <Result>(
    use: (engine: Exporting['engine']) => Promise<Result>,
    options?: { readOnly: boolean },
  ) => Promise<Result>
}

/** What `export` and `keys` share: the destination decides which flags say how it is written. */
export abstract class ExportCommand extends ProjectCommand {
  protected async readExportArguments(ownFlags: Interfaces.FlagInput = {}): Promise<ExportArguments> {
    const named = await connectorInArguments(this.argv)
    const own = named?.kind === 'destination' ? optionFlags(named) : {}
    const { args, flags } = await this.parse({
      args: { connection: connectionArgument },
      flags: { ...own, ...sharedFlags, ...ownFlags },
      baseFlags: ProjectCommand.baseFlags,
      enableJsonFlag: true,
    } as ExportInput).catch(async (error: unknown) => {
      // Flags of a destination are unknown without it: that it is not there comes first.
      if (!named) await requireConnection(this.argv)
      throw error
    })
    const project = await this.openProject(flags.project)
    const name = String(args.connection)
    const connector: AnyDestination = requireKind(await this.connectorOf(project, name), 'destination')
    const resources = parseFlags(resourceOptions, readFlags(resourceOptions, flags))
    const streams = streamsFromFlags(flags)
    const given = optionsFromFlags(connector, flags)
    const connection = await this.openConnection(project, name)
    const from = flags.from === undefined ? ':memory:' : String(flags.from)
    if (from !== ':memory:') await requireFile(from)
    return {
      exporting: {
        destination: { ...connection, connector },
        streams,
        options: given,
        mode: exportMode.optional().parse(flags.mode),
        name: flags.name as string | undefined,
        resources,
        projectFolder: project.folder,
        signal: this.signal,
        command: 'export',
      },
      flags,
      withDatabase: (use, { readOnly } = { readOnly: flags['read-only'] === true }) =>
        withEngine(from, { ...resources, readOnly: readOnly && from !== ':memory:' }, use),
    }
  }
}
