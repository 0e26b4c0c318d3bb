import { text as readText } from 'node:stream/consumers'
import { Args, countOf, Flags, formatBytes, printable, wrap } from '@penstock/command-kit'
import { ConnectorError, type QueryReceipt } from '@penstock/core'
import { explain } from '@penstock/runtime'
import { inPlaceFlags } from '../lib/in-place.ts'
import { InPlaceCommand } from '../lib/in-place-command.ts'
import { tableLines } from '../lib/receipt-text.ts'
import { resourceFlags } from '../lib/selection.ts'
import { requireFile } from './runs.ts'

const titleWidth = 9

/** Tells what a query over zero-copy connections would read. */
export class Explain extends InPlaceCommand {
  static override summary = 'Tell what a query over zero-copy connections would read, and what not.'
  static override description =
    'Plans the query and prints its receipt: manifests, files, row groups, columns and bytes that it needs, and what it skips and why. Metadata, footers and indexes are read; data is not.'
  static override examples = [
    {
      description: 'What one day of a table costs',
      command: `<%= config.bin %> explain "select sum(amount) from sales.orders where day = '2026-11-24'" --connection warehouse`,
    },
  ]
  static override args = {
    sql: Args.string({ description: 'SQL statement, or - for stdin.', required: true, ignoreStdin: true }),
  }
  static override flags = {
    ...inPlaceFlags,
    from: Flags.string({
      description: 'DuckDB file whose tables the SQL names too.',
      helpValue: 'FILE.duckdb',
    }),
    ...resourceFlags,
  }

  async run(): Promise<QueryReceipt> {
    const { args, flags } = await this.parse(Explain)
    const from = flags.from as string | undefined
    const names = (flags.connection ?? []) as readonly string[]
    if (names.length === 0)
      throw new ConnectorError('config', '--connection is missing: whose tables the SQL names.', {
        code: 'Usage',
        hint: 'For example --connection warehouse',
      })
    const sql = args.sql === '-' ? await readText(process.stdin) : args.sql
    if (from !== undefined) await requireFile(from)
    const receipt = await this.withInPlace(sql, flags, explain)
    this.#show(receipt)
    return receipt
  }

  #show(receipt: QueryReceipt): void {
    for (const table of receipt.tables) {
      this.print(this.outStyle.bold(printable(table.table)))
      for (const [title, text] of tableLines(table)) this.#line(title, printable(text))
    }
    const cost = [
      `${formatBytes(receipt.metadataBytes)} of metadata in ${countOf(receipt.metadataRequests, 'request')}`,
      `${formatBytes(receipt.bytesFetched)} of footers and indexes in ${countOf(receipt.requests, 'request')}`,
      ...(receipt.bytesFromCache > 0 ? [`${formatBytes(receipt.bytesFromCache)} from the cache`] : []),
    ]
    this.print(this.outStyle.bold('planned with'))
    for (const line of cost) this.#line('', line)
    for (const note of receipt.notes) this.notice(note)
  }

  #line(title: string, text: string): void {
    const [first = '', ...others] = wrap(text, 78 - titleWidth)
    this.print(`  ${this.outStyle.dim(title.padEnd(titleWidth))}${first}`)
    for (const other of others) this.print(`  ${''.padEnd(titleWidth)}${other}`)
  }
}
