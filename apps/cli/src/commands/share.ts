import { countOf, Flags } from '@penstock/command-kit'
import {
  type AnyZeroCopy,
  type Connection,
  ConnectorError,
  connectionOfKind,
  schemaFields,
} from '@penstock/core'
import {
  connectionNamed,
  describeTable,
  joinName,
  listCatalogTables,
  type Project,
  requireTables,
  saveConnection,
  splitName,
  tableLabel,
} from '@penstock/runtime'
import { connectionArgument, ProjectCommand } from '../lib/project-command.ts'

interface SharedNamespace {
  readonly namespace: string | readonly string[]
  readonly tables?: readonly string[]
}

/** Fields of a connection that this command writes. */
interface Saved {
  readonly shares?: readonly SharedNamespace[]
  readonly dataLocations?: readonly string[]
}

/** Chooses the namespaces and tables of a catalog that a connection may use. */
export class Share extends ProjectCommand {
  static override summary = 'Choose the tables of a catalog that a connection may use, and save them.'
  static override description =
    'Writes the chosen namespace, and tables of it, to the connection in penstock.yaml: queries then reach these alone, and the policy allows no more. Each table is opened once, so that one that can not be read is found now. Another --namespace adds to what is chosen; the same one replaces its tables. --remove takes a namespace out.'
  static override examples = [
    {
      description: 'All tables of a namespace',
      command: '<%= config.bin %> share warehouse --namespace sales',
    },
    {
      description: 'Two tables of it',
      command: '<%= config.bin %> share warehouse --namespace sales --table orders --table items',
    },
    {
      description: 'Take it out again',
      command: '<%= config.bin %> share warehouse --namespace sales --remove',
    },
  ]
  static override args = { connection: connectionArgument }
  static override flags = {
    namespace: Flags.string({
      description: 'Namespace; its levels joined with dots.',
      helpValue: 'NAME',
      required: true,
    }),
    table: Flags.string({
      description: 'Table of it; repeatable. All of them when absent.',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    remove: Flags.boolean({ description: 'Take the namespace out of what is chosen.' }),
  }

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Share)
    const project = await this.openProject(flags.project)
    const connection = connectionOfKind(await this.openConnection(project, args.connection), 'zero-copy')
    requireField(connection, 'shares')
    // What was chosen before must not hide what there is.
    const whole = withoutShares(connection)
    const namespace = splitName(flags.namespace)
    const { shares: before = [], dataLocations = [] } = connectionNamed(project, args.connection)
      .fields as Saved
    const others = before.filter((share) => joinName(levelsOf(share)) !== joinName(namespace))
    const chosen = flags.remove ? undefined : await this.#choose(whole, namespace, flags.table)
    const shares = chosen ? [...others, chosen.share] : others
    const locations = chosen
      ? [...dataLocations, ...(await this.#locations(whole, [chosen.share]))]
      : await this.#locations(whole, shares)
    const saved = await this.#save(project, args.connection, connection, shares, locations)
    this.#tell(args.connection, shares, chosen?.unsupported ?? 0)
    return { connection: args.connection, file: saved.file, shares }
  }

  /** Looks that the tables are there and can be read. */
  async #choose(
    connection: Connection<AnyZeroCopy>,
    namespace: readonly string[],
    names: readonly string[] | undefined,
  ): Promise<{ share: SharedNamespace; unsupported: number }> {
    const use = { signal: this.signal }
    const name = namespace.length === 1 && !namespace[0]?.includes('.') ? (namespace[0] ?? '') : namespace
    if (names === undefined) {
      const listed = await listCatalogTables(connection, { ...use, namespace })
      const unsupported = listed.filter((table) => table.unsupported !== undefined).length
      return { share: { namespace: name }, unsupported }
    }
    for (const table of await requireTables(connection, namespace, names, use))
      if (table.unsupported !== undefined)
        throw new ConnectorError('data', `Table ${tableLabel(table)} can't be read: ${table.unsupported}.`, {
          code: 'UnsupportedTable',
        })
    return { share: { namespace: name, tables: [...new Set(names)] }, unsupported: 0 }
  }

  /** Where the files of the named tables are. Opens each. */
  async #locations(
    connection: Connection<AnyZeroCopy>,
    shares: readonly SharedNamespace[],
  ): Promise<readonly string[]> {
    const found: string[] = []
    for (const share of shares)
      for (const name of share.tables ?? []) {
        const table = { namespace: levelsOf(share), name }
        const { details } = await describeTable(connection, table, { signal: this.signal })
        found.push(...locationsOf(details?.location, details?.properties))
      }
    return found
  }

  /** Where all tables are named, it is known where their files are: the policy then allows these places alone. */
  async #save(
    project: Project,
    name: string,
    { connector }: Connection<AnyZeroCopy>,
    shares: readonly SharedNamespace[],
    locations: readonly string[],
  ): Promise<Project> {
    const { connector: reference, description, auth, fields } = connectionNamed(project, name)
    const { shares: _shares, dataLocations: _locations, ...rest } = fields
    const known = schemaFields(connector.config).some((field) => field.name === 'dataLocations')
    const complete = known && locations.length > 0 && shares.every(({ tables }) => tables !== undefined)
    return saveConnection(project, {
      name,
      connector,
      reference,
      fields: {
        ...rest,
        ...(shares.length > 0 ? { shares } : {}),
        ...(complete ? { dataLocations: [...new Set(locations)] } : {}),
      },
      ...(description === undefined ? {} : { description }),
      ...(auth === undefined ? {} : { auth }),
    })
  }

  #tell(connection: string, shares: readonly SharedNamespace[], unsupported: number): void {
    const { green } = this.outStyle
    if (shares.length === 0) {
      this.print(`${green('✔')} ${connection} has no choice any more: all tables of the catalog can be used.`)
      return
    }
    this.print(`${green('✔')} ${connection} shares:`)
    for (const share of shares)
      this.print(`  ${joinName(levelsOf(share))}  ${share.tables?.join(', ') ?? 'all tables'}`)
    if (unsupported > 0)
      this.notice(
        `${countOf(unsupported, 'table')} of it can't be read; see: ${this.config.bin} tables ${connection}`,
      )
    this.print()
    this.print('Next:')
    this.print(`  ${this.config.bin} policy ${connection}    what the credentials must be allowed`)
    this.print(`  ${this.config.bin} check ${connection}     test it`)
  }
}

/** Levels of a namespace, as a project file has it: one text, or a list. */
const levelsOf = ({ namespace }: SharedNamespace): readonly string[] =>
  typeof namespace === 'string' ? splitName(namespace) : namespace

const requireField = ({ connector }: Connection<AnyZeroCopy>, field: string): void => {
  if (schemaFields(connector.config).some(({ name }) => name === field)) return
  throw new ConnectorError(
    'config',
    `Connections of ${connector.name} can not be limited to chosen tables.`,
    {
      code: 'Usage',
    },
  )
}

/** The connection as it is before anything is chosen: tables that were not chosen yet are to be opened. */
const withoutShares = (connection: Connection<AnyZeroCopy>): Connection<AnyZeroCopy> => {
  const { shares: _, ...config } = connection.config as Record<string, unknown>
  return { ...connection, config }
}

/** Folder of a table, and those that its properties name for data and metadata. */
const locationsOf = (
  location: string | undefined,
  properties: Readonly<Record<string, string>> = {},
): readonly string[] =>
  [location, properties['write.data.path'], properties['write.metadata.path']]
    .filter((place) => place !== undefined)
    .map((place) => (place.endsWith('/') ? place : `${place}/`))
