import {
  type AnySource,
  type Connection,
  type ConnectorContext,
  connectUnknown,
  isAfterCursor,
  type RowTable,
  type SourceTable,
  type TableSummary,
  text,
  withContext,
} from '@penstock/core'
import { fail } from '../expectations.ts'
import { configAt } from '../options.ts'
import type { SourceOptions } from './options.ts'

export interface Use {
  readonly signal: AbortSignal
  readonly notice?: (message: string) => void
}

/** A connection of the source under test: with the working configuration, or with another. */
export const connectSource = (
  connector: AnySource,
  options: SourceOptions,
  config: unknown = configAt(options),
): Connection<AnySource> => connectUnknown(connector, config) as Connection<AnySource>

/** Gives the tables of a connection to `use`: those that it lists, or those of the given selections. */
export const withTables = <Result>(
  connection: Connection<AnySource>,
  options: SourceOptions,
  { signal, notice }: Use,
  use: (tables: readonly SourceTable[], context: ConnectorContext) => Promise<Result>,
): Promise<Result> =>
  withContext(connection, async (context) => use(await tablesOf(connection, options, context), context), {
    signal,
    ...(notice && { notice }),
  })

const tablesOf = async (
  connection: Connection<AnySource>,
  options: SourceOptions,
  context: ConnectorContext,
): Promise<SourceTable[]> => {
  const { connector } = connection
  const tables: SourceTable[] = []
  if (options.selections === undefined) {
    for await (const table of await connector.tables(context, {})) if (isTable(table)) tables.push(table)
    if (tables.length === 0)
      fail('tables() gives no table that can be read; say what to select with the option selections.')
    return tables
  }
  for (const selection of options.selections)
    tables.push(...((await connector.select?.(context, connector.selection.parse(selection))) ?? []))
  if (tables.length === 0) fail('The selections give no table.')
  return tables
}

const isTable = (table: SourceTable | TableSummary): table is SourceTable => 'kind' in table

export const isRowTable = (table: SourceTable): table is RowTable => table.kind === 'rows'

type Row = Readonly<Record<string, unknown>>

/** A page as the runtime takes it: validated by the table's own schema. */
const validPage = (table: RowTable, page: readonly unknown[]): Row[] =>
  page.map((row, index) => {
    const result = table.row.safeParse(row)
    if (result.success) return result.data as Row
    const issue = result.error.issues[0]
    return fail(
      `Row ${index + 1} of a page of table ${table.name} does not fit its schema: ${issue?.path.join('.')}: ${issue?.message}.`,
    )
  })

/** Pages of a table from a cursor on. */
export const readPages = async (table: RowTable, since: unknown, signal: AbortSignal): Promise<Row[][]> => {
  const pages: Row[][] = []
  for await (const page of table.read({ since, signal })) pages.push(validPage(table, page))
  return pages
}

/** Order of the cursor values of a table, as the runtime has it. */
export const isAfter = (table: RowTable, value: unknown, other: unknown): boolean => {
  const { columns, cursor } = table.schema
  return isAfterCursor(columns.find(({ name }) => name === cursor)?.type ?? text, value, other)
}

export const highestCursor = (table: RowTable, rows: readonly Row[], start?: unknown): unknown => {
  const { cursor } = table.schema
  if (cursor === undefined) return undefined
  let highest = start
  for (const row of rows) if (isAfter(table, row[cursor], highest)) highest = row[cursor]
  return highest
}

/** Rows of a delta on top of rows that are there, as the runtime puts them together. */
export const applyDelta = (
  table: RowTable,
  present: readonly Row[],
  delta: readonly Row[],
  since: unknown,
): Row[] => {
  const { key, cursor } = table.schema
  if (key) {
    const keyOf = (row: Row) => JSON.stringify(key.map((column) => String(row[column])))
    return [...new Map([...present, ...delta].map((row) => [keyOf(row), row])).values()]
  }
  return [...present, ...delta.filter((row) => cursor === undefined || isAfter(table, row[cursor], since))]
}
