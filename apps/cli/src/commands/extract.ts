import { CommandFailure, Flags, failureOf, printable } from '@penstock/command-kit'
import { ConnectorError, type RunRecord } from '@penstock/core'
import { createRunId, errorOf, runExtraction } from '@penstock/runtime'
import { withEngine } from '../lib/engine.ts'
import { resultColumns, resultRows } from '../lib/extraction.ts'
import { LoadCommand, loadCommandFlags } from '../lib/load-command.ts'
import { connectionArgument } from '../lib/project-command.ts'

const ownFlags = {
  into: Flags.string({
    description: 'DuckDB file to load into; made when missing.',
    helpValue: 'FILE.duckdb',
  }),
}

/** Extracts objects into tables. */
export class Extract extends LoadCommand {
  static override summary = 'Load objects into tables of a DuckDB file.'
  static override description =
    `Each chosen object becomes a table named after it; a folder or a glob becomes one table of all its objects. A table changes as a whole or not at all, also when the process dies: readers see the old rows or the new ones.

Modes: full replaces the table, delta appends the rows of objects that were not loaded before, merge upserts by key.`
  static override examples = [
    {
      description: 'One file, one table',
      command: '<%= config.bin %> extract lake --object customers.csv --into w.duckdb',
    },
    {
      description: 'What is new in a folder since the last time',
      command: '<%= config.bin %> extract lake --folder orders/ --mode delta --into w.duckdb',
    },
    {
      description: 'Keep bad rows aside, at most one in a hundred',
      command: `<%= config.bin %> extract lake --glob 'logs/**/*.ndjson' --table logs --on-bad-row reject --max-rejects 1% --into w.duckdb`,
    },
  ]
  static override usage =
    'extract CONNECTION (--object KEY | --folder PREFIX | --glob G)... --into FILE.duckdb [flags]'
  static override args = { connection: connectionArgument }
  static override flags = { ...ownFlags, ...loadCommandFlags }

  async run(): Promise<RunRecord> {
    const { project, connection, tables, resources, flags } = await this.readLoadArguments(ownFlags)
    if (flags.into === undefined)
      throw new ConnectorError('config', '--into is missing: the DuckDB file to load into.', {
        code: 'Usage',
        hint: 'For example --into warehouse.duckdb',
      })
    const into = String(flags.into)
    const progress = this.startProgress()
    const runId = createRunId()
    const run = await withEngine(into, resources, (engine) =>
      runExtraction(
        {
          connection,
          tables,
          engine,
          resources,
          command: 'extract',
          runId,
          signal: this.signal,
          onProgress: progress.onProgress,
        },
        {
          folder: project.folder,
          redact: (value) => this.redactor.value(value),
          onProblem: (message) => this.notice(message),
        },
      ).catch((error: unknown) => {
        // No table was begun, and yet the history has the run.
        const failure = failureOf(error, this.signal)
        const status = failure.kind === 'cancelled' ? 'cancelled' : 'failed'
        throw new CommandFailure(failure, { runId, command: 'extract', status, tables: [] })
      }),
    )
    progress.stop()
    if (run.tables.length > 0) this.printTable(resultColumns, resultRows(run))
    const error = errorOf(run)
    if (error) throw new CommandFailure(error, { ...run })
    this.#suggest(run, into)
    return run
  }

  #suggest(run: RunRecord, into: string): void {
    const rejects = run.tables.find((table) => table.rejectTable !== undefined)?.rejectTable
    const table = rejects ?? run.tables[0]?.name
    if (table === undefined || into === ':memory:') return
    const name = /^[a-z_][a-z0-9_]*$/.test(table) ? table : `\\"${printable(table).replaceAll('"', '""')}\\"`
    this.notice(
      `\nLook at ${rejects ? 'the rejected rows' : 'it'}:\n  ${this.config.bin} query "from ${name} limit 10" --from ${into}`,
    )
  }
}
