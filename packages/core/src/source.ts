import type { z } from 'zod'
import type { AuthMethod } from './auth.ts'
import type { ConnectorContext, ConnectorDefinition, MaybePromise, ResolvedAuth } from './connector.ts'
import type { FileEntry, RemoteFile } from './files.ts'
import type { FileFormat } from './format.ts'
import { schemaFromRow } from './row-schema.ts'
import type { TableSchema } from './types.ts'

export interface ReadOptions<Since = unknown> {
  /** Highest cursor value of the rows that are in the table; undefined on a full load or the first delta. */
  readonly since: Since | undefined
  readonly signal: AbortSignal
}

/** A table that comes as pages of rows (plain objects). */
export interface RowTable {
  readonly kind: 'rows'
  readonly name: string
  readonly description?: string
  readonly schema: TableSchema
  /** Validates and normalises one row. */
  readonly row: z.ZodType
  read(options: ReadOptions): AsyncIterable<readonly unknown[]>
}

/** A table that comes as files, which the engine reads in columns: no JavaScript per row. */
export interface FileTable {
  readonly kind: 'files'
  readonly name: string
  readonly description?: string
  /** Format of one file, or undefined where neither the user nor the name says it. */
  format(entry: FileEntry): FileFormat | undefined
  /** Pages of files in key order, as the store lists them now. */
  list(options: { signal: AbortSignal }): AsyncIterable<readonly FileEntry[]>
  open(entry: FileEntry): RemoteFile
  /** Values that all rows of this file share, such as `key=value/` partitions. */
  constants?(entry: FileEntry): Readonly<Record<string, string | null>>
  /**
   * Names of options by which the listing leaves out files that exist (a time window, a try-out limit). Files that such
   * a listing lacks are not deleted: the runtime refuses to remove their rows.
   */
  readonly narrowedBy?: readonly string[]
  /** Looks an entry up again after it changed underneath; undefined when it is gone. */
  refresh?(entry: FileEntry, options: { signal: AbortSignal }): Promise<FileEntry | undefined>
}

export type SourceTable = RowTable | FileTable

/** What `tables` tells about something that can be extracted. Cheap: no data is read for it. */
export interface TableSummary {
  readonly name: string
  readonly description?: string
  /** Selection that extracts it, as the connector's `selection` schema takes it. */
  readonly selection?: Readonly<Record<string, unknown>>
  readonly format?: string
  readonly objects?: number
  readonly bytes?: number
}

export interface SourceCapabilities {
  /** Modes that make sense for its tables. */
  readonly modes: readonly ('full' | 'delta' | 'merge')[]
}

export interface SourceDefinition<
  Config extends z.ZodType,
  Methods extends readonly AuthMethod[],
  Selection extends z.ZodType,
> extends ConnectorDefinition<Config, Methods> {
  readonly capabilities?: Partial<SourceCapabilities>
  /** What can be extracted as it stands. */
  tables(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    options: { prefix?: string },
  ): MaybePromise<Iterable<SourceTable | TableSummary>> | AsyncIterable<SourceTable | TableSummary>
  /** Schema of the options by which a user chooses tables that `tables` does not name: an object, a folder, a glob. */
  readonly selection?: Selection
  /** Turns one selection into tables. Throws `not-found` when nothing matches. */
  select?(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    selection: z.output<Selection>,
  ): MaybePromise<readonly SourceTable[]>
}

/** A source connector. `specificationVersion` is raised only when the contract breaks. */
export interface Source<
  Config extends z.ZodType = z.ZodType,
  Methods extends readonly AuthMethod[] = readonly AuthMethod[],
  Selection extends z.ZodType = z.ZodType,
> extends SourceDefinition<Config, Methods, Selection> {
  readonly kind: 'source'
  readonly specificationVersion: 1
  readonly capabilities: SourceCapabilities
}

/** A source of any configuration, as the runtime and the command line handle it. */
// biome-ignore lint/suspicious/noExplicitAny: variance: contexts of all configurations meet here
export type AnySource = Source<any, any, any>

export const defineSource = <
  Config extends z.ZodType,
  const Methods extends readonly AuthMethod[] = readonly [],
  Selection extends z.ZodType = z.ZodUndefined,
>(
  definition: SourceDefinition<Config, Methods, Selection>,
): Source<Config, Methods, Selection> =>
  Object.freeze({
    ...definition,
    kind: 'source' as const,
    specificationVersion: 1 as const,
    capabilities: { modes: ['full', 'delta', 'merge'] as const, ...definition.capabilities },
  })

type ColumnOf<Row extends z.ZodObject> = Extract<keyof z.output<Row>, string>

/** A table of rows: `key`, `cursor` and the type of `since` come from the one `row` schema. */
export const table = <Row extends z.ZodObject, const Cursor extends ColumnOf<Row> = never>(definition: {
  readonly name: string
  readonly description?: string
  readonly row: Row
  readonly key?: readonly ColumnOf<Row>[]
  readonly cursor?: Cursor
  read(options: ReadOptions<z.output<Row>[Cursor]>): AsyncIterable<readonly z.input<Row>[]>
}): RowTable => {
  const { name, description, row, key, cursor, read } = definition
  return Object.freeze({
    kind: 'rows' as const,
    name,
    ...(description === undefined ? {} : { description }),
    row,
    schema: schemaFromRow(row, { ...(key ? { key } : {}), ...(cursor ? { cursor } : {}) }),
    read: read as RowTable['read'],
  })
}

export const fileTable = (definition: Omit<FileTable, 'kind'>): FileTable =>
  Object.freeze({ kind: 'files' as const, ...definition })
