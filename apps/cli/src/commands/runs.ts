import { stat } from 'node:fs/promises'
import {
  Args,
  columnsOf,
  errorLines,
  Flags,
  formatBytes,
  formatCount,
  formatDuration,
  formatTime,
} from '@penstock/command-kit'
import { ConnectorError, type RunRecord } from '@penstock/core'
import { durationOf, runHistory, totalsOf } from '@penstock/runtime'
import { withEngine } from '../lib/engine.ts'
import { streamColumns, streamRows } from '../lib/exporting.ts'
import { resultColumns, resultRows } from '../lib/extraction.ts'
import { ProjectCommand } from '../lib/project-command.ts'

/** Shows the run history. */
export class Runs extends ProjectCommand {
  static override summary = 'Show what ran: rows, objects, bytes, rejects, time, errors.'
  static override description =
    'Without --from: the history of the project, with runs that failed or were interrupted. With --from: the runs that a database remembers, wherever it was loaded.'
  static override examples = [
    { description: 'The last runs of the project', command: '<%= config.bin %> runs' },
    { description: 'One run in detail', command: '<%= config.bin %> runs 20260418-093000-5f3a9c' },
    { description: 'What a database remembers', command: '<%= config.bin %> runs --from w.duckdb' },
  ]
  static override args = {
    run: Args.string({ description: 'Run id, or the beginning of one.', ignoreStdin: true }),
  }
  static override flags = {
    from: Flags.string({ description: 'Database whose runs are shown.', helpValue: 'FILE.duckdb' }),
    limit: Flags.string({ description: 'Show at most that many.', helpValue: 'N', default: '20' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Runs)
    const limit = Number(flags.limit)
    if (!Number.isInteger(limit) || limit < 1)
      throw new ConnectorError('config', '--limit must be a whole number from 1.', { code: 'Usage' })
    const runs = flags.from
      ? await fromDatabase(flags.from, args.run, limit)
      : await fromProject((await this.openProject(flags.project)).folder, args.run, limit)
    if (args.run === undefined) {
      this.#list(runs)
      return { runs }
    }
    const [run] = runs
    if (!run) throw new ConnectorError('not-found', `There is no run "${args.run}".`, { code: 'NoSuchRun' })
    this.#detail(run)
    return run
  }

  #list(runs: readonly RunRecord[]): void {
    if (runs.length === 0) {
      this.print('Nothing ran yet.')
      return
    }
    const right = { align: 'right', cut: 'never' } as const
    const rejected = runs.some((run) => totalsOf(run).rowsRejected > 0)
    this.printTable(
      [
        { title: 'RUN', cut: 'never' },
        { title: 'STATUS', cut: 'never' },
        { title: 'WHAT', cut: 'middle' },
        { title: 'FILES', ...right },
        { title: 'ROWS', ...right },
        { title: 'TIME', ...right },
        ...(rejected ? [{ title: 'REJECTED', ...right }] : []),
      ],
      runs.map((run) => {
        const totals = totalsOf(run)
        const duration = durationOf(run)
        return [
          run.runId,
          run.status,
          whatRan(run),
          totals.objects === 0 && totals.rows > 0 ? '-' : formatCount(totals.objects),
          formatCount(totals.rows),
          duration === undefined ? '' : formatDuration(duration),
          ...(rejected ? [formatCount(totals.rowsRejected)] : []),
        ]
      }),
    )
  }

  #detail(run: RunRecord): void {
    const duration = durationOf(run)
    const totals = totalsOf(run)
    const facts: [string, string | undefined][] = [
      ['run', run.runId],
      ['status', run.status],
      ['command', run.pipeline === undefined ? run.command : `${run.command} ${run.pipeline}`],
      ['connection', run.connection === undefined ? run.connector : `${run.connection} (${run.connector})`],
      ['started', formatTime(run.startedAt)],
      ['took', duration === undefined ? undefined : formatDuration(duration)],
      ['bytes', totals.objects === 0 && totals.rows > 0 ? undefined : formatBytes(totals.bytes)],
    ]
    for (const [name, value] of facts) if (value !== undefined) this.print(`${name.padEnd(12)}${value}`)
    if (run.tables.length > 0) {
      this.print()
      this.printTable(resultColumns, resultRows(run))
    }
    if (run.export) {
      this.print()
      this.printTable(streamColumns, streamRows(run))
    }
    for (const table of run.tables)
      if (table.rejectTable !== undefined)
        this.print(`Rejected rows of ${table.name} are in ${table.rejectTable}.`)
    if (!run.error) return
    this.print()
    for (const line of errorLines(run.error, this.outStyle, { width: columnsOf(process.stdout) }))
      this.print(line)
  }
}

const fromProject = async (folder: string, id: string | undefined, limit: number) => {
  const history = runHistory(folder)
  return id === undefined ? history.list({ limit }) : [await history.read(id)]
}

const fromDatabase = async (
  path: string,
  id: string | undefined,
  limit: number,
): Promise<readonly RunRecord[]> => {
  await requireFile(path)
  return withEngine(path, { readOnly: true }, async (engine) => {
    if (id === undefined) return engine.runs({ limit })
    const runs = await engine.runs()
    const matches = runs.filter((run) => run.runId === id || run.runId.startsWith(id))
    if (matches.length > 1)
      throw new ConnectorError('config', `${matches.length} runs begin with "${id}".`, {
        hint: 'Give more of the id.',
      })
    return matches
  })
}

/** What a run was about; one that failed before it had anything says why. */
const whatRan = (run: RunRecord): string => {
  const names = [...run.tables, ...(run.export?.streams ?? [])].map(({ name }) => name)
  return (run.pipeline ?? names.join(', ')) || (run.error?.message ?? '')
}

/** A database that is only read must be there: opening it must not make one. */
export const requireFile = async (path: string): Promise<void> => {
  const found = await stat(path).then(
    (info) => info.isFile(),
    () => false,
  )
  if (!found)
    throw new ConnectorError('not-found', `There is no database file ${path}.`, { code: 'NoSuchFile' })
}
