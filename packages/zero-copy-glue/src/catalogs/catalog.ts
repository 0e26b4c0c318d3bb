import type { AwsAuthentication, GluePartition, GlueTable } from '@penstock/aws'
import type { CatalogTable, CatalogTableSummary, NamespaceSummary } from '@penstock/core'

/** What a catalog knows of a table, before any of its files is read. */
export type LoadedTable =
  | IcebergTable
  | {
      readonly kind: 'hive'
      readonly table: GlueTable
      partitions(options: {
        readonly expression: string | undefined
        readonly signal: AbortSignal
      }): AsyncIterable<readonly GluePartition[]>
    }

export interface IcebergTable {
  readonly kind: 'iceberg'
  /** `s3://` location of the metadata file; absent where the catalog gives only its content. */
  readonly metadataLocation?: string
  /** Metadata as JSON, where there is no location. */
  readonly metadata?: Uint8Array
  /** Credentials for the files that came with the table. */
  readonly vended?: AwsAuthentication
  /**
   * What counts, while the location tells already which file is likely to be the one. Nothing but that file may be read
   * before it has come: it may refuse the table.
   */
  readonly confirmed?: Promise<IcebergTable>
}

/** A catalog, whichever protocol it speaks. All functions throw ConnectorErrors; a refusal is never an empty list. */
export interface Catalog {
  /** Asks for as little as shows that the catalog can be reached. */
  reach(): Promise<void>
  namespaces(): AsyncIterable<NamespaceSummary>
  tables(namespace: readonly string[]): AsyncIterable<CatalogTableSummary>
  load(table: CatalogTable): Promise<LoadedTable>
}
