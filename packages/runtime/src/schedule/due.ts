import type { Schedule } from './schedule.ts'
import { lastTime, nextTimes } from './times.ts'

/** What to do now about a schedule. */
export interface Due {
  /** The due time to run for; absent when nothing is due. */
  readonly run?: Date
  /** Due times that are given up, of which at most {@link countLimit} are counted. */
  readonly skipped: number
  /** Everything up to this time is dealt with once the run is done. */
  readonly handled: Date
}

/** Missed times are counted up to here: who missed more than that does not need to know how many. */
const countLimit = 1_000

/**
 * Decides about the due times after `handled`, up to and including `now`: `all` runs the first of them, `latest` the
 * last, `skip` the last unless it is older than `grace`. Nothing that was handled comes again, also when the clock
 * went back.
 */
export const dueNow = (schedule: Schedule, handled: Date, now: Date): Due => {
  if (schedule.missed === 'all') {
    const [first] = timesIn(schedule, handled, now, 1)
    return first ? { run: first, skipped: 0, handled: first } : { skipped: 0, handled }
  }
  const last = lastTime(schedule, handled, now)
  if (!last) return { skipped: 0, handled }
  const passed = timesIn(schedule, handled, last, countLimit).length
  const inTime = schedule.missed === 'latest' || now.getTime() - last.getTime() <= schedule.grace
  return inTime ? { run: last, skipped: passed - 1, handled: last } : { skipped: passed, handled: last }
}

const timesIn = (schedule: Schedule, after: Date, until: Date, limit: number): Date[] => {
  const times: Date[] = []
  for (const time of nextTimes(schedule, after)) {
    if (time > until || times.length >= limit) break
    times.push(time)
  }
  return times
}
