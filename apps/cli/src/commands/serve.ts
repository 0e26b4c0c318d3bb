import { exitCodes, Flags, toJson } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import {
  errorOf,
  openPipeline,
  type PipelineEvent,
  recordFailedStart,
  runPipeline,
  type ServedRun,
  serve,
} from '@penstock/runtime'
import { PipelineCommand } from '../lib/pipeline-command.ts'
import { type LogEntry, runEntry, serveEntry } from '../lib/serve-log.ts'

/** Runs the schedules of the project. */
export class Serve extends PipelineCommand {
  static override summary = 'Run the pipelines of the project when they are due, in the foreground.'
  static override description =
    'One instance per project, one run per pipeline at a time. Ctrl-C or SIGTERM ends it; a second one at once. A run that was interrupted, also by kill -9, goes on at the next start as the same run: finished steps stay done, an export writes the same files. penstock.yaml is read again when it changes. The log goes to stdout, with --json as one JSON object a line.'
  static override examples = [
    { description: 'Follow all schedules', command: '<%= config.bin %> serve' },
    {
      description: 'Run what is due and end, for a cron job',
      command: '<%= config.bin %> serve --once',
    },
    {
      description: 'Let a step end before stopping, log for machines',
      command: '<%= config.bin %> serve --on-stop finish --json',
    },
  ]
  static override flags = {
    once: Flags.boolean({
      description: 'Run what is due now and end. The exit code is that of the first failure.',
    }),
    'on-stop': Flags.string({
      description: 'What Ctrl-C and SIGTERM do to the step that runs.',
      options: ['cancel', 'finish'],
      default: 'cancel',
    }),
    'max-runs': Flags.string({
      description: 'Pipelines that run at once.',
      helpValue: 'N',
      default: '2',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Serve)
    const concurrency = Number(flags['max-runs'])
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64)
      throw new ConnectorError('config', '--max-runs must be a whole number from 1 to 64.', { code: 'Usage' })
    const { file } = await this.openProject(flags.project)
    const runs = await serve({
      file,
      run: this.#run,
      signal: this.signal,
      once: flags.once,
      onStop: flags['on-stop'] as 'cancel' | 'finish',
      concurrency,
      onEvent: (event) => this.#log(serveEntry(event)),
    })
    const failed = runs.map(errorOf).find((error) => error !== undefined)
    // Stopping is the way to end this command, so it is no failure.
    if (flags.once && failed && !this.signal.aborted) this.exit(exitCodes[failed.kind])
  }

  readonly #run: ServedRun = async (project, name, options) => {
    const connectors = (connection: string) => this.connectorOf(project, connection)
    const base = { signal: options.signal, stop: options.stop, onEvent: this.#tell(name) }
    try {
      const pipeline = await openPipeline(project, name, connectors)
      const connections = await this.openConnections(project, pipeline.connections)
      return await runPipeline(pipeline, { ...this.pipelineContext(project, connections), ...base }, options)
    } catch (error) {
      if (ConnectorError.isInstance(error) && error.code === 'PipelineRunning') throw error
      return recordFailedStart(name, error, { ...this.pipelineContext(project, new Map()), ...base }, options)
    }
  }

  #tell(name: string): (event: PipelineEvent) => void {
    return (event) => {
      const entry = runEntry(name, event)
      if (entry) this.#log(entry)
    }
  }

  #log({ facts, text }: LogEntry): void {
    const time = new Date().toISOString()
    if (!this.jsonEnabled()) this.print(`${time.replace(/\.\d+Z$/, 'Z')} ${text}`)
    else process.stdout.write(`${toJson(this.redactor.value({ time, ...facts }), 0)}\n`)
  }
}
