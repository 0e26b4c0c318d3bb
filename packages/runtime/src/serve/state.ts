import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError } from '@penstock/core'
import { z } from 'zod'
import { writeFileAtomically } from '../project/atomic.ts'
import { prepareStateFolder } from '../project/edit.ts'

const pipelineState = z.object({
  /** The schedule that `handled` was counted with. */
  schedule: z.string(),
  /** Due times up to this one are dealt with: run, skipped, or taken up in `run`. */
  handled: z.iso.datetime(),
  /** The run that was taken up and has not ended: started again, as the same run, by whoever finds it here. */
  run: z.object({ runId: z.string(), scheduledTime: z.iso.datetime() }).optional(),
})

const serveState = z.object({ version: z.literal(1), pipelines: z.record(z.string(), pipelineState) })

/** What is remembered of one pipeline between two starts of `serve`. */
export type PipelineState = z.output<typeof pipelineState>

/** The durable state of schedules, in `.penstock/schedules.json`. One process has it at a time. */
export interface ServeState {
  get(pipeline: string): PipelineState | undefined
  /** Changes what is remembered; it is on disk when this resolves. */
  set(pipeline: string, state: PipelineState | undefined): Promise<void>
  /** Names of pipelines with a state. */
  names(): readonly string[]
}

export const openServeState = async (folder: string): Promise<ServeState> => {
  const file = join(await prepareStateFolder(folder), 'schedules.json')
  const pipelines = new Map(Object.entries(await readStates(file)))
  return Object.freeze({
    get: (pipeline: string) => pipelines.get(pipeline),
    names: () => [...pipelines.keys()],
    set: async (pipeline: string, state: PipelineState | undefined) => {
      if (state) pipelines.set(pipeline, state)
      else pipelines.delete(pipeline)
      const text = JSON.stringify({ version: 1, pipelines: Object.fromEntries(pipelines) }, null, 2)
      await writeFileAtomically(file, `${text}\n`)
    },
  })
}

const readStates = async (file: string): Promise<Readonly<Record<string, PipelineState>>> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  try {
    return serveState.parse(JSON.parse(text)).pipelines
  } catch (cause) {
    throw new ConnectorError('data', `The state of the schedules in ${file} can't be read.`, {
      code: 'ScheduleState',
      hint: 'A newer Penstock may have written it. Remove it to begin anew: times that passed are not made up for.',
      cause,
    })
  }
}
