import { type Connection, ConnectorError } from '@penstock/core'
import type { PipelineContext, Project } from '@penstock/runtime'
import { openEngine } from './engine.ts'
import { ProjectCommand } from './project-command.ts'

/** What the commands share that run pipelines. */
export abstract class PipelineCommand extends ProjectCommand {
  /** All connections of a pipeline, opened before anything runs: what is missing is told at once. */
  protected async openConnections(
    project: Project,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Connection>> {
    const connections = new Map<string, Connection>()
    for (const name of names) connections.set(name, await this.openConnection(project, name))
    return connections
  }

  protected pipelineContext(project: Project, connections: ReadonlyMap<string, Connection>): PipelineContext {
    return {
      project,
      openConnection: async (name) => {
        const connection = connections.get(name)
        if (connection) return connection
        throw new ConnectorError('internal', `The connection ${name} was not opened.`)
      },
      openEngine,
      redact: (value) => this.redactor.value(value),
      addSecrets: (secrets) => this.redactor.add(secrets),
    }
  }
}
