import type { z } from 'zod'
import type { AuthMethod } from './auth.ts'
import type { CheckStep } from './check.ts'
import type { FileEntry, RemoteFile } from './files.ts'
import type { FileFormat } from './format.ts'
import { schemaFromRow } from './row-schema.ts'
import type { TableSchema } from './types.ts'

type MaybePromise<T> = T | Promise<T>

/** What every function of a connector gets. Frozen; one per use of a connection. */
export interface ConnectorContext<Config = unknown, Auth = unknown> {
  readonly config: Config
  /** What the chosen auth method resolved to; undefined for a connector without auth methods. */
  readonly auth: Auth
  readonly signal: AbortSignal
  readonly clock: () => Date
  /** Requests in flight that the user allows; undefined leaves it to the connector. */
  readonly concurrency: number | undefined
  /** Registers a clean-up that runs when this use of the connection ends, in reverse order. */
  readonly defer: (cleanup: () => MaybePromise<void>) => void
  /** Tells the user something that is no error. */
  readonly notice: (message: string) => void
}

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

export interface PolicyOptions {
  /** Allow only from these CIDR blocks. */
  readonly sourceIps?: readonly string[]
  /** Deny what doesn't come over TLS. */
  readonly secureTransport?: boolean
}

/** What has to be allowed on the other side, as documents ready to paste. */
export interface AccessPolicies {
  readonly policy: unknown
  /** Who may assume the role, for auth methods with a role. */
  readonly trust?: unknown
}

export interface SourceCapabilities {
  /** Modes that make sense for its tables. */
  readonly modes: readonly ('full' | 'delta' | 'merge')[]
}

type ResolvedAuth<Methods extends readonly AuthMethod[]> =
  Methods[number] extends AuthMethod<z.ZodType, infer Resolved> ? Resolved : never

export interface SourceDefinition<
  Config extends z.ZodType,
  Methods extends readonly AuthMethod[],
  Selection extends z.ZodType,
> {
  /** Stable id: `source-s3`. */
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** The one schema from which types, flags, wizard, JSON Schema and docs come. */
  readonly config: Config
  readonly auth?: Methods
  readonly capabilities?: Partial<SourceCapabilities>
  /** Does the real calls. Throws at the first failure, or yields a step for each thing that it tried. */
  check(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
  ): Promise<void> | AsyncIterable<CheckStep>
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
  /** Least privilege for this configuration. */
  policy?(
    context: {
      readonly config: z.output<Config>
      readonly authMethod: string | undefined
      readonly authFields: unknown
    },
    options: PolicyOptions,
  ): AccessPolicies
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
