import {
  type AnyZeroCopy,
  type Connection,
  ConnectorError,
  schemaFields,
  type UseOptions,
} from '@penstock/core'
import { saveConnection } from '../project/edit.ts'
import { connectionNamed, type Project } from '../project/project.ts'
import { describeTable, listCatalogTables, requireTables } from './catalog.ts'
import { joinName, splitName, tableLabel } from './table-name.ts'

/** One choice as the field `shares` of a connection holds it: a namespace, and tables of it or all. */
export interface SharedNamespace {
  readonly namespace: string | readonly string[]
  readonly tables?: readonly string[]
}

/** Fields of a connection that are written here. */
interface Saved {
  readonly shares?: readonly SharedNamespace[]
  readonly dataLocations?: readonly string[]
}

/** A namespace that a connection of the project is, or is no longer, to use. */
export interface ShareChoice {
  readonly project: Project
  /** Name of the connection. */
  readonly name: string
  readonly connection: Connection<AnyZeroCopy>
  readonly namespace: readonly string[]
}

export interface ShareOutcome {
  /** All that the connection shares now; empty: everything of the catalog. */
  readonly shares: readonly SharedNamespace[]
  /** Tables of the namespace that can't be read. */
  readonly unsupported: number
  readonly project: Project
}

/**
 * Limits a connection to a namespace, or to tables of it, beside what was chosen before, and saves that. Each named
 * table is opened once, so that one that can't be read is found now.
 */
export const shareTables = async (
  choice: ShareChoice & { readonly tables?: readonly string[] | undefined },
  use: UseOptions,
): Promise<ShareOutcome> => {
  const { whole, others, before } = openChoice(choice)
  const chosen = await choose(whole, choice.namespace, choice.tables, use)
  const locations = [...(before.dataLocations ?? []), ...(await locationsIn(whole, [chosen.share], use))]
  const shares = [...others, chosen.share]
  return {
    shares,
    unsupported: chosen.unsupported,
    project: await save(choice, shares, locations),
  }
}

/** Takes a namespace out of what a connection is limited to, and saves that. */
export const unshareNamespace = async (choice: ShareChoice, use: UseOptions): Promise<ShareOutcome> => {
  const { whole, others } = openChoice(choice)
  const locations = await locationsIn(whole, others, use)
  return { shares: others, unsupported: 0, project: await save(choice, others, locations) }
}

const openChoice = ({ project, name, connection, namespace }: ShareChoice) => {
  requireField(connection, 'shares')
  const before = connectionNamed(project, name).fields as Saved
  const others = (before.shares ?? []).filter((share) => joinName(shareLevels(share)) !== joinName(namespace))
  // What was chosen before must not hide what there is.
  return { whole: withoutShares(connection), before, others }
}

/** Looks that the tables are there and can be read. */
const choose = async (
  connection: Connection<AnyZeroCopy>,
  namespace: readonly string[],
  names: readonly string[] | undefined,
  use: UseOptions,
): Promise<{ share: SharedNamespace; unsupported: number }> => {
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
const locationsIn = async (
  connection: Connection<AnyZeroCopy>,
  shares: readonly SharedNamespace[],
  use: UseOptions,
): Promise<readonly string[]> => {
  const found: string[] = []
  for (const share of shares)
    for (const name of share.tables ?? []) {
      const { details } = await describeTable(connection, { namespace: shareLevels(share), name }, use)
      found.push(...locationsOf(details?.location, details?.properties))
    }
  return found
}

/** Where all tables are named, it is known where their files are: the policy then allows these places alone. */
const save = (
  { project, name, connection: { connector } }: ShareChoice,
  shares: readonly SharedNamespace[],
  locations: readonly string[],
): Promise<Project> => {
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

/** Levels of a namespace, as a project file has it: one text, or a list. */
export const shareLevels = ({ namespace }: SharedNamespace): readonly string[] =>
  typeof namespace === 'string' ? splitName(namespace) : namespace

const requireField = ({ connector }: Connection<AnyZeroCopy>, field: string): void => {
  if (schemaFields(connector.config).some(({ name }) => name === field)) return
  throw new ConnectorError(
    'config',
    `Connections of ${connector.name} can not be limited to chosen tables.`,
    { code: 'Usage', hint: 'All of its tables can be queried as they are.' },
  )
}

/** The connection as it is before anything is chosen: tables that were not chosen yet are to be opened. */
export const withoutShares = (connection: Connection<AnyZeroCopy>): Connection<AnyZeroCopy> => {
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
