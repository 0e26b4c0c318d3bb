import { parseFlags, readFlags } from '@penstock/command-kit'
import { type AnyZeroCopy, type Connection, connectionOfKind } from '@penstock/core'
import { type InPlaceOptions, type Project, type ResourceOptions, resourceOptions } from '@penstock/runtime'
import { withEngine } from './engine.ts'
import { isWriting, queryStaging, readVersion, scanCache } from './in-place.ts'
import { ProjectCommand } from './project-command.ts'

/** What `query` and `explain` share: connections, an engine, and ceilings from flags. */
export abstract class InPlaceCommand extends ProjectCommand {
  protected readResources(flags: Readonly<Record<string, unknown>>): ResourceOptions {
    return parseFlags(resourceOptions, readFlags(resourceOptions, flags))
  }

  /** Opens the connections that the flags name, and the DuckDB file: for writing only where the SQL keeps rows. */
  protected async withInPlace<Result>(
    sql: string,
    flags: Readonly<Record<string, unknown>>,
    use: (options: InPlaceOptions, project: Project) => Promise<Result>,
  ): Promise<Result> {
    const resources = this.readResources(flags)
    const project = await this.openProject(flags.project)
    const connections: Connection<AnyZeroCopy>[] = []
    for (const name of (flags.connection ?? []) as readonly string[])
      connections.push(connectionOfKind(await this.openConnection(project, name), 'zero-copy'))
    const from = flags.from as string | undefined
    const writes = from !== undefined && isWriting(sql)
    const engineOptions = {
      ...resources,
      ...(writes ? {} : { stagingFolder: queryStaging(resources) }),
      ...(from === undefined || writes ? {} : { readOnly: true }),
    }
    const { staging, concurrency } = resources
    return withEngine(from ?? ':memory:', engineOptions, (engine) =>
      use(
        {
          sql,
          connections,
          engine,
          at: readVersion(flags.at as string | undefined),
          signal: this.signal,
          concurrency,
          limits: staging === undefined ? {} : { diskBytes: staging },
          cache: scanCache(flags.cache as string | undefined),
          notice: (message) => this.notice(message),
        },
        project,
      ),
    )
  }
}
