import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestProject, type TestProject } from '../../test/project.ts'
import { runCommand } from '../../test/run-command.ts'
import { Schedule } from './schedule.ts'

const text = `# head
pipelines:
  # the work
  daily:
    into: w.duckdb
    steps:
      - id: a
        sql: SELECT 1
  other: { into: w.duckdb, steps: [ { id: a, sql: SELECT 1 } ] }
`
let project: TestProject
beforeEach(async () => {
  project = await createTestProject(text)
})
afterEach(() => project.remove())

const schedule = (...argv: string[]) => runCommand(Schedule, ...argv, '--project', project.folder)

describe('schedule', () => {
  it('sets, changes, shows and removes, and keeps the rest of the file', async () => {
    expect((await schedule()).stdout).toContain('Nothing is scheduled')
    const set = await schedule('daily', '--every', 'month', '--on', '31', '--at', '05:00', '--missed', 'all')
    expect(set).toMatchObject({ code: 0 })
    expect(set.stdout).toContain('✔ daily: every month on day 31 at 05:00 UTC')
    expect(set.stdout.match(/^ {2}\d{4}-\d\d-(28|29|30|31) 05:00$/gm)).toHaveLength(3)
    expect(await project.text()).toBe(
      text.replace(
        '        sql: SELECT 1\n  other',
        '        sql: SELECT 1\n    schedule:\n      every: month\n      at: 05:00\n      on: 31\n      missed: all\n  other',
      ),
    )
    await schedule('daily', '--cron', '30 5 * * 1-5', '--start', '2026-01-01')
    expect((await schedule('daily', '--json')).result).toMatchObject({
      pipeline: 'daily',
      schedule: { cron: '30 5 * * 1-5', missed: 'all', start: '2026-01-01' },
    })
    expect((await schedule()).stdout).toMatch(/^daily +cron 30 5/m)
    await schedule('daily', '--remove')
    expect(await project.text()).toBe(text)
  })

  it('tells a schedule that is over', async () => {
    const { stdout } = await schedule('daily', '--once', '2020-01-01T05:00Z')
    expect(stdout).toContain('It is over')
  })

  it.each([
    [['daily', '--every', '5h'], 2, 'must be one of'],
    [['daily', '--every', 'week', '--on', '3'], 2, '--on must be one of: sunday'],
    [['daily', '--cron', '0 25 * * *'], 2, 'is no cron pattern'],
    [['daily', '--at', '05:00'], 2, 'must have exactly one of every, cron and once'],
    [['daily', '--every', 'day', '--remove'], 2, 'goes alone'],
    [['--every', 'day'], 2, 'Which pipeline?'],
    [['dayly', '--every', 'day'], 5, 'Did you mean daily?'],
    [['daily', '--next', '0'], 2, '--next'],
  ])('refuses %j', async (argv, code, message) => {
    const run = await schedule(...argv)
    expect(run.code).toBe(code)
    expect(run.stderr.replace(/\s+/g, ' ')).toContain(message)
    expect(await project.text()).toBe(text)
  })
})
