import { stat } from 'node:fs/promises'
import { countOf, Flags, formatBytes, formatCount, printable } from '@penstock/command-kit'
import { connectionOfKind, describeType, type LedgerCount } from '@penstock/core'
import { type ExtractPlan, plan, resourcesOf, type TablePlan } from '@penstock/runtime'
import { withEngine } from '../lib/engine.ts'
import { LoadCommand, loadCommandFlags } from '../lib/load-command.ts'
import { connectionArgument } from '../lib/project-command.ts'

const ownFlags = {
  into: Flags.string({
    description: 'DuckDB file that an extraction would load into (default: a new one).',
    helpValue: 'FILE.duckdb',
  }),
}

/** Shows what an extraction would do. */
export class Plan extends LoadCommand {
  static override summary = 'Show what an extraction would do, before anything moves.'
  static override description =
    'Lists the objects, compares them with what is loaded already, reads the beginning of a few to infer the schema, and estimates the requests. Takes the same options as `extract`; changes nothing.'
  static override examples = [
    {
      description: 'What is new since the last load',
      command: '<%= config.bin %> plan lake --folder orders/ --mode delta --into w.duckdb',
    },
    {
      description: 'Columns and types of one file',
      command: '<%= config.bin %> plan lake --object customers.csv',
    },
  ]
  static override usage =
    'plan CONNECTION (--object KEY | --folder PREFIX | --glob G)... [--into FILE.duckdb] [flags]'
  static override args = { connection: connectionArgument }
  static override flags = { ...ownFlags, ...loadCommandFlags }

  async run(): Promise<ExtractPlan> {
    const { connection, tables, resources, flags } = await this.readLoadArguments(ownFlags)
    const into = flags.into === undefined ? ':memory:' : String(flags.into)
    const progress = this.startProgress()
    const path = (await exists(into)) ? into : ':memory:'
    const found = await withEngine(path, { ...resources, readOnly: path !== ':memory:' }, (engine) =>
      plan({
        source: connectionOfKind(connection, 'source'),
        tables,
        engine,
        signal: this.signal,
        onProgress: progress.onProgress,
        resources: resourcesOf(resources),
      }),
    )
    progress.stop()
    for (const [index, table] of found.tables.entries()) {
      if (index > 0) this.print()
      this.#show(table)
    }
    return found
  }

  #show(table: TablePlan): void {
    const { bold, dim, yellow } = this.outStyle
    const before = table.rowsBefore === undefined ? 'new table' : `${countOf(table.rowsBefore, 'row')} now`
    this.print(`${bold(printable(table.name))}  ${table.mode} load, ${before}`)
    this.print()
    const count = (title: string, { objects, bytes }: LedgerCount, keys: readonly string[] = []) => {
      const names =
        keys.length > 0
          ? dim(`  ${keys.slice(0, 3).map(printable).join(', ')}${objects > 3 ? ', …' : ''}`)
          : ''
      if (objects > 0 || title === 'to load')
        this.print(
          `  ${title.padEnd(10)}${formatCount(objects).padStart(9)} objects  ${formatBytes(bytes).padStart(8)}${names}`,
        )
    }
    // Columns, but no object that shows them: the connector declares them, and what is new it tells in the load alone.
    const ofRows = table.listed.objects === 0 && table.schema.length > 0
    if (!ofRows) count('listed', table.listed)
    if (table.mode !== 'full') {
      count('new', table.added, table.samples.added)
      count('changed', table.changed, table.samples.changed)
      count('deleted', table.deleted, table.samples.deleted)
      count('unchanged', table.unchanged)
    }
    if (ofRows) this.print('  Rows, not files: the load itself asks which of them are there or new.')
    else {
      count('to load', table.toLoad)
      this.print(`  ${'requests'.padEnd(10)}${formatCount(table.requests).padStart(9)} about`)
    }
    if (table.schema.length > 0) this.print()
    if (table.schema.length > 0)
      this.printTable(
        [
          { title: '  COLUMN', cut: 'middle' },
          { title: 'TYPE', cut: 'middle' },
          ...(ofRows ? [] : [{ title: 'BECAUSE OF' }]),
        ],
        table.schema.map(({ name, type, evidence }) => [
          `  ${name}`,
          describeType(type),
          evidence
            ? `${JSON.stringify(evidence.value)} in ${evidence.object}${evidence.line === undefined ? '' : `:${evidence.line}`}`
            : '',
        ]),
      )
    if (table.schemaChanges.length > 0) this.print()
    for (const { column, change, from, to } of table.schemaChanges) {
      const words = {
        added: `is new${to === undefined ? '' : ` (${to})`}`,
        missing: 'is not in the new objects',
        type: `changes from ${from} to ${to}`,
      }
      this.print(`  ${yellow('!')} column ${printable(column)} ${words[change]}`)
    }
  }
}

const exists = (path: string): Promise<boolean> =>
  path === ':memory:'
    ? Promise.resolve(false)
    : stat(path).then(
        () => true,
        () => false,
      )
