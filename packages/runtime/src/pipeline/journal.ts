import { toConnectorError } from '@penstock/core'
import { pipelineHistory } from '../project/history.ts'
import type { RunValues } from '../project/values.ts'
import type { PipelineContext } from './context.ts'
import type { PipelineRun, StepRecord } from './record.ts'

/** The record of the run under way, kept on disk after every change: what a restart goes on from. */
export interface Journal {
  run(): PipelineRun
  step(index: number): StepRecord
  values(): RunValues
  change(fields: Partial<PipelineRun>): Promise<void>
  changeStep(index: number, fields: Partial<StepRecord>): Promise<void>
}

/** Characters of JSON above which the output of a step is not kept on disk. */
const largestOutput = 1_000_000

export const createJournal = (
  context: PipelineContext,
  started: PipelineRun,
  onChange: (run: PipelineRun) => void,
): Journal => {
  const history = pipelineHistory(context.project.folder)
  let run = started
  const change = async (fields: Partial<PipelineRun>) => {
    run = { ...run, ...fields }
    onChange(run)
    try {
      await history.save(context.redact({ ...run, steps: run.steps.map(withoutLargeOutput) }) as PipelineRun)
    } catch (error) {
      const reason = toConnectorError(error).message
      context.onEvent?.({ type: 'notice', message: `The run history can't be written: ${reason}` })
    }
  }
  return Object.freeze({
    run: () => run,
    step: (index: number) => run.steps[index] as StepRecord,
    values: () => ({
      steps: new Map(
        run.steps.filter(({ output }) => output !== undefined).map(({ id, output }) => [id, output] as const),
      ),
      run: {
        id: run.runId,
        pipeline: run.pipeline,
        startedAt: run.startedAt,
        scheduledTime: run.scheduledTime ?? run.startedAt,
      },
    }),
    change,
    changeStep: (index: number, fields: Partial<StepRecord>) =>
      change({ steps: run.steps.map((step, at) => (at === index ? { ...step, ...fields } : step)) }),
  })
}

const withoutLargeOutput = (step: StepRecord): StepRecord => {
  if (step.output === undefined || JSON.stringify(step.output).length <= largestOutput) return step
  const { output: _, ...rest } = step
  return rest
}
