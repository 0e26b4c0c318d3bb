import { Args, CommandFailure, countOf, Flags, formatDuration } from '@penstock/command-kit'
import type { RunRecord } from '@penstock/core'
import {
  errorOf,
  openPipeline,
  type PipelineEvent,
  type PipelineRun,
  pipelineHistory,
  runPipeline,
  type StepRecord,
} from '@penstock/runtime'
import { resultColumns, resultRows } from '../lib/extraction.ts'
import { PipelineCommand } from '../lib/pipeline-command.ts'
import { liveSteps, stepColumns, stepLine, stepRows } from '../lib/step-list.ts'

type PipelineResult = PipelineRun & {
  /** Records of its extractions and exports, in the order in which they ended. */
  readonly runs: readonly RunRecord[]
}

/** Runs a pipeline of the project. */
export class Run extends PipelineCommand {
  static override summary = 'Run a pipeline of penstock.yaml: its steps, or many tables in one go.'
  static override description =
    'Steps run in their order, each on its condition; what extracts, changes or exports does so as a whole or not at all. Nothing is asked of the schedule: this runs now. The exit code is that of the first failure.'
  static override examples = [
    { description: 'Run the pipeline daily', command: '<%= config.bin %> run daily' },
    {
      description: 'Begin with the step export, with the values of the last run',
      command: '<%= config.bin %> run daily --from-step export',
    },
  ]
  static override args = {
    pipeline: Args.string({ description: 'Pipeline of the project.', required: true, ignoreStdin: true }),
  }
  static override flags = {
    now: Flags.boolean({ description: 'Run now, whatever the schedule says (what happens anyway).' }),
    'from-step': Flags.string({
      description: 'Begin with this step; the steps before it keep the values of the last run.',
      helpValue: 'ID',
    }),
  }

  async run(): Promise<PipelineResult> {
    const { args, flags } = await this.parse(Run)
    const project = await this.openProject(flags.project)
    const pipeline = await openPipeline(project, args.pipeline, (name) => this.connectorOf(project, name))
    const connections = await this.openConnections(project, pipeline.connections)
    const step = flags['from-step']
    const from =
      step === undefined ? undefined : { step, values: await lastRun(project.folder, pipeline.name, step) }
    const runs: RunRecord[] = []
    const show = this.#show()
    const run = await runPipeline(
      pipeline,
      {
        ...this.pipelineContext(project, connections),
        signal: this.signal,
        onEvent: (event) => {
          if (event.type === 'recorded') runs.push(event.record)
          show(event)
        },
      },
      from === undefined ? {} : { from },
    )
    this.startProgress().stop()
    const rows = runs.flatMap(resultRows)
    if (project.pipelines[pipeline.name]?.steps) this.printTable(stepColumns, stepRows(run))
    else if (rows.length > 0) this.printTable(resultColumns, rows)
    const error = errorOf(run)
    if (error) throw new CommandFailure(error, { ...run, runs })
    return { ...run, runs }
  }

  /** Shows the run as it goes: on a terminal a list that is drawn in place, elsewhere a line for each step. */
  #show(): (event: PipelineEvent) => void {
    const progress = this.startProgress()
    const steps = new Map<string, StepRecord>()
    return (event) => {
      if (event.type === 'run-started') {
        for (const step of event.run.steps) steps.set(step.id, step)
        if (steps.size > 1)
          progress.list((width) => liveSteps([...steps.values()], this.errStyle, Date.now())(width))
        for (const step of event.run.steps) if (step.status !== 'waiting') this.#line(step)
      }
      if (event.type === 'step-started' || event.type === 'step-finished') {
        steps.set(event.step.id, event.step)
        if (event.type === 'step-finished' && steps.size > 1) this.#line(event.step)
      }
      if (event.type === 'progress') progress.onProgress(event.event)
      if (event.type === 'action-progress') progress.onAction(event.progress)
      if (event.type === 'step-finished' || event.type === 'step-retry') progress.onAction(undefined)
      if (event.type === 'notice') this.notice(event.message)
      if (event.type === 'step-retry')
        this.notice(
          `${event.step.id}: ${countOf(event.step.tries, 'try', 'tries')} failed (${event.reason}), again in ${formatDuration(event.delayMs)}`,
        )
    }
  }

  #line(step: StepRecord): void {
    if (!this.jsonEnabled()) this.startProgress().line(stepLine(step, this.errStyle))
  }
}

/** The last run of a pipeline in which the steps before `step` have values. */
const lastRun = async (folder: string, pipeline: string, step: string): Promise<PipelineRun | undefined> => {
  const runs = await pipelineHistory(folder).list()
  return runs.find((run) => {
    const index = run.steps.findIndex(({ id }) => id === step)
    const before = index < 0 ? [] : run.steps.slice(0, index)
    return (
      run.pipeline === pipeline &&
      index >= 0 &&
      before.every(({ status }) => ['succeeded', 'reused', 'skipped'].includes(status))
    )
  })
}
