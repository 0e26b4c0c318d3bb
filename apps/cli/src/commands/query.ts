import { text as readText } from 'node:stream/consumers'
import {
  Args,
  BaseCommand,
  columnsOf,
  countOf,
  exactJson,
  Flags,
  formatBytes,
  formatCount,
  renderTable,
} from '@penstock/command-kit'
import { ConnectorError, describeType, type QueryResult, type TableEngine } from '@penstock/core'
import { withEngine } from '../lib/engine.ts'
import { csvLine, rowText, valueText } from '../lib/values.ts'
import { requireFile } from './runs.ts'

const formats = ['table', 'csv', 'json', 'parquet'] as const
type Format = (typeof formats)[number]

/** Rows that a table on the terminal, and `--json`, show unless asked for more. */
const defaultRows = { table: 40, json: 1_000 }

/** Runs SQL on a DuckDB file. */
export class Query extends BaseCommand {
  static override summary = 'Run SQL on a DuckDB file and show or write the result.'
  static override description =
    'The file is opened for reading only. `table` fits the terminal and shows the first rows; `csv` and `json` (one object a line) stream all rows to stdout or a file; `parquet` needs --output. SQL `-` is read from stdin.'
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
  ]
  static override args = {
    sql: Args.string({ description: 'SQL statement, or - for stdin.', required: true, ignoreStdin: true }),
  }
  static override flags = {
    from: Flags.string({ description: 'DuckDB file to query.', helpValue: 'FILE.duckdb' }),
    format: Flags.string({
      description: 'Form of the result (default: by --output, else table).',
      options: [...formats],
    }),
    output: Flags.string({ char: 'o', description: 'Write the result to this file.', helpValue: 'FILE' }),
    limit: Flags.string({
      description: 'Rows that a table or --json shows at most; 0 for all.',
      helpValue: 'N',
    }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Query)
    if (flags.from === undefined)
      throw new ConnectorError('config', '--from is missing: the DuckDB file to query.', {
        code: 'Usage',
        hint: 'For example --from warehouse.duckdb',
      })
    const format = formatOf(flags.format as Format | undefined, flags.output)
    if (format === 'parquet' && flags.output === undefined)
      throw new ConnectorError('config', 'Parquet is binary; give a file for it with --output.', {
        code: 'Usage',
      })
    const limit = limitOf(flags.limit)
    const sql = args.sql === '-' ? await readText(process.stdin) : args.sql
    await requireFile(flags.from)
    return withEngine(flags.from, { readOnly: true }, async (engine) => {
      if (flags.output !== undefined) return this.#copy(engine, sql, flags.output, format)
      const result = await engine.query(sql, { signal: this.signal })
      if (this.jsonEnabled()) return this.#collect(result, limit ?? defaultRows.json)
      if (format === 'csv') return this.#csv(result)
      if (format === 'json') return this.#ndjson(result)
      return this.#table(result, limit ?? defaultRows.table)
    })
  }

  async #copy(engine: TableEngine, sql: string, output: string, format: Format): Promise<unknown> {
    if (format === 'table')
      throw new ConnectorError(
        'config',
        'A table is for the terminal; write csv, json or parquet to a file.',
        {
          code: 'Usage',
          hint: 'Add --format csv, or name the file .csv, .jsonl or .parquet.',
        },
      )
    const { rows, bytes } = await engine.copyTo(sql, output, { type: format, signal: this.signal })
    this.notice(`Wrote ${countOf(rows, 'row')}, ${formatBytes(bytes)}, to ${output}`)
    return { output, format, rows, bytes }
  }

  async #csv(result: QueryResult): Promise<void> {
    if (!(await this.write(`${csvLine(result.columns.map((column) => column.name))}\n`))) return
    for await (const rows of result.rows()) {
      const lines = rows.map((row) => csvLine(textsOf(result, row)))
      if (!(await this.write(`${lines.join('\n')}\n`))) return
    }
  }

  async #ndjson(result: QueryResult): Promise<void> {
    for await (const rows of result.rows()) {
      const lines = rows.map((row) => rowText(result.columns, row))
      if (!(await this.write(`${lines.join('\n')}\n`))) return
    }
  }

  /** The one place that holds a whole result: `--json` is one object. */
  async #collect(result: QueryResult, limit: number): Promise<unknown> {
    const { rows, more } = await firstRows(result, limit)
    return {
      columns: result.columns.map(({ name, type }) => ({ name, type: describeType(type) })),
      rows: rows.map((row) => exactJson(rowText(result.columns, row))),
      truncated: more,
    }
  }

  async #table(result: QueryResult, limit: number): Promise<void> {
    const { rows, more } = await firstRows(result, limit)
    const numeric = new Set(['int', 'float', 'double', 'decimal'])
    const { lines, hiddenColumns } = renderTable(
      result.columns.map(({ name, type }) => ({
        title: name,
        align: numeric.has(type.type) ? 'right' : 'left',
      })),
      rows.map((row) => textsOf(result, row).map((text) => text ?? 'NULL')),
      { width: columnsOf(process.stdout), header: this.outStyle.bold },
    )
    for (const line of lines) if (!(await this.write(`${line}\n`))) return
    const notes = [
      more
        ? `First ${countOf(rows.length, 'row')}; --limit 0 shows all, --format csv writes all.`
        : countOf(rows.length, 'row'),
      ...(hiddenColumns.length > 0
        ? [
            `${formatCount(hiddenColumns.length)} columns have no room: ${hiddenColumns.slice(0, 8).join(', ')}${hiddenColumns.length > 8 ? ', …' : ''}`,
          ]
        : []),
    ]
    this.notice(this.errStyle.dim(notes.join('\n')))
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

const firstRows = async (
  result: QueryResult,
  limit: number,
): Promise<{ rows: (readonly unknown[])[]; more: boolean }> => {
  const rows: (readonly unknown[])[] = []
  for await (const page of result.rows()) {
    const room = limit - rows.length
    if (page.length > room) return { rows: [...rows, ...page.slice(0, room)], more: true }
    rows.push(...page)
  }
  return { rows, more: false }
}

const textsOf = (result: QueryResult, row: readonly unknown[]): (string | undefined)[] =>
  result.columns.map(({ type }, index) => valueText(row[index], type))
