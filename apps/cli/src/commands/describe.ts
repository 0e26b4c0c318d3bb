import { Args, countOf, Flags, formatBytes, formatCount, printable } from '@penstock/command-kit'
import { type CatalogTableDetails, describeType } from '@penstock/core'
import { type DescribedTable, describeTable, parseTableName, tableLabel } from '@penstock/runtime'
import { readVersion } from '../lib/in-place.ts'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

/** Snapshots that are shown; --json has all. */
const shownSnapshots = 10

/** Shows a table of a catalog. */
export class Describe extends ProjectCommand {
  static override summary = 'Show a table of a catalog: columns, partitions, snapshots.'
  static override description =
    'Reads the metadata of a table of a zero-copy connection: columns and types, how it is partitioned, its snapshots, branches and tags, and how many files and bytes it has. No data is read.'
  static override examples = [
    { description: 'The table orders', command: '<%= config.bin %> describe warehouse sales.orders' },
    {
      description: 'As it was at a time, or on a branch',
      command: '<%= config.bin %> describe warehouse sales.orders --at 2026-01-31',
    },
  ]
  static override args = {
    connection: connectionArgument,
    table: Args.string({
      name: 'table',
      description: 'Table, as namespace.table.',
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = {
    at: Flags.string({
      description: 'Version: snapshot id, time (UTC unless it has a zone), branch or tag.',
      helpValue: 'VERSION',
    }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Describe)
    const project = await this.openProject(flags.project)
    const connection = await this.openConnection(project, args.connection)
    const described = await describeTable(connection, parseTableName(args.table), {
      signal: this.signal,
      at: readVersion(flags.at),
      notice: (message) => this.notice(message),
    })
    this.#show(described)
    return { connection: args.connection, ...jsonOf(described) }
  }

  #show({ namespace, name, schema, details }: DescribedTable): void {
    const { bold, dim } = this.outStyle
    this.print(`${bold(printable(tableLabel({ namespace, name })))}  ${details ? summaryOf(details) : ''}`)
    if (details?.location !== undefined) this.print(dim(printable(details.location)))
    this.print()
    this.printTable(
      [
        { title: 'COLUMN', cut: 'middle' },
        { title: 'TYPE', cut: 'middle' },
        { title: 'NULL' },
        { title: 'PARTITION' },
      ],
      schema.columns.map((column) => [
        column.name,
        describeType(column.type),
        column.nullable ? 'yes' : 'no',
        (details?.partitions ?? [])
          .filter(({ column: source }) => source === column.name)
          .map(({ transform }) => transform)
          .join(', '),
      ]),
    )
    if (!details) return
    if (details.refs.length > 0) {
      this.print()
      this.printTable(
        [{ title: 'BRANCH OR TAG' }, { title: 'KIND' }, { title: 'SNAPSHOT', cut: 'never' }],
        details.refs.map((ref) => [ref.name, ref.kind, String(ref.snapshotId)]),
      )
    }
    if (details.snapshots.length === 0) return
    this.print()
    this.printTable(
      [
        { title: 'SNAPSHOT', cut: 'never' },
        { title: 'TIME (UTC)', cut: 'never' },
        { title: 'OPERATION' },
        { title: 'ROWS', align: 'right', cut: 'never' },
      ],
      details.snapshots
        .slice(-shownSnapshots)
        .reverse()
        .map(({ id, timestamp, operation = '', rows }) => [
          String(id),
          timestamp.toISOString().slice(0, 19).replace('T', ' '),
          operation,
          rows === undefined ? '' : formatCount(Number(rows)),
        ]),
    )
    if (details.snapshots.length > shownSnapshots)
      this.notice(
        `The last ${shownSnapshots} of ${countOf(details.snapshots.length, 'snapshot')}; --json has all.`,
      )
  }
}

const summaryOf = ({ format, files, bytes }: CatalogTableDetails): string =>
  [format, files === undefined ? '' : countOf(files, 'file'), bytes === undefined ? '' : formatBytes(bytes)]
    .filter((text) => text !== '')
    .join(', ')

/** Ids of snapshots as text: JSON numbers lose digits in most readers. */
const jsonOf = ({ namespace, name, schema, details }: DescribedTable) => ({
  namespace,
  name,
  columns: schema.columns.map((column) => ({ ...column, type: describeType(column.type) })),
  ...(details && {
    ...details,
    snapshots: details.snapshots.map(({ id, timestamp, rows, ...rest }) => ({
      id: String(id),
      timestamp: timestamp.toISOString(),
      ...rest,
      ...(rows === undefined ? {} : { rows: Number(rows) }),
    })),
    refs: details.refs.map(({ snapshotId, ...ref }) => ({ ...ref, snapshotId: String(snapshotId) })),
    ...(details.rows === undefined ? {} : { rows: Number(details.rows) }),
  }),
})
