import { CommandFailure, countOf, Flags, formatBytes, printable } from '@penstock/command-kit'
import type { RunRecord } from '@penstock/core'
import { type ExportPlan, errorOf, planExport } from '@penstock/runtime'
import { ExportCommand, exportFlags } from '../lib/export-command.ts'
import { printPlan } from '../lib/export-plan.ts'
import { exportOptions, runExport, streamColumns, streamRows } from '../lib/exporting.ts'
import { connectionArgument } from '../lib/project-command.ts'

const ownFlags = {
  plan: Flags.boolean({ description: 'Show what would be written and removed; write nothing.' }),
}

/** Exports tables and queries to a destination. */
export class Export extends ExportCommand {
  static override summary = 'Write tables and queries to a destination, such as S3.'
  static override description =
    `All streams of a run are written from one snapshot of the database. A reader of the destination sees whole files only; a run that failed or was killed is completed by the next one, under the same names.

How it is written is the destination's: export CONNECTION --help shows its flags, as do docs/destination-s3.md and docs/destination-postgres.md.`
  static override examples = [
    {
      description: 'A table as gzipped CSV',
      command:
        '<%= config.bin %> export lake --table orders --from w.duckdb --file-type csv --compression gzip',
    },
    {
      description: 'What is new since the last export',
      command: '<%= config.bin %> export lake --table events --incremental updated_at --from w.duckdb',
    },
    {
      description: 'A query, one row per customer, instead of the last export',
      command: `<%= config.bin %> export lake --sql "select * from orders where paid" --stream paid --dedupe customer_id --latest ordered_at --mode overwrite --from w.duckdb`,
    },
    {
      description: 'Rows into a table of PostgreSQL, by their key',
      command: '<%= config.bin %> export wh --table orders --mode merge --key order_id --from w.duckdb',
    },
    {
      description: 'Keys, rows and bytes, before anything is written',
      command: '<%= config.bin %> export lake --table orders --from w.duckdb --plan',
    },
  ]
  static override usage = 'export CONNECTION (--table NAME | --sql SELECT)... [--from FILE.duckdb] [flags]'
  static override args = { connection: connectionArgument }
  static override flags = { ...ownFlags, ...exportFlags }

  async run(): Promise<RunRecord | ExportPlan> {
    const { exporting, flags, withDatabase } = await this.readExportArguments(ownFlags)
    const progress = this.startProgress()
    const { onProgress } = progress
    if (flags.plan === true) {
      const plan = await withDatabase(
        (engine) => planExport(exportOptions({ ...exporting, engine, onProgress })),
        { readOnly: true },
      )
      progress.stop()
      printPlan(plan, {
        style: this.outStyle,
        print: (text) => this.print(text),
        printTable: (columns, rows) => this.printTable(columns, rows),
      })
      return plan
    }
    const run = await withDatabase((engine) =>
      runExport(
        { ...exporting, engine, onProgress },
        {
          folder: exporting.projectFolder,
          redact: (value) => this.redactor.value(value),
          onProblem: (message) => this.notice(message),
        },
      ),
    )
    progress.stop()
    const rows = streamRows(run)
    if (rows.length > 0) this.printTable(streamColumns, rows)
    const error = errorOf(run)
    if (error) throw new CommandFailure(error, { ...run })
    this.#tell(run)
    return run
  }

  #tell({ export: result }: RunRecord): void {
    if (!result) return
    const written = result.streams.flatMap((stream) => stream.written)
    for (const { name, url, size } of written.slice(0, 5))
      this.print(`  ${printable(url ?? name)}  ${formatBytes(size)}`)
    const files = result.streams.reduce((sum, stream) => sum + stream.files, 0)
    if (files > 5) this.print(`  and ${countOf(files - 5, 'more file')}`)
    if (result.manifest !== undefined) {
      this.print('Manifest:')
      this.print(`  ${printable(result.manifest)}`)
    }
    if (result.removed > 0) this.print(`Removed ${countOf(result.removed, 'file')} of the export before.`)
    if (result.retried) this.notice('This run completed an earlier one that had not ended.')
    for (const stream of result.streams)
      if (stream.rowsSkipped > 0)
        this.notice(
          `${printable(stream.name)}: ${countOf(stream.rowsSkipped, 'row')} without a value in ${stream.cursor?.column} were left out.`,
        )
  }
}
