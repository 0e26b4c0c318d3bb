import {
  type AnyZeroCopy,
  type CatalogTable,
  type CatalogTableSummary,
  type Connection,
  type ConnectorContext,
  connectUnknown,
  type NamespaceSummary,
  type Scan,
  type ScanRequest,
  type TableVersion,
  withContext,
  type ZeroCopyTable,
} from '@penstock/core'
import { fail } from '../expectations.ts'
import { configAt } from '../options.ts'
import type { FileScan, Row, ZeroCopyOptions } from './options.ts'

/** A connector under test, with what its suite knows. */
export interface Subject {
  readonly connector: AnyZeroCopy
  readonly options: ZeroCopyOptions
}

/** What a check may do with the catalog of a connection. */
export interface Catalog {
  readonly context: ConnectorContext
  namespaces(): Promise<NamespaceSummary[]>
  tables(namespace: readonly string[]): Promise<CatalogTableSummary[]>
  open(table: CatalogTable, at?: TableVersion): Promise<ZeroCopyTable>
  /** Rows of a scan, with the columns that were asked for. */
  rows(table: ZeroCopyTable, request?: Partial<ScanRequest>): Promise<Row[]>
}

export interface Use {
  readonly signal: AbortSignal
  readonly notice?: (message: string) => void
  readonly config?: unknown
}

/** Gives the catalog of a connection to `use`: of the working configuration, or of another. */
export const withCatalog = <Result>(
  { connector, options }: Subject,
  { signal, notice, config = configAt(options) }: Use,
  use: (catalog: Catalog) => Promise<Result>,
): Promise<Result> => {
  const connection = connectUnknown(connector, config) as Connection<AnyZeroCopy>
  const catalogOf = (context: ConnectorContext): Catalog => ({
    context,
    namespaces: async () => collect(await connector.namespaces(context)),
    tables: async (namespace) => collect(await connector.tables(context, { namespace })),
    open: (table, at) => connector.open(context, { namespace: table.namespace, name: table.name }, { at }),
    rows: (table, request = {}) =>
      scanRows(options, table, { signal, columns: allColumns(table), ...request }),
  })
  return withContext(connection, (context) => use(catalogOf(context)), { signal, ...(notice && { notice }) })
}

const collect = async <Entry>(entries: Iterable<Entry> | AsyncIterable<Entry>): Promise<Entry[]> => {
  const found: Entry[] = []
  for await (const entry of entries) found.push(entry)
  return found
}

export const allColumns = (table: ZeroCopyTable): ScanRequest['columns'] =>
  table.schema.columns.map(({ name }) => [name] as const)

/** Tables that the checks read: those of the options, or all that can be read. */
export const chosenTables = async (subject: Subject, catalog: Catalog): Promise<readonly CatalogTable[]> => {
  if (subject.options.tables !== undefined) return subject.options.tables
  const found: CatalogTable[] = []
  for (const { namespace } of await catalog.namespaces())
    for (const table of await catalog.tables(namespace))
      if (table.unsupported === undefined) found.push(table)
  return found.length > 0 ? found : fail('The catalog lists no table that can be read.')
}

export const nameOf = ({ namespace, name }: CatalogTable): string => [...namespace, name].join('.')

const scanRows = async (
  options: ZeroCopyOptions,
  table: ZeroCopyTable,
  request: ScanRequest,
): Promise<Row[]> => {
  const scan = await table.scan(request)
  const columns = request.columns.map(([column]) => column)
  const found = await rowsOf(options, table, scan, columns, request.signal)
  const isShort = scan.kind === 'files' && scan.more && found.length < (request.limit ?? 0)
  const rows = isShort ? await rowsOf(options, table, await scan.more(), columns, request.signal) : found
  return rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column] ?? null])))
}

const rowsOf = async (
  options: ZeroCopyOptions,
  table: ZeroCopyTable,
  scan: Scan,
  columns: readonly string[],
  signal: AbortSignal,
): Promise<readonly Row[]> => {
  if (scan.kind === 'rows') return (await Array.fromAsync(scan.rows())).flat()
  return readFilesOf(options)(scan, { table, columns, signal })
}

export const readFilesOf = (options: ZeroCopyOptions): NonNullable<ZeroCopyOptions['readFiles']> =>
  options.readFiles ?? (() => fail('Its scans give files, and no way to read them was given (readFiles).'))

/** The scan with these of its files alone. */
export const withFiles = (scan: FileScan, files: FileScan['files']): FileScan => ({
  kind: 'files',
  receipt: scan.receipt,
  files,
})
