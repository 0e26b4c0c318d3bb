import {
  type AnySource,
  type Connection,
  type ConnectorContext,
  ConnectorError,
  type FileEntry,
  type FileTable,
  type QueryColumn,
  type TableEngine,
  withContext,
} from '@penstock/core'
import { firstRows } from '../query/first-rows.ts'
import { createRunId, extract } from './extract.ts'
import { engineOptions } from './files.ts'
import type { LoadRequest, TableRequest } from './request.ts'
import { resolveTables } from './resolve.ts'
import { isPartial, stageSample } from './sample.ts'
import { createStaging, type Staging, stageFile } from './staging.ts'

/** A Parquet file has no beginning that could be read alone: one up to this size is read as a whole. */
const wholeFileBytes = 64 * 1024 ** 2

export interface Preview {
  /** Name that the table would have. */
  readonly name: string
  readonly columns: readonly QueryColumn[]
  readonly rows: readonly (readonly unknown[])[]
  /** True when the table has, or may have, more rows than these. */
  readonly more: boolean
  /** What the rows are of, or why there are none. */
  readonly note?: string
}

export interface PreviewOptions<Connector extends AnySource = AnySource> {
  readonly source: Connection<Connector>
  /** Selection and load options of one table, as `extract` takes them. */
  readonly table: Readonly<Record<string, unknown>>
  /** A database in memory: nothing of it is kept. */
  readonly engine: TableEngine
  /** Rows at most. */
  readonly limit: number
  readonly signal: AbortSignal
}

/**
 * The first rows of a table, typed as a load would type them, from the beginning of its first file (about half a MiB).
 * Where a selection gives several tables, the first one.
 */
export const previewTable = async (options: PreviewOptions): Promise<Preview> => {
  const { source, signal } = options
  return withContext(source, (context) => preview(context, options), { signal })
}

const preview = async (context: ConnectorContext, options: PreviewOptions): Promise<Preview> => {
  const { source, engine, signal } = options
  const [resolved] = await resolveTables(source.connector, context, [options.table])
  if (!resolved) throw new ConnectorError('not-found', 'The selection has no table.')
  const { table, load } = resolved
  if (table.kind === 'rows') return previewRows(table.name, options)
  const entry = await firstEntry(table, signal)
  if (!entry) return { name: table.name, columns: [], rows: [], more: false, note: 'There are no files.' }
  const staging = await createStaging(engine.stagingFolder)
  try {
    return await previewFile(table, entry, { ...load, mode: 'full' }, staging, options)
  } finally {
    await staging.remove()
  }
}

const previewRows = async (name: string, options: PreviewOptions): Promise<Preview> => {
  const { source, engine, limit, signal } = options
  const request = { ...options.table, mode: 'full', limit: limit + 1 } as TableRequest
  const { error } = await extract({ source, tables: [request], engine, signal })
  if (error) throw new ConnectorError(error.kind, error.message, error)
  const result = await engine.query(`SELECT * FROM ${quoted(name)}`, { signal })
  return { name, columns: result.columns, ...(await firstRows(result, limit)) }
}

const firstEntry = async (table: FileTable, signal: AbortSignal): Promise<FileEntry | undefined> => {
  for await (const page of table.list({ signal })) if (page[0]) return page[0]
  return undefined
}

const previewFile = async (
  table: FileTable,
  entry: FileEntry,
  load: LoadRequest,
  staging: Staging,
  { engine, limit, signal }: PreviewOptions,
): Promise<Preview> => {
  const { name } = table
  const type = table.format(entry)?.type
  const isWhole = type === 'parquet' && entry.size <= wholeFileBytes
  const file = isWhole
    ? (await stageFile(table, entry, staging, { ordinal: 0, signal, streamable: () => false })).file
    : await stageSample(table, entry, staging.folder, 0, signal)
  // The footer of a Parquet file, and the beginning of a JSON array, tell columns and give no rows.
  if (!isWhole && (type === 'parquet' || (type === 'json' && isPartial(entry)))) {
    const columns = await engine.infer([file], {
      schemaPolicy: load.schema,
      allText: load.allText,
      partial: true,
    })
    const note = `${entry.key} is too large to show rows of it; these are its columns.`
    return { name, columns, rows: [], more: true, note }
  }
  const transaction = await engine.begin({ runId: createRunId(), signal })
  try {
    const loading = await transaction.load(engineOptions(name, { ...load, limit: limit + 1 }))
    await loading.addFiles([file], { signal })
    await loading.finish()
    const [result] = await transaction.execute(`SELECT * FROM ${quoted(name)}`, { maxRows: limit + 1 })
    const { columns = [], rows = [] } = result ?? {}
    const more = rows.length > limit || (!isWhole && isPartial(entry))
    return { name, columns, rows: rows.slice(0, limit), more, note: `From ${entry.key}` }
  } finally {
    await transaction.rollback()
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
