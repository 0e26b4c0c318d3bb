import { countOf, Flags, formatBytes, formatCount } from '@penstock/command-kit'
import type { SourceTable, TableSummary } from '@penstock/core'
import { listTables } from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Shows what can be extracted. */
export class Tables extends ProjectCommand {
  static override summary = 'Show what can be extracted from a connection.'
  static override description =
    'Lists objects and folders (or the tables that a source names itself) with format and size, and the flags that extract each. No data is read for it.'
  static override examples = [
    { description: 'The top level', command: '<%= config.bin %> tables lake' },
    { description: 'Below a prefix', command: '<%= config.bin %> tables lake --prefix shop/' },
  ]
  static override args = { connection: connectionArgument }
  static override flags = {
    prefix: Flags.string({ description: 'Only what begins with this.', helpValue: 'PREFIX' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Tables)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection)
    const found = await listTables(connection, {
      signal: this.signal,
      prefix: flags.prefix,
      notice: (message) => this.notice(message),
    })
    const tables = found.map(summaryOf)
    this.#show(tables, args.connection)
    return { connection: args.connection, tables }
  }

  #show(tables: readonly TableSummary[], connection: string): void {
    if (tables.length === 0) {
      this.print('There is nothing here to extract.')
      return
    }
    const bytes = tables.some((table) => table.bytes !== undefined)
    this.printTable(
      [
        { title: 'NAME', cut: 'middle' },
        { title: 'FORMAT' },
        ...(bytes
          ? [
              { title: 'OBJECTS', align: 'right' as const, cut: 'never' as const },
              { title: 'SIZE', align: 'right' as const, cut: 'never' as const },
            ]
          : []),
        { title: 'EXTRACT WITH', cut: 'middle' },
      ],
      tables.map((table) => [
        table.name,
        table.format ?? '',
        ...(bytes ? [sizeOf(table.objects, formatCount), sizeOf(table.bytes, formatBytes)] : []),
        selectionText(table),
      ]),
    )
    const example = tables.map(selectionText).find((text) => text !== '')
    if (example)
      this.notice(
        `\n${countOf(tables.length, 'entry', 'entries')}. For example:\n  ${this.config.bin} extract ${connection} ${example} --into warehouse.duckdb`,
      )
  }
}

const sizeOf = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? '' : format(value)

const summaryOf = (table: SourceTable | TableSummary): TableSummary => {
  if (!('kind' in table)) return table
  return {
    name: table.name,
    ...(table.description === undefined ? {} : { description: table.description }),
    format: table.kind === 'rows' ? 'rows' : 'files',
    selection: { table: table.name },
  }
}

/** Flags that extract it, quoted for a shell where needed. */
const selectionText = (table: TableSummary): string =>
  Object.entries(table.selection ?? {})
    .flatMap(([name, value]) => [value].flat().map((each) => `--${name} ${quoted(String(each))}`))
    .join(' ')

const quoted = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
