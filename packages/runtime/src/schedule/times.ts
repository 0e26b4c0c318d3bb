import { cronTimes } from './cron.ts'
import { parseInstant, type Schedule, weekdays } from './schedule.ts'

const hour = 3_600_000
const day = 24 * hour

/** Hours from one due time to the next. All of them divide a day or are a whole number of days. */
const periods: Readonly<Record<string, number>> = {
  '3h': 3 * hour,
  '6h': 6 * hour,
  '8h': 8 * hour,
  '12h': 12 * hour,
  '24h': day,
  day,
  week: 7 * day,
}

/** The first due time strictly after a time, both in ms since 1970; undefined when nothing comes any more. */
type Next = (after: number) => number | undefined

/**
 * The times at which a schedule is due, in order, strictly after `after`. Pure, in UTC, so that no clock change
 * matters. Endless unless the schedule ends.
 */
export function* nextTimes(schedule: Schedule, after: Date): Generator<Date, void> {
  const next = within(schedule, timesOf(schedule))
  for (let time = next(after.getTime()); time !== undefined; time = next(time)) yield new Date(time)
}

/** The first due time strictly after `after`. */
export const nextTime = (schedule: Schedule, after: Date): Date | undefined =>
  nextTimes(schedule, after).next().value ?? undefined

/** The last due time in the interval (after, until]. */
export const lastTime = (schedule: Schedule, after: Date, until: Date): Date | undefined => {
  const next = within(schedule, timesOf(schedule))
  const [from, to] = [after.getTime(), until.getTime()]
  // Backwards in windows of growing length: a year of minutes has half a million times.
  for (let window = 60_000; ; window *= 4) {
    const begin = Math.max(from, to - window)
    let last: number | undefined
    for (let time = next(begin); time !== undefined && time <= to; time = next(time)) last = time
    if (last !== undefined) return new Date(last)
    if (begin === from || begin > to) return undefined
  }
}

const timesOf = (schedule: Schedule): Next => {
  const { every, cron, once, at = '00:00', on } = schedule
  if (once !== undefined) {
    const time = parseInstant(once) ?? 0
    return (after) => (time > after ? time : undefined)
  }
  if (cron !== undefined) return cronTimes(cron)
  const [hours = 0, minutes = 0] = at.split(':').map(Number)
  const timeOfDay = hours * hour + minutes * 60_000
  if (every === 'month') return monthly(typeof on === 'number' ? on : 1, timeOfDay)
  const period = periods[every ?? 'day'] ?? day
  return periodic(period, timeOfDay + (every === 'week' ? weekdayOffset(on) : 0))
}

/** 1970-01-01 was a Thursday. */
const weekdayOffset = (on: Schedule['on']): number => {
  const weekday = weekdays.indexOf(typeof on === 'string' ? on : 'monday')
  return ((weekday - weekdays.indexOf('thursday') + 7) % 7) * day
}

const periodic =
  (period: number, offset: number): Next =>
  (after) =>
    Math.floor((after - offset) / period) * period + period + offset

/** A day that the month lacks is its last one: 31 in February is the 28th or 29th. */
const monthly =
  (dayOfMonth: number, timeOfDay: number): Next =>
  (after) => {
    const date = new Date(after)
    for (let month = date.getUTCMonth(); ; month++) {
      const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate()
      const time = Date.UTC(date.getUTCFullYear(), month, Math.min(dayOfMonth, lastDay)) + timeOfDay
      if (time > after) return time
    }
  }

/** The window of the schedule: its start is included, its end is not. */
const within = (schedule: Schedule, next: Next): Next => {
  const start = schedule.start === undefined ? undefined : parseInstant(schedule.start)
  const end = schedule.end === undefined ? undefined : parseInstant(schedule.end)
  return (after) => {
    const time = next(start === undefined ? after : Math.max(after, start - 1))
    return time === undefined || (end !== undefined && time >= end) ? undefined : time
  }
}
