import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dueNow } from './due.ts'
import { describeSchedule, type Schedule, type ScheduleInput, scheduleEntry } from './schedule.ts'
import { lastTime, nextTime, nextTimes } from './times.ts'

const schedule = (input: ScheduleInput): Schedule => scheduleEntry.parse(input)
const date = (text: string) => new Date(text)
const first = (input: ScheduleInput, after: string, count = 3): string[] => {
  const times: string[] = []
  for (const time of nextTimes(schedule(input), date(after))) {
    if (times.length === count) break
    times.push(time.toISOString().replace(':00.000Z', 'Z'))
  }
  return times
}

describe('nextTimes', () => {
  it.each<[ScheduleInput, string, string[]]>([
    [
      { every: '3h' },
      '2026-01-01T02:59:59.999Z',
      ['2026-01-01T03:00Z', '2026-01-01T06:00Z', '2026-01-01T09:00Z'],
    ],
    [
      { every: '8h', at: '01:30' },
      '2026-01-01T01:30Z',
      ['2026-01-01T09:30Z', '2026-01-01T17:30Z', '2026-01-02T01:30Z'],
    ],
    [
      { every: '12h', at: '23:00' },
      '2026-01-01T00:00Z',
      ['2026-01-01T11:00Z', '2026-01-01T23:00Z', '2026-01-02T11:00Z'],
    ],
    [
      { every: 'day', at: '05:00' },
      '2026-02-28T06:00Z',
      ['2026-03-01T05:00Z', '2026-03-02T05:00Z', '2026-03-03T05:00Z'],
    ],
    [
      { every: 'week', on: 'sunday', at: '05:00' },
      '2026-11-24T00:00Z',
      ['2026-11-29T05:00Z', '2026-12-06T05:00Z', '2026-12-13T05:00Z'],
    ],
    [{ every: 'week' }, '2026-11-24T00:00Z', ['2026-11-30T00:00Z', '2026-12-07T00:00Z', '2026-12-14T00:00Z']],
    [
      { every: 'month', on: 31 },
      '2027-12-31T00:00Z',
      ['2028-01-31T00:00Z', '2028-02-29T00:00Z', '2028-03-31T00:00Z'],
    ],
    [
      { every: 'month', on: 31, at: '12:00' },
      '2026-01-31T12:00Z',
      ['2026-02-28T12:00Z', '2026-03-31T12:00Z', '2026-04-30T12:00Z'],
    ],
    [
      { cron: '30 5 * * 1-5' },
      '2026-11-27T05:30Z',
      ['2026-11-30T05:30Z', '2026-12-01T05:30Z', '2026-12-02T05:30Z'],
    ],
    [
      { cron: '0 0 29 2 *' },
      '2026-01-01T00:00Z',
      ['2028-02-29T00:00Z', '2032-02-29T00:00Z', '2036-02-29T00:00Z'],
    ],
    [{ once: '2026-01-01T05:00Z' }, '2025-12-31T00:00Z', ['2026-01-01T05:00Z']],
    [{ once: '2026-01-01T05:00Z' }, '2026-01-01T05:00Z', []],
    // The first time of the window counts, the end day does not.
    [
      { every: 'day', start: '2026-01-01', end: '2026-01-03' },
      '2025-06-01T00:00Z',
      ['2026-01-01T00:00Z', '2026-01-02T00:00Z'],
    ],
    [
      { every: 'day', at: '05:00', start: '2026-01-01T05:00:00.001Z', end: '2026-01-03T05:00Z' },
      '2025-06-01T00:00Z',
      ['2026-01-02T05:00Z'],
    ],
    [
      { every: '6h', start: '2026-01-01T02:00+02:00' },
      '2020-01-01T00:00Z',
      ['2026-01-01T00:00Z', '2026-01-01T06:00Z', '2026-01-01T12:00Z'],
    ],
  ])('%j after %s', (input, after, expected) => {
    expect(first(input, after)).toEqual(expected)
  })

  const instants = fc.date({
    min: date('1999-01-01T00:00Z'),
    max: date('2060-01-01T00:00Z'),
    noInvalidDate: true,
  })
  const time = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
  const schedules: fc.Arbitrary<Schedule> = fc
    .oneof(
      fc.record({ every: fc.constantFrom('3h', '6h', '8h', '12h', '24h', 'day' as const), at: time }),
      fc.record({
        every: fc.constant('week' as const),
        at: time,
        on: fc.constantFrom('sunday', 'monday', 'saturday' as const),
      }),
      fc.record({ every: fc.constant('month' as const), at: time, on: fc.integer({ min: 1, max: 31 }) }),
      fc
        .constantFrom('*/5 * * * *', '0 5 * * 1-5', '15,45 */6 1,31 * *', '0 0 L * *')
        .map((cron) => ({ cron })),
    )
    .map((input) => schedule(input as ScheduleInput))

  it('gives times that come after, in order, on whole minutes', () => {
    fc.assert(
      fc.property(schedules, instants, (given, after) => {
        let previous = after.getTime()
        let count = 0
        for (const next of nextTimes(given, after)) {
          expect(next.getTime()).toBeGreaterThan(previous)
          expect(next.getTime() % 60_000).toBe(0)
          previous = next.getTime()
          if (++count === 5) break
        }
        expect(count).toBe(5)
      }),
    )
  })

  it('leaves no time out: from anywhere before it, the next time is the same', () => {
    fc.assert(
      fc.property(
        schedules,
        instants,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (given, after, share) => {
          const next = nextTime(given, after)?.getTime() ?? 0
          const between = new Date(after.getTime() + Math.floor((next - after.getTime()) * share))
          expect(nextTime(given, between)?.getTime()).toBe(next)
          expect(nextTime(given, new Date(next - 1))?.getTime()).toBe(next)
        },
      ),
    )
  })

  it('keeps to its window', () => {
    fc.assert(
      fc.property(schedules, instants, instants, instants, (given, after, start, end) => {
        const window = { ...given, start: start.toISOString(), end: end.toISOString() }
        const next = nextTime(window, after)
        const unbounded = nextTime(given, new Date(Math.max(after.getTime(), start.getTime() - 1)))
        expect(next?.getTime()).toBe(unbounded && unbounded < end ? unbounded.getTime() : undefined)
      }),
    )
  })

  it('finds the last time before now as the one after which nothing comes', () => {
    fc.assert(
      fc.property(
        schedules,
        instants,
        fc.integer({ min: 0, max: 400 * 24 * 3_600_000 }),
        (given, after, span) => {
          const until = new Date(after.getTime() + span)
          const last = lastTime(given, after, until)
          if (last) {
            expect(last > after && last <= until).toBe(true)
            expect((nextTime(given, last)?.getTime() ?? 0) > until.getTime()).toBe(true)
          } else expect((nextTime(given, after)?.getTime() ?? 0) > until.getTime()).toBe(true)
        },
      ),
    )
  })
})

