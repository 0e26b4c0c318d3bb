import { createRunId } from '../extract/extract.ts'
import type { ProjectPipeline } from '../project/project.ts'
import { dueNow } from '../schedule/due.ts'
import { nextTime } from '../schedule/times.ts'
import type { ServeEvent } from './events.ts'
import type { ServeState } from './state.ts'

/**
 * Takes up what is due of a pipeline: the run and the time it is for are on disk before anything starts. A schedule
 * that was not known before, or was another one, counts from now.
 */
export const takeUp = async (
  state: ServeState,
  pipeline: ProjectPipeline,
  now: Date,
  onEvent: (event: ServeEvent) => void,
): Promise<void> => {
  const { name, schedule } = pipeline
  if (!schedule) {
    if (state.get(name) && !state.get(name)?.run) await state.set(name, undefined)
    return
  }
  const text = JSON.stringify(schedule)
  const before = state.get(name)
  if (before?.schedule !== text) {
    await state.set(name, { ...before, schedule: text, handled: now.toISOString() })
    const next = nextTime(schedule, now)
    onEvent({ type: 'scheduled', pipeline: name, ...(next ? { next } : {}) })
    return
  }
  if (before.run) return
  const due = dueNow(schedule, new Date(before.handled), now)
  if (due.handled.toISOString() === before.handled) return
  const run = due.run && { runId: createRunId(now), scheduledTime: due.run.toISOString() }
  await state.set(name, { schedule: text, handled: due.handled.toISOString(), ...(run ? { run } : {}) })
  if (due.skipped > 0) onEvent({ type: 'missed', pipeline: name, count: due.skipped, until: due.handled })
}
