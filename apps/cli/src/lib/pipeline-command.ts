import type { Connection } from '@penstock/core'
import {
  openPipelineConnections,
  type PipelineContext,
  type Project,
  pipelineContext,
} from '@penstock/runtime'
import { openEngine } from './engine.ts'
import { ProjectCommand } from './project-command.ts'

/** What the commands share that run pipelines. */
export abstract class PipelineCommand extends ProjectCommand {
  protected openConnections(
    project: Project,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Connection>> {
    return openPipelineConnections(names, (name) => this.openConnection(project, name))
  }

  protected pipelineContext(project: Project, connections: ReadonlyMap<string, Connection>): PipelineContext {
    return pipelineContext({
      project,
      connections,
      openEngine,
      redact: (value) => this.redactor.value(value),
      addSecrets: (secrets) => this.redactor.add(secrets),
    })
  }
}
