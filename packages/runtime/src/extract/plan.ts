import {
  type AnySource,
  type Column,
  type ConnectorContext,
  describeType,
  type FileEntry,
  type FileTable,
  type InferredColumn,
  type LedgerCount,
  type LoadMode,
  sameType,
  type TableEngine,
  withContext,
} from '@penstock/core'
import { createRunId, type ExtractOptions } from './extract.ts'
import { countOf, kindsToLoad, reportedListing } from './files.ts'
import { refuseUnknownKey, showAllColumns } from './merge-key.ts'
import { type ResolvedTable, resolveTables } from './resolve.ts'
import { isPartial, stageSample } from './sample.ts'
import { createStaging } from './staging.ts'

/** Objects whose beginnings a plan reads to infer the schema. */
const sampledObjects = 3
/** Keys of each kind that a plan names. */
const namedObjects = 10
/** Keys of a listing page, and bytes of a ranged read: what the request estimate counts with. */
const listPage = 1_000
const rangeBytes = 8 * 1024 ** 2

export interface SchemaChange {
  readonly column: string
  readonly change: 'added' | 'missing' | 'type'
  readonly from?: string
  readonly to?: string
}

export interface TablePlan {
  readonly name: string
  readonly mode: LoadMode
  readonly listed: LedgerCount
  readonly added: LedgerCount
  readonly changed: LedgerCount
  readonly deleted: LedgerCount
  readonly unchanged: LedgerCount
  /** What a run would load now. */
  readonly toLoad: LedgerCount
  /** First keys of each kind. */
  readonly samples: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly deleted: readonly string[]
  }
  /** Columns as the beginnings of the first objects show them; the load itself looks at every value. */
  readonly schema: readonly InferredColumn[]
  /** Difference to the table as it is. Empty for a new table. */
  readonly schemaChanges: readonly SchemaChange[]
  /** Rows of the table now; undefined when there is none. */
  readonly rowsBefore?: number
  /** Estimate of the requests that a run would send. */
  readonly requests: number
}

export interface ExtractPlan {
  readonly tables: readonly TablePlan[]
}

/**
 * Shows what {@link extract} would do with the same options. Loads nothing and changes nothing. Throws `config` where
 * the key of a merge is no column, as far as the beginnings of the files tell.
 */
export const plan = async <Connector extends AnySource>(
  options: ExtractOptions<Connector>,
): Promise<ExtractPlan> => {
  const { source, engine } = options
  const signal = options.signal ?? new AbortController().signal
  const work = async (context: ConnectorContext): Promise<ExtractPlan> => {
    const resolved = await resolveTables(source.connector, context, options.tables)
    const tables: TablePlan[] = []
    for (const table of resolved) tables.push(await planTable(table, engine, signal, options))
    return { tables }
  }
  return withContext(source, work, {
    signal,
    clock: options.clock,
    concurrency: options.resources?.concurrency,
  })
}

const planTable = async (
  { table, load }: ResolvedTable,
  engine: TableEngine,
  signal: AbortSignal,
  options: ExtractOptions,
): Promise<TablePlan> => {
  const existing = await engine.describe(table.name)
  const rowsBefore = existing && (await countRows(engine, table.name))
  const common = { name: table.name, mode: load.mode, ...(rowsBefore !== undefined && { rowsBefore }) }
  if (table.kind === 'rows') {
    const schema = table.schema.columns.map(({ name, type, nullable }) => ({ name, type, nullable }))
    refuseUnknownKey(table.name, load, [...(existing?.columns ?? []), ...schema])
    return {
      ...common,
      ...unknownCounts,
      schema,
      schemaChanges: changesBetween(existing?.columns, schema),
      requests: 1,
    }
  }
  const transaction = await engine.begin({ runId: createRunId(), signal })
  try {
    const comparison = await transaction.compare(
      table.name,
      reportedListing(table, signal, options.onProgress ?? (() => {})),
    )
    const kinds = kindsToLoad(load)
    const toLoad = countOf(comparison, kinds)
    const keys = async (kind: 'added' | 'changed' | 'deleted') =>
      (await comparison.sample(kind, namedObjects)).map((entry) => entry.key)
    const samples = {
      added: await keys('added'),
      changed: await keys('changed'),
      deleted: await keys('deleted'),
    }
    const first = await firstEntries(comparison.entries(kinds), sampledObjects)
    const schema = await inferSchema(table, first, engine, load, options, signal)
    if (showAllColumns(table, load, first, toLoad.objects))
      refuseUnknownKey(table.name, load, [...(existing?.columns ?? []), ...schema])
    const { listed, added, changed, deleted, unchanged } = comparison
    return {
      ...common,
      listed,
      added,
      changed,
      deleted,
      unchanged,
      toLoad,
      samples,
      schema,
      schemaChanges: schema.length > 0 ? changesBetween(existing?.columns, schema) : [],
      requests:
        Math.max(1, Math.ceil(listed.objects / listPage)) +
        toLoad.objects +
        Math.floor(toLoad.bytes / rangeBytes),
    }
  } finally {
    await transaction.rollback()
  }
}

const none: LedgerCount = { objects: 0, bytes: 0 }
const unknownCounts = {
  listed: none,
  added: none,
  changed: none,
  deleted: none,
  unchanged: none,
  toLoad: none,
  samples: { added: [], changed: [], deleted: [] },
}

const firstEntries = async (
  pages: AsyncIterable<readonly FileEntry[]>,
  count: number,
): Promise<FileEntry[]> => {
  const entries: FileEntry[] = []
  for await (const page of pages) {
    entries.push(...page.slice(0, count - entries.length))
    if (entries.length >= count) break
  }
  return entries
}

const inferSchema = async (
  table: FileTable,
  entries: readonly FileEntry[],
  engine: TableEngine,
  load: ResolvedTable['load'],
  options: ExtractOptions,
  signal: AbortSignal,
): Promise<readonly InferredColumn[]> => {
  if (entries.length === 0) return []
  const staging = await createStaging(options.resources?.stagingFolder ?? engine.stagingFolder)
  try {
    const files = await Promise.all(
      entries.map((entry, ordinal) => stageSample(table, entry, staging.folder, ordinal, signal)),
    )
    return await engine.infer(files, {
      schemaPolicy: load.schema,
      allText: load.allText,
      ...(load.columns && { columnTypes: load.columns }),
      partial: entries.some(isPartial),
    })
  } finally {
    await staging.remove()
  }
}

const countRows = async (engine: TableEngine, table: string): Promise<number> => {
  const result = await engine.query(`SELECT count(*) FROM "${table.replaceAll('"', '""')}"`)
  for await (const rows of result.rows()) return Number(rows[0]?.[0])
  return 0
}

const changesBetween = (
  before: readonly Column[] | undefined,
  after: readonly { name: string; type: Column['type'] }[],
): SchemaChange[] => {
  if (!before) return []
  const find = <Item extends { name: string }>(columns: readonly Item[], name: string) =>
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  const changes: SchemaChange[] = []
  for (const { name, type } of after) {
    const old = find(before, name)
    if (!old) changes.push({ column: name, change: 'added', to: describeType(type) })
    else if (!sameType(old.type, type))
      changes.push({ column: name, change: 'type', from: describeType(old.type), to: describeType(type) })
  }
  for (const { name, type } of before)
    if (!find(after, name) && !name.startsWith('_'))
      changes.push({ column: name, change: 'missing', from: describeType(type) })
  return changes
}
