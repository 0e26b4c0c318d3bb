import { Args, CommandFailure } from '@penstock/command-kit'
import type { Connection, RunRecord } from '@penstock/core'
import { openPipeline } from '@penstock/runtime'
import { withEngine } from '../lib/engine.ts'
import { errorOf, resultColumns, resultRows, runExtraction } from '../lib/extraction.ts'
import { ProjectCommand } from '../lib/project-command.ts'

interface PipelineResult {
  readonly pipeline: string
  readonly status: RunRecord['status']
  readonly into: string
  /** One run per connection, in the order of the file. */
  readonly runs: readonly RunRecord[]
}

/** Runs a pipeline of the project. */
export class Run extends ProjectCommand {
  static override summary = 'Run a pipeline of penstock.yaml: many tables in one go.'
  static override description =
    'Loads the tables of the pipeline in their order, each as a whole or not at all. The first failure ends the run; tables before it stay loaded. Tables of several connections are several runs in the history.'
  static override examples = [
    { description: 'Run the pipeline daily', command: '<%= config.bin %> run daily' },
  ]
  static override args = {
    pipeline: Args.string({ description: 'Pipeline of the project.', required: true, ignoreStdin: true }),
  }

  async run(): Promise<PipelineResult> {
    const { args, flags } = await this.parse(Run)
    const project = await this.openProject(flags.project)
    const pipeline = await openPipeline(project, args.pipeline, (name) => this.connectorOf(project, name))
    const connections: Connection[] = []
    for (const group of pipeline.groups)
      connections.push(await this.openConnection(project, group.connection))
    const progress = this.startProgress()
    const runs: RunRecord[] = []
    await withEngine(pipeline.into, pipeline.resources, async (engine) => {
      for (const [index, group] of pipeline.groups.entries()) {
        const connection = connections[index]
        if (!connection) continue
        const run = await runExtraction(
          {
            connection,
            tables: group.tables,
            engine,
            resources: pipeline.resources,
            command: 'run',
            pipeline: pipeline.name,
            signal: this.signal,
            onProgress: progress.onProgress,
          },
          {
            folder: project.folder,
            redact: (value) => this.redactor.value(value),
            onProblem: (message) => this.notice(message),
          },
        )
        runs.push(run)
        if (run.status !== 'succeeded') break
      }
    })
    progress.stop()
    const rows = runs.flatMap(resultRows)
    if (rows.length > 0) this.printTable(resultColumns, rows)
    const last = runs.at(-1)
    const result = {
      pipeline: pipeline.name,
      status: last?.status ?? 'succeeded',
      into: pipeline.into,
      runs,
    } as const
    const error = last && errorOf(last)
    if (error) throw new CommandFailure(error, result)
    return result
  }
}
