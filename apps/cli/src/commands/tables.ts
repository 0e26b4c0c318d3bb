import { countOf, Flags, formatBytes, formatCount } from '@penstock/command-kit'
import type { Connection, TableSummary } from '@penstock/core'
import { listCatalogTables, listTables, splitName, tableLabel } from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Shows what can be extracted. */
export class Tables extends ProjectCommand {
  static override summary = 'Show what can be extracted from a connection, or queried in place.'
  static override description =
    'Of a source: objects and folders (or the tables that it names itself) with format and size, and the flags that extract each. Of a zero-copy connection: the tables of its catalog. No data is read for it.'
  static override examples = [
    { description: 'The top level', command: '<%= config.bin %> tables lake' },
    { description: 'Below a prefix', command: '<%= config.bin %> tables lake --prefix shop/' },
    { description: 'Of a catalog', command: '<%= config.bin %> tables warehouse --namespace sales' },
  ]
  static override args = { connection: connectionArgument }
  static override flags = {
    prefix: Flags.string({ description: 'Only what begins with this.', helpValue: 'PREFIX' }),
    namespace: Flags.string({
      description: 'Of a catalog: only tables of this namespace.',
      helpValue: 'NAME',
    }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Tables)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection)
    if (connection.connector.kind === 'zero-copy')
      return this.#catalogTables(args.connection, connection, flags.namespace)
    const tables = await listTables(connection, {
      signal: this.signal,
      prefix: flags.prefix,
      notice: (message) => this.notice(message),
    })
    this.#show(tables, args.connection)
    return { connection: args.connection, tables }
  }

  async #catalogTables(
    name: string,
    connection: Connection,
    namespace: string | undefined,
  ): Promise<unknown> {
    const tables = await listCatalogTables(connection, {
      signal: this.signal,
      namespace: namespace === undefined ? undefined : splitName(namespace),
      notice: (message) => this.notice(message),
    })
    if (tables.length === 0) this.print('There are no tables here.')
    else
      this.printTable(
        [
          { title: 'TABLE', cut: 'middle' },
          { title: 'FORMAT' },
          { title: 'SHARED', cut: 'never' },
          { title: 'NOTE' },
        ],
        tables.map((table) => [
          tableLabel(table),
          table.format ?? '',
          table.shared ? 'yes' : 'no',
          table.unsupported === undefined ? (table.description ?? '') : `not readable: ${table.unsupported}`,
        ]),
      )
    const example = tables.find(({ shared, unsupported }) => shared && unsupported === undefined)
    if (example)
      this.notice(
        `\n${countOf(tables.length, 'table')}. For example:\n  ${this.config.bin} describe ${name} ${tableLabel(example)}`,
      )
    return { connection: name, tables }
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

/** Flags that extract it, quoted for a shell where needed. */
const selectionText = (table: TableSummary): string =>
  Object.entries(table.selection ?? {})
    .flatMap(([name, value]) => [value].flat().map((each) => `--${name} ${quoted(String(each))}`))
    .join(' ')

const quoted = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
