import { text as readText } from 'node:stream/consumers'
import { Args, countOf, Flags, formatBytes } from '@penstock/command-kit'
import { ConnectorError, type QueryReceipt, type QueryResult } from '@penstock/core'
import { type InPlaceOptions, keepRows, type Project, query, queryToFile } from '@penstock/runtime'
import { withEngine } from '../lib/engine.ts'
import { inPlaceFlags, isWriting } from '../lib/in-place.ts'
import { InPlaceCommand } from '../lib/in-place-command.ts'
import { receiptSummary } from '../lib/receipt-text.ts'
import { collectResult, writeCsv, writeNdjson, writeTable } from '../lib/result-output.ts'
import { resourceFlags } from '../lib/selection.ts'
import { requireFile } from './runs.ts'

const formats = ['table', 'csv', 'json', 'parquet'] as const
type Format = (typeof formats)[number]

/** Rows that a table on the terminal, and `--json`, show unless asked for more. */
const defaultRows = { table: 40, json: 1_000 }

/** Runs SQL on a DuckDB file, and on tables of zero-copy connections where they are. */
export class Query extends InPlaceCommand {
  static override summary = 'Run SQL on a DuckDB file, or on tables where they are.'
  static override description =
    `The file is opened for reading only. With --connection the SQL names tables of zero-copy connections too, as namespace.table, or connection.namespace.table where there are several; only the bytes that it needs move. There CREATE TABLE ... AS and INSERT INTO ... with a SELECT keep the rows in the file, and nothing else writes.

\`table\` fits the terminal and shows the first rows; \`csv\` and \`json\` (one object a line) stream all rows to stdout or a file; \`parquet\` needs --output. SQL \`-\` is read from stdin.`
  static override examples = [
    { description: 'A look', command: `<%= config.bin %> query "from orders limit 10" --from w.duckdb` },
    {
      description: 'All rows as CSV',
      command: `<%= config.bin %> query "select * from orders" --from w.duckdb --format csv > orders.csv`,
    },
    {
      description: 'Into a Parquet file',
      command: `<%= config.bin %> query "from orders" --from w.duckdb --output orders.parquet`,
    },
    {
      description: 'A table in place, joined with a local one',
      command: `<%= config.bin %> query "from sales.orders join customers using (customer_id)" --connection warehouse --from w.duckdb`,
    },
  ]
  static override args = {
    sql: Args.string({ description: 'SQL statement, or - for stdin.', required: true, ignoreStdin: true }),
  }
  static override flags = {
    from: Flags.string({ description: 'DuckDB file to query.', helpValue: 'FILE.duckdb' }),
    ...inPlaceFlags,
    format: Flags.string({
      description: 'Form of the result (default: by --output, else table).',
      options: [...formats],
    }),
    output: Flags.string({ char: 'o', description: 'Write the result to this file.', helpValue: 'FILE' }),
    limit: Flags.string({
      description: 'Rows that a table or --json shows at most; 0 for all.',
      helpValue: 'N',
    }),
    ...resourceFlags,
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Query)
    const from = flags.from as string | undefined
    const output = flags.output as string | undefined
    const connections = (flags.connection ?? []) as readonly string[]
    if (from === undefined && connections.length === 0)
      throw new ConnectorError('config', '--from or --connection is missing: what to query.', {
        code: 'Usage',
        hint: 'For example --from warehouse.duckdb',
      })
    const format = formatOf(flags.format as Format | undefined, output)
    if (format === 'parquet' && output === undefined)
      throw new ConnectorError('config', 'Parquet is binary; give a file for it with --output.', {
        code: 'Usage',
      })
    if (format === 'table' && output !== undefined)
      throw new ConnectorError(
        'config',
        'A table is for the terminal; write csv, json or parquet to a file.',
        {
          code: 'Usage',
          hint: 'Add --format csv, or name the file .csv, .jsonl or .parquet.',
        },
      )
    const limit = limitOf(flags.limit as string | undefined)
    const sql = args.sql === '-' ? await readText(process.stdin) : args.sql
    const isKept = connections.length > 0 && isWriting(sql)
    if (from !== undefined && !isKept) await requireFile(from)
    if (connections.length > 0) return this.#inPlace(sql, flags, { output, format, limit })
    return withEngine(from as string, { ...this.readResources(flags), readOnly: true }, async (engine) => {
      if (output !== undefined && format !== 'table') {
        const written = await engine.copyTo(sql, output, { type: format, signal: this.signal })
        return this.#wrote(output, format, written)
      }
      return this.#show(await engine.query(sql, { signal: this.signal }), format, limit)
    })
  }

  #inPlace(
    sql: string,
    flags: Readonly<Record<string, unknown>>,
    { output, format, limit }: { output: string | undefined; format: Format; limit: number | undefined },
  ): Promise<unknown> {
    return this.withInPlace(sql, flags, async (options, project) => {
      if (isWriting(sql)) return this.#keep(options, project)
      if (output !== undefined && format !== 'table') {
        const { receipt, ...written } = await queryToFile({ ...options, path: output, type: format })
        const result = this.#wrote(output, format, written)
        this.#cost(receipt)
        return { ...result, receipt }
      }
      const running = await query(options)
      try {
        const shown = await this.#show(running.result, format, limit)
        this.#cost(running.receipt())
        return shown && { ...shown, receipt: running.receipt() }
      } finally {
        await running.close()
      }
    })
  }

  async #keep(options: InPlaceOptions, project: Project) {
    const { record, rows, receipt } = await keepRows(options, {
      folder: project.folder,
      redact: (value) => this.redactor.value(value),
      onProblem: (message) => this.notice(message),
    })
    this.notice(
      `${countOf(rows, 'row')} kept in ${record.tables.map(({ name }) => name).join(', ')}, run ${record.runId}`,
    )
    this.#cost(receipt)
    return { ...record, receipt }
  }

  #cost(receipt: QueryReceipt): void {
    for (const note of receipt.notes) this.notice(note)
    this.notice(this.errStyle.dim(receiptSummary(receipt)))
  }

  #wrote(output: string, format: Format, { rows, bytes }: { rows: number; bytes: number }) {
    this.notice(`Wrote ${countOf(rows, 'row')}, ${formatBytes(bytes)}, to ${output}`)
    return { output, format, rows, bytes }
  }

  async #show(result: QueryResult, format: Format, limit: number | undefined) {
    const write = (text: string) => this.write(text)
    if (this.jsonEnabled()) return collectResult(result, limit ?? defaultRows.json)
    if (format === 'csv') await writeCsv(result, write)
    else if (format === 'json') await writeNdjson(result, write)
    else {
      const options = { write, header: this.outStyle.bold }
      const notes = await writeTable(result, limit ?? defaultRows.table, options)
      if (notes.length > 0) this.notice(this.errStyle.dim(notes.join('\n')))
    }
    return undefined
  }
}

const formatOf = (given: Format | undefined, output: string | undefined): Format => {
  if (given) return given
  if (output === undefined) return 'table'
  if (/\.csv$/i.test(output)) return 'csv'
  if (/\.(json|jsonl|ndjson)$/i.test(output)) return 'json'
  if (/\.(parquet|pq)$/i.test(output)) return 'parquet'
  throw new ConnectorError('config', 'The name of the file does not tell its format.', {
    code: 'Usage',
    hint: 'Add --format csv, json or parquet.',
  })
}

const limitOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text)
  throw new ConnectorError('config', '--limit must be a whole number from 0.', { code: 'Usage' })
}
