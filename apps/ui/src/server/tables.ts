import { valueText } from '@penstock/command-kit'
import {
  type AnyZeroCopy,
  type Connection,
  connectionOfKind,
  describeType,
  type LogicalType,
} from '@penstock/core'
import {
  connectionNamed,
  firstRows,
  joinName,
  listCatalogTables,
  listNamespaces,
  listTables,
  previewTable,
  query,
  shareTables,
  tableLabel,
  unshareNamespace,
  withoutShares,
} from '@penstock/runtime'
import type { CatalogListing, NamespaceEntry, PreviewTable, TableEntry } from '../api.ts'
import { projectOf, type UiHost, useConnection, withEngine } from './host.ts'

/** Rows of a preview. */
const previewRows = 50

export const sourceTables = async (
  host: UiHost,
  name: string,
  prefix: string | undefined,
  signal: AbortSignal,
): Promise<readonly TableEntry[]> =>
  listTables(await useConnection(host, await projectOf(host), name), { signal, prefix })

/** All namespaces of the catalog: those that are not chosen yet are there to be chosen. */
export const catalogNamespaces = async (
  host: UiHost,
  name: string,
  signal: AbortSignal,
): Promise<readonly NamespaceEntry[]> => {
  const connection = await useConnection(host, await projectOf(host), name)
  const found = await listNamespaces(connection, { signal })
  return found.map((entry) => ({ ...entry, label: joinName(entry.namespace) }))
}

/** All tables of a namespace, with those marked that the connection may use. */
export const catalogTables = async (
  host: UiHost,
  name: string,
  namespace: readonly string[],
  signal: AbortSignal,
): Promise<CatalogListing> => {
  const project = await projectOf(host)
  const connection = await useConnection(host, project, name)
  const found = await listCatalogTables(connection, { signal, namespace })
  return {
    tables: found.map((entry) => ({ ...entry, label: tableLabel(entry) })),
    limited: connectionNamed(project, name).fields.shares !== undefined,
  }
}

/** Chooses a namespace, or tables of it, for a connection; without `tables` all of it, with none of them nothing. */
export const changeShares = async (
  host: UiHost,
  name: string,
  choice: { readonly namespace: readonly string[]; readonly tables: readonly string[] | undefined },
  signal: AbortSignal,
): Promise<void> => {
  const project = await projectOf(host)
  const connection = connectionOfKind(await useConnection(host, project, name), 'zero-copy')
  const { namespace, tables } = choice
  const whole = { project, name, connection, namespace }
  if (tables?.length === 0) await unshareNamespace(whole, { signal })
  else await shareTables({ ...whole, tables }, { signal })
}

/** First rows of what a source would load. Nothing is kept. */
export const previewSource = async (
  host: UiHost,
  name: string,
  table: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<PreviewTable> => {
  const source = connectionOfKind(await useConnection(host, await projectOf(host), name), 'source')
  return withEngine(host, ':memory:', { stagingFolder: host.inPlace.stagingFolder }, async (engine) => {
    const { columns, rows, ...preview } = await previewTable({
      source,
      table,
      engine,
      limit: previewRows,
      signal,
    })
    return { ...preview, ...cells(columns, rows) }
  })
}

/** First rows of a table of a catalog, read in place. */
export const previewCatalog = async (
  host: UiHost,
  name: string,
  table: { readonly namespace: readonly string[]; readonly name: string },
  signal: AbortSignal,
): Promise<PreviewTable> => {
  const connection = connectionOfKind(await useConnection(host, await projectOf(host), name), 'zero-copy')
  const { stagingFolder, cache } = host.inPlace
  return withEngine(host, ':memory:', { stagingFolder }, async (engine) => {
    const running = await query({
      sql: `SELECT * FROM ${[name, ...table.namespace, table.name].map(quoted).join('.')} LIMIT ${previewRows + 1}`,
      // Rows are looked at before a table is chosen.
      connections: [withoutShares(connection as Connection<AnyZeroCopy>)],
      engine,
      signal,
      cache,
    })
    try {
      const { columns } = running.result
      const { rows, more } = await firstRows(running.result, previewRows)
      return { name: tableLabel(table), more, ...cells(columns, rows) }
    } finally {
      await running.close()
    }
  })
}

/** First rows of a table of a database of the project. */
export const previewDatabase = async (
  host: UiHost,
  path: string,
  table: string,
  signal: AbortSignal,
): Promise<PreviewTable> =>
  withEngine(host, path, { readOnly: true }, async (engine) => {
    const result = await engine.query(`SELECT * FROM ${quoted(table)} LIMIT ${previewRows + 1}`, { signal })
    const { rows, more } = await firstRows(result, previewRows)
    return { name: table, more, ...cells(result.columns, rows) }
  })

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const numericTypes = new Set(['int', 'float', 'double', 'decimal'])

const cells = (
  columns: readonly { readonly name: string; readonly type: LogicalType }[],
  rows: readonly (readonly unknown[])[],
): Pick<PreviewTable, 'columns' | 'rows'> => ({
  columns: columns.map(({ name, type }) => ({
    name,
    type: describeType(type),
    numeric: numericTypes.has(type.type),
  })),
  rows: rows.map((row) => columns.map(({ type }, index) => shortened(valueText(row[index], type)))),
})

/** A cell that a page can show. */
const longestCell = 500

const shortened = (text: string | undefined): string | null => {
  if (text === undefined) return null
  return text.length > longestCell ? `${text.slice(0, longestCell)}…` : text
}
