import { z } from 'zod'
import { duration } from '../project/duration.ts'
import { cronProblem } from './cron.ts'

const intervals = ['3h', '6h', '8h', '12h', '24h', 'day', 'week', 'month'] as const
export const weekdays = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const
const missedPolicies = ['skip', 'latest', 'all'] as const

/** Milliseconds since 1970 of `2026-04-18`, which begins at 00:00 UTC, or `2026-04-18T05:00Z`; undefined for what is neither. */
export const parseInstant = (text: string): number | undefined => {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(
    text.trim(),
  )
  if (!match) return undefined
  // `2026-02-30` is read as the second of March otherwise.
  const day = new Date(`${match[1]}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== match[1]) return undefined
  const time = Date.parse(text.trim())
  return Number.isNaN(time) ? undefined : time
}

const dayOrInstant = () =>
  z.string().refine((text) => parseInstant(text) !== undefined, {
    error: 'must be a day (2026-04-18) or a time with its zone (2026-04-18T05:00Z)',
  })

/**
 * When a pipeline is due: `schedule` of a pipeline in penstock.yaml, and the flags of `penstock schedule`. All times
 * are UTC. Exactly one of `every`, `cron` and `once` is given.
 */
export const scheduleEntry = z
  .strictObject({
    every: z
      .enum(intervals)
      .optional()
      .describe('Every 3, 6, 8, 12 or 24 hours, counted from `at`; every day, week or month at `at`'),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a UTC time from 00:00 to 23:59')
      .optional()
      .describe('UTC time of the day, 00:00 where none is given'),
    on: z
      .union([z.enum(weekdays), z.int().min(1).max(31)], {
        error: 'must be a weekday (monday) or a day of the month (1-31)',
      })
      .optional()
      .describe(
        'Weekday for every week (default monday); day for every month (default 1), the last one in a month that is shorter',
      ),
    cron: z
      .string()
      .superRefine((pattern, context) => {
        const problem = cronProblem(pattern)
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
      })
      .optional()
      .describe('Cron pattern of five fields, in UTC: minute hour day month weekday'),
    once: dayOrInstant().optional().describe('One single time'),
    start: dayOrInstant().optional().describe('Nothing is due before this day or time'),
    end: dayOrInstant().optional().describe('Nothing is due from this day or time on: the end is excluded'),
    missed: z
      .enum(missedPolicies)
      .default('skip')
      .describe(
        'What happens to times that passed while nothing ran: skip them, run the latest, or run all of them in order',
      ),
    grace: duration()
      .default(15 * 60_000)
      .describe('With `missed: skip`: a time is missed when it is older than that (default 15m)'),
  })
  .superRefine((schedule, context) => {
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    const { every, cron, once, at, on, start, end } = schedule
    const forms = [every, cron, once].filter((form) => form !== undefined)
    if (forms.length !== 1) problem([], 'must have exactly one of every, cron and once')
    if (at !== undefined && every === undefined) problem(['at'], 'only goes with every')
    if (on !== undefined && every !== 'week' && every !== 'month')
      problem(['on'], 'only goes with every: week and every: month')
    if (every === 'week' && typeof on === 'number')
      problem(['on'], `must be one of: ${weekdays.join(', ')}, with every: week`)
    if (every === 'month' && typeof on === 'string')
      problem(['on'], 'must be a day from 1 to 31, with every: month')
    if (start !== undefined && end !== undefined && (parseInstant(end) ?? 0) <= (parseInstant(start) ?? 0))
      problem(['end'], 'must be after start; the end itself is excluded')
  })

export type Schedule = z.output<typeof scheduleEntry>
export type ScheduleInput = z.input<typeof scheduleEntry>

/** What a schedule says, in words: `every month on day 31 at 05:00 UTC, from 2026-01-01`. */
export const describeSchedule = (schedule: Schedule): string => {
  const { every, at = '00:00', on, cron, once, start, end } = schedule
  const what = (): string => {
    if (once !== undefined) return `once, at ${once}`
    if (cron !== undefined) return `cron ${cron} (UTC)`
    if (every === 'week') return `every week on ${on ?? 'monday'} at ${at} UTC`
    if (every === 'month') return `every month on day ${on ?? 1} at ${at} UTC`
    if (every === 'day' || every === '24h') return `every day at ${at} UTC`
    return `every ${every?.replace('h', ' hours')} from ${at} UTC`
  }
  return [
    what(),
    ...(start === undefined ? [] : [`from ${start}`]),
    ...(end === undefined ? [] : [`before ${end}`]),
  ].join(', ')
}
