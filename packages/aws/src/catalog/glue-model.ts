export interface GlueColumn {
  readonly name: string
  /** Hive's name, such as `bigint`, `decimal(12,2)` or `struct<a:int>`. */
  readonly type: string
  readonly comment?: string
}

export interface GlueDatabase {
  readonly name: string
  readonly description?: string
}

/** Where and how rows are stored: of a table, or of one partition. */
export interface GlueStorage {
  readonly location?: string
  readonly columns: readonly GlueColumn[]
  readonly inputFormat?: string
  readonly serde?: string
  readonly serdeParameters: Readonly<Record<string, string>>
}

export interface GlueTable {
  readonly name: string
  readonly description?: string
  /** `EXTERNAL_TABLE`, `VIRTUAL_VIEW` ... */
  readonly tableType?: string
  readonly parameters: Readonly<Record<string, string>>
  readonly storage: GlueStorage
  readonly partitionKeys: readonly GlueColumn[]
  /** Whether access to its files is meant to go through Lake Formation. */
  readonly lakeFormation: boolean
  readonly versionId?: string
}

export interface GluePartition {
  readonly values: readonly string[]
  readonly storage: GlueStorage
}

/* What of the answers of Glue's API is read; any member may be absent or null. */

type Wire<Shape> = { readonly [Name in keyof Shape]?: Shape[Name] | null }

export type WireDatabase = Wire<{ Name: string; Description: string }>

type WireColumn = Wire<{ Name: string; Type: string; Comment: string }>

type WireStorage = Wire<{
  Location: string
  Columns: readonly WireColumn[]
  InputFormat: string
  SerdeInfo: Wire<{ SerializationLibrary: string; Parameters: Readonly<Record<string, string>> }>
}>

export type WireTable = Wire<{
  Name: string
  Description: string
  TableType: string
  Parameters: Readonly<Record<string, string>>
  StorageDescriptor: WireStorage
  PartitionKeys: readonly WireColumn[]
  IsRegisteredWithLakeFormation: boolean
  VersionId: string
}>

export type WirePartition = Wire<{ Values: readonly string[]; StorageDescriptor: WireStorage }>

export const readDatabase = ({ Name, Description }: WireDatabase): GlueDatabase => ({
  name: Name ?? '',
  ...(Description ? { description: Description } : {}),
})

const readColumns = (columns: readonly WireColumn[] | null | undefined): readonly GlueColumn[] =>
  (columns ?? []).map(({ Name, Type, Comment }) => ({
    name: Name ?? '',
    type: Type ?? 'string',
    ...(Comment ? { comment: Comment } : {}),
  }))

const readStorage = (given: WireStorage | null | undefined): GlueStorage => {
  const storage = given ?? {}
  return {
    ...(storage.Location ? { location: storage.Location } : {}),
    columns: readColumns(storage.Columns),
    ...(storage.InputFormat ? { inputFormat: storage.InputFormat } : {}),
    ...(storage.SerdeInfo?.SerializationLibrary ? { serde: storage.SerdeInfo.SerializationLibrary } : {}),
    serdeParameters: storage.SerdeInfo?.Parameters ?? {},
  }
}

export const readTable = (table: WireTable): GlueTable => ({
  name: table.Name ?? '',
  ...(table.Description ? { description: table.Description } : {}),
  ...(table.TableType ? { tableType: table.TableType } : {}),
  parameters: table.Parameters ?? {},
  storage: readStorage(table.StorageDescriptor),
  partitionKeys: readColumns(table.PartitionKeys),
  lakeFormation: table.IsRegisteredWithLakeFormation ?? false,
  ...(table.VersionId ? { versionId: table.VersionId } : {}),
})

export const readPartition = ({ Values, StorageDescriptor }: WirePartition): GluePartition => ({
  values: Values ?? [],
  storage: readStorage(StorageDescriptor),
})
