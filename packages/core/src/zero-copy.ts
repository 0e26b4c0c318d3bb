import type { z } from 'zod'
import type { AuthMethod } from './auth.ts'
import type { ConnectorContext, ConnectorDefinition, MaybePromise, ResolvedAuth } from './connector.ts'
import type { PredicateKind } from './predicate.ts'
import type { KeptFiles, Scan, ScanRequest } from './scan.ts'
import type { TableSchema } from './types.ts'

/** A table of a catalog: levels of its namespace and its name. */
export interface CatalogTable {
  readonly namespace: readonly string[]
  readonly name: string
}

export interface NamespaceSummary {
  readonly namespace: readonly string[]
  readonly description?: string
}

export interface CatalogTableSummary extends CatalogTable {
  readonly description?: string
  /** `iceberg`, `parquet`, `csv` ...; absent where the catalog does not say before the table is loaded. */
  readonly format?: string
  /** Why it can't be read, where that is known already. */
  readonly unsupported?: string
}

/** State of the table that is read: the current one where nothing is given. */
export type TableVersion =
  | { readonly snapshotId: bigint }
  /** The last state at that time. */
  | { readonly timestamp: Date }
  /** Branch or tag. */
  | { readonly ref: string }

/** What `describe` shows. */
export interface CatalogTableDetails {
  readonly format: string
  readonly location?: string
  readonly partitions: readonly {
    readonly name: string
    readonly transform: string
    readonly column: string
  }[]
  readonly snapshots: readonly {
    readonly id: bigint
    readonly timestamp: Date
    readonly operation?: string
    readonly rows?: bigint
  }[]
  readonly refs: readonly {
    readonly name: string
    readonly kind: 'branch' | 'tag'
    readonly snapshotId: bigint
  }[]
  /** Data files of the version that is described. */
  readonly files?: number
  /** Bytes of its data files. */
  readonly bytes?: number
  readonly rows?: bigint
  readonly properties?: Readonly<Record<string, string>>
}

/** One table at one version. Nothing of it changes between calls. */
export interface ZeroCopyTable extends CatalogTable {
  readonly schema: TableSchema
  /** What the version is, for caches: equal ids hold equal rows. Absent where rows may change between scans. */
  readonly versionId?: string
  /** Files or rows that can hold what is asked for. May give more rows than asked: the engine filters again. */
  scan(request: ScanRequest): Promise<Scan>
  details?(options: { signal: AbortSignal }): Promise<CatalogTableDetails>
}

export interface ZeroCopyCapabilities {
  /** What `scan` makes use of. What is not declared is not handed over. */
  readonly pushdown: {
    readonly columns: boolean
    readonly filters: readonly PredicateKind[]
    readonly limit: boolean
  }
  readonly timeTravel: boolean
}

export interface ZeroCopyDefinition<Config extends z.ZodType, Methods extends readonly AuthMethod[]>
  extends ConnectorDefinition<Config, Methods> {
  readonly capabilities: ZeroCopyCapabilities
  /** A missing permission is an error, never an empty list. */
  namespaces(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
  ): MaybePromise<Iterable<NamespaceSummary>> | AsyncIterable<NamespaceSummary>
  tables(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    options: { readonly namespace: readonly string[] },
  ): MaybePromise<Iterable<CatalogTableSummary>> | AsyncIterable<CatalogTableSummary>
  /** Tables that the connection was limited to by its configuration; undefined: all. */
  shares?(
    config: z.output<Config>,
  ): readonly { readonly namespace: readonly string[]; readonly tables?: readonly string[] }[] | undefined
  /** Throws `not-found` when there is no such table or version. */
  open(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
    table: CatalogTable,
    options: {
      readonly at?: TableVersion | undefined
      /** Where metadata may be kept between queries; absent where nothing is. */
      readonly kept?: KeptFiles | undefined
      /** A scan follows, most likely: what each scan of the table reads first may be begun at once. */
      readonly scanFollows?: boolean | undefined
    },
  ): Promise<ZeroCopyTable>
}

/** A zero-copy connector. `specificationVersion` is raised only when the contract breaks. */
export interface ZeroCopy<
  Config extends z.ZodType = z.ZodType,
  Methods extends readonly AuthMethod[] = readonly AuthMethod[],
> extends ZeroCopyDefinition<Config, Methods> {
  readonly kind: 'zero-copy'
  readonly specificationVersion: 1
}

/** A zero-copy connector of any configuration, as the runtime and the command line handle it. */
// biome-ignore lint/suspicious/noExplicitAny: variance: contexts of all configurations meet here
export type AnyZeroCopy = ZeroCopy<any, any>

export const defineZeroCopy = <
  Config extends z.ZodType,
  const Methods extends readonly AuthMethod[] = readonly [],
>(
  definition: ZeroCopyDefinition<Config, Methods>,
): ZeroCopy<Config, Methods> =>
  Object.freeze({ ...definition, kind: 'zero-copy' as const, specificationVersion: 1 as const })
