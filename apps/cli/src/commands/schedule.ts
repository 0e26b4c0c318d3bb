import { Args, Flags, type Interfaces, parseFlags, readFlags, schemaFlags } from '@penstock/command-kit'
import { ConnectorError } from '@penstock/core'
import {
  describeSchedule,
  nextTimes,
  type Project,
  pipelineNamed,
  type ScheduleInput,
  saveSchedule,
  scheduleEntry,
} from '@penstock/runtime'
import { ProjectCommand } from '../lib/project-command.ts'

interface ScheduleSummary {
  readonly pipeline: string
  readonly schedule: ScheduleInput
  /** In words. */
  readonly description: string
  /** Next due times, ISO 8601, UTC. */
  readonly next: readonly string[]
}

const flagsOfSchedule: Interfaces.FlagInput = schemaFlags(scheduleEntry, {
  group: 'SCHEDULE',
  valueNames: {
    at: 'HH:MM',
    on: 'WEEKDAY|DAY',
    cron: 'PATTERN',
    once: 'TIME',
    start: 'DAY',
    end: 'DAY',
    grace: 'DURATION',
  },
})

/** Fields that say when, and replace each other; the others stay as they are when these change. */
const timing = ['every', 'at', 'on', 'cron', 'once']

/** Shows and changes the schedules of pipelines. */
export class Schedule extends ProjectCommand {
  static override summary = 'Show, set or remove the schedule of a pipeline.'
  static override description =
    'Schedules stand in penstock.yaml; `penstock serve` follows them. All times are UTC. The end day is excluded. Without flags: what is scheduled, and when it is due next.'
  static override examples = [
    { description: 'What is scheduled', command: '<%= config.bin %> schedule' },
    { description: 'Every six hours', command: '<%= config.bin %> schedule daily --every 6h --at 01:00' },
    {
      description: 'The last day of each month, this year',
      command:
        '<%= config.bin %> schedule report --every month --on 31 --at 05:00 --start 2026-01-01 --end 2027-01-01',
    },
    {
      description: 'On working days, all missed times made up for',
      command: `<%= config.bin %> schedule daily --cron '30 5 * * 1-5' --missed all`,
    },
    { description: 'No longer', command: '<%= config.bin %> schedule daily --remove' },
  ]
  static override args = {
    pipeline: Args.string({ description: 'Pipeline of the project.', ignoreStdin: true }),
  }
  static override flags = {
    ...flagsOfSchedule,
    remove: Flags.boolean({ description: 'Remove the schedule.' }),
    next: Flags.string({ description: 'Due times to show.', helpValue: 'N', default: '3' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Schedule)
    const project = await this.openProject(flags.project)
    const count = countFrom(String(flags.next))
    const given = readFlags(scheduleEntry, flags)
    const changes = Object.keys(given).length > 0 || flags.remove === true
    if (args.pipeline === undefined) {
      if (changes)
        throw new ConnectorError('config', 'Which pipeline?', {
          code: 'Usage',
          hint: `The project has: ${Object.keys(project.pipelines).join(', ') || 'none yet'}.`,
        })
      return this.#list(project, count)
    }
    const changed = changes ? await change(project, args.pipeline, given, flags.remove === true) : project
    const summary = summaryOf(changed, args.pipeline, count)
    this.#show(args.pipeline, summary, changes)
    return summary ?? { pipeline: args.pipeline, next: [] }
  }

  #list(project: Project, count: number): { schedules: readonly ScheduleSummary[] } {
    const schedules = Object.keys(project.pipelines)
      .map((name) => summaryOf(project, name, count))
      .filter((summary) => summary !== undefined)
    if (schedules.length === 0)
      this.print(
        `Nothing is scheduled. For example: ${this.config.bin} schedule PIPELINE --every day --at 05:00`,
      )
    else
      this.printTable(
        [{ title: 'PIPELINE', cut: 'never' }, { title: 'SCHEDULE' }, { title: 'NEXT (UTC)', cut: 'never' }],
        schedules.map(({ pipeline, description, next }) => [pipeline, description, timeText(next[0])]),
      )
    return { schedules }
  }

  #show(pipeline: string, summary: ScheduleSummary | undefined, changed: boolean): void {
    const mark = changed ? `${this.outStyle.green('✔')} ` : ''
    if (!summary) {
      this.print(`${mark}${pipeline} has no schedule.`)
      return
    }
    this.print(`${mark}${pipeline}: ${summary.description}`)
    for (const time of summary.next) this.print(`  ${timeText(time)}`)
    if (summary.next.length === 0) this.print('  It is over: nothing comes any more.')
    else if (changed) this.notice(`\nIt is followed as long as this runs:\n  ${this.config.bin} serve`)
  }
}

const timeText = (iso: string | undefined): string =>
  iso === undefined ? 'over' : iso.replace('T', ' ').replace(/:\d\d\.\d+Z$/, '')

const countFrom = (text: string): number => {
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= 1_000) return count
  throw new ConnectorError('config', '--next must be a whole number from 1 to 1000.', { code: 'Usage' })
}

/** Times replace each other; window and policy stay unless they are given. */
const change = (
  project: Project,
  name: string,
  given: Readonly<Record<string, unknown>>,
  remove: boolean,
): Promise<Project> => {
  pipelineNamed(project, name)
  if (remove) {
    if (Object.keys(given).length > 0)
      throw new ConnectorError('config', '--remove goes alone.', { code: 'Usage' })
    return saveSchedule(project, name, undefined)
  }
  const before = scheduleAsWritten(project, name)
  const isNew = Object.keys(given).some((field) => timing.includes(field))
  const kept = Object.entries(before).filter(([field]) => !isNew || !timing.includes(field))
  const schedule = { ...Object.fromEntries(kept), ...given }
  parseFlags(scheduleEntry, schedule)
  return saveSchedule(project, name, schedule)
}

/** The fields as they stand in the file, without defaults. */
const scheduleAsWritten = (project: Project, name: string): Readonly<Record<string, unknown>> => {
  const written = project.document.document.toJS() as {
    pipelines?: Record<string, { schedule?: Record<string, unknown> }>
  }
  return written.pipelines?.[name]?.schedule ?? {}
}

const summaryOf = (project: Project, name: string, count: number): ScheduleSummary | undefined => {
  const { schedule } = pipelineNamed(project, name)
  if (!schedule) return undefined
  const next: string[] = []
  for (const time of nextTimes(schedule, new Date())) {
    if (next.length === count) break
    next.push(time.toISOString())
  }
  return {
    pipeline: name,
    schedule: scheduleAsWritten(project, name) as ScheduleInput,
    description: describeSchedule(schedule),
    next,
  }
}