describe('dueNow', () => {
  const daily = (missed: 'skip' | 'latest' | 'all') => schedule({ every: 'day', at: '05:00', missed })
  const handled = date('2026-01-01T05:00Z')

  it('runs what is due, once', () => {
    for (const missed of ['skip', 'latest', 'all'] as const) {
      const due = dueNow(daily(missed), handled, date('2026-01-02T05:00:10Z'))
      expect(due).toEqual({ run: date('2026-01-02T05:00Z'), skipped: 0, handled: date('2026-01-02T05:00Z') })
      expect(dueNow(daily(missed), due.handled, date('2026-01-02T05:00:20Z')).run).toBeUndefined()
    }
  })

  it('deals with missed times as the policy says', () => {
    const now = date('2026-01-04T12:00Z')
    expect(dueNow(daily('skip'), handled, now)).toEqual({ skipped: 3, handled: date('2026-01-04T05:00Z') })
    expect(dueNow(daily('latest'), handled, now)).toEqual({
      run: date('2026-01-04T05:00Z'),
      skipped: 2,
      handled: date('2026-01-04T05:00Z'),
    })
    const runs: string[] = []
    let at = handled
    for (;;) {
      const due = dueNow(daily('all'), at, now)
      if (!due.run) break
      runs.push(due.run.toISOString().slice(0, 10))
      at = due.handled
    }
    expect(runs).toEqual(['2026-01-02', '2026-01-03', '2026-01-04'])
  })

  it('with skip still runs a time within the grace, and only the latest', () => {
    const often = schedule({ cron: '* * * * *' })
    expect(dueNow(often, handled, date('2026-01-01T05:10:30Z'))).toEqual({
      run: date('2026-01-01T05:10Z'),
      skipped: 9,
      handled: date('2026-01-01T05:10Z'),
    })
  })

  it('counts a year of missed minutes to its limit, and is not slowed down by them', () => {
    const often = schedule({ cron: '* * * * *', missed: 'latest' })
    expect(dueNow(often, date('2025-01-01T00:00Z'), date('2026-01-01T00:00:30Z'))).toEqual({
      run: date('2026-01-01T00:00Z'),
      skipped: 999,
      handled: date('2026-01-01T00:00Z'),
    })
  })

  it('runs nothing again when the clock went back', () => {
    expect(dueNow(daily('all'), handled, date('2025-12-01T00:00Z'))).toEqual({ skipped: 0, handled })
  })
})

describe('scheduleEntry', () => {
  it.each([
    [{}, 'must have exactly one of every, cron and once'],
    [{ every: 'day', cron: '0 5 * * *' }, 'must have exactly one'],
    [{ every: '5h' }, 'Invalid option'],
    [{ every: 'day', at: '24:00' }, 'from 00:00 to 23:59'],
    [{ cron: '0 5 * * *', at: '05:00' }, 'only goes with every'],
    [{ every: 'day', on: 'monday' }, 'only goes with every: week'],
    [{ every: 'week', on: 3 }, 'must be one of: sunday'],
    [{ every: 'month', on: 'monday' }, 'must be a day from 1 to 31'],
    [{ every: 'month', on: 32 }, 'Too big'],
    [{ cron: '0 5 * *' }, 'must have five fields'],
    [{ cron: '0 0 5 * * *' }, 'must have five fields'],
    [{ cron: '0 25 * * *' }, 'is no cron pattern'],
    [{ cron: '0 0 30 2 *' }, 'never comes'],
    [{ once: '2026-02-30' }, 'must be a day'],
    [{ once: '2026-02-20T05:00' }, 'with its zone'],
    [{ every: 'day', start: '2026-01-02', end: '2026-01-02' }, 'must be after start'],
    [{ every: 'day', grace: 'long' }, 'must be a duration'],
  ])('refuses %j', (input, message) => {
    expect(scheduleEntry.safeParse(input).error?.issues[0]?.message).toContain(message)
  })

  it('says what it means', () => {
    expect(describeSchedule(schedule({ every: 'month', on: 31, at: '05:00', start: '2026-01-01' }))).toBe(
      'every month on day 31 at 05:00 UTC, from 2026-01-01',
    )
    expect(describeSchedule(schedule({ every: '6h', at: '01:00' }))).toBe('every 6 hours from 01:00 UTC')
  })
})
