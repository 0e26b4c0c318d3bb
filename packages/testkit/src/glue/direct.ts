import { genericAccount } from '../iceberg-rest/generic.ts'
import { levelSeparator } from '../iceberg-rest/route.ts'
import {
  type Column,
  databaseInputSchema,
  type LakeFormation,
  tableBucketPath,
  tableInputSchema,
} from './model.ts'
import { ensureCatalog, type GlueStore, requireCatalog, requireDatabase, requireTable } from './store.ts'
import { addDatabase, addPartition, addTable } from './write.ts'

export interface NewDatabase {
  name: string
  /** Path of a catalog below the default one, `cat1/cat2`; it is made with those above it. */
  catalog?: string
  description?: string
  locationUri?: string
}

export type HiveFormat = 'parquet' | 'csv' | 'json' | 'orc' | 'avro'

export interface NewTable {
  database: string
  name: string
  catalog?: string
  /** `s3://` location of the metadata file: makes it an Iceberg table. */
  metadataLocation?: string
  /** Of a Hive-style table. */
  format?: HiveFormat
  location?: string
  columns?: readonly HiveColumn[]
  partitionKeys?: readonly HiveColumn[]
  /** With the table's format, or one of their own. */
  partitions?: readonly { values: readonly string[]; location: string; format?: HiveFormat }[]
  /** Parameters of the SerDe, such as `field.delim`. */
  serdeParameters?: Readonly<Record<string, string>>
  parameters?: Readonly<Record<string, string>>
  /** `VIRTUAL_VIEW` makes a view. */
  tableType?: string
  lakeFormation?: LakeFormation
}

export interface HiveColumn {
  name: string
  /** Hive's name, such as `bigint` or `decimal(12,2)`. */
  type: string
}

/** What tests put into the Data Catalog without a request. Failures are plain Errors. */
export interface DirectGlue {
  createDatabase(database: NewDatabase): void
  createTable(table: NewTable): void
  /** Points an Iceberg table at another metadata file, as a commit does. */
  setMetadataLocation(table: { database: string; name: string; catalog?: string; location: string }): void
  /** A table bucket of S3 Tables; its tables are seen through Glue as catalog `s3tablescatalog/NAME` too. */
  createTableBucket(bucket: { name: string; region?: string }): { arn: string; catalog: string }
  /** Entries of a page at most, and what LoadTable gives as metadata. */
  configure(settings: { pageSize?: number; restMetadata?: 'inline' | 'null' }): void
}

/** What tests put into the generic Iceberg REST catalog. */
export interface DirectRest {
  createNamespace(namespace: {
    levels: readonly string[]
    properties?: Readonly<Record<string, string>>
  }): void
  createTable(table: { namespace: readonly string[]; name: string; metadataLocation: string }): void
}

const serdes: Record<HiveFormat, { input: string; library: string }> = {
  parquet: {
    input: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    library: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
  },
  csv: {
    input: 'org.apache.hadoop.mapred.TextInputFormat',
    library: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
  },
  json: {
    input: 'org.apache.hadoop.mapred.TextInputFormat',
    library: 'org.openx.data.jsonserde.JsonSerDe',
  },
  orc: {
    input: 'org.apache.hadoop.hive.ql.io.orc.OrcInputFormat',
    library: 'org.apache.hadoop.hive.ql.io.orc.OrcSerde',
  },
  avro: {
    input: 'org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat',
    library: 'org.apache.hadoop.hive.serde2.avro.AvroSerDe',
  },
}

const columnsOf = (columns: readonly HiveColumn[] = []): Column[] =>
  columns.map(({ name, type }) => ({ Name: name, Type: type }))

export function directGlue(
  store: GlueStore,
  { account, region }: { account: string; region: string },
): DirectGlue {
  const databaseOf = (catalog: string | undefined, name: string) =>
    requireDatabase(requireCatalog(store, account, catalog ?? ''), name.toLowerCase())
  return {
    createDatabase({ name, catalog = '', description, locationUri }) {
      const input = databaseInputSchema.parse({
        Name: name,
        ...(description !== undefined && { Description: description }),
        ...(locationUri !== undefined && { LocationUri: locationUri }),
      })
      addDatabase(store, ensureCatalog(store, account, catalog), input)
      store.changed()
    },
    createTable({ database, catalog, partitions = [], lakeFormation, ...table }) {
      const added = addTable(store, databaseOf(catalog, database), tableInput(table), lakeFormation)
      const storage = added.input.StorageDescriptor
      for (const { values, location, format } of partitions)
        addPartition(store, added, {
          Values: [...values],
          StorageDescriptor: { ...storage, ...(format && serdeOf(format)), Location: location },
        })
      store.changed()
    },
    setMetadataLocation({ database, name, catalog, location }) {
      const table = requireTable(databaseOf(catalog, database), name.toLowerCase())
      table.input.Parameters = { ...table.input.Parameters, metadata_location: location }
      table.updateTime = store.clock()
      table.version++
      store.changed()
    },
    createTableBucket({ name, region: given = region }) {
      const arn = `arn:aws:s3tables:${given}:${account}:bucket/${name}`
      const catalog = tableBucketPath(name)
      ensureCatalog(store, account, catalog).tableBucketArn = arn
      store.changed()
      return { arn, catalog }
    },
    configure(settings) {
      Object.assign(store, settings)
    },
  }
}

function serdeOf(format: HiveFormat, parameters: Readonly<Record<string, string>> = {}) {
  const { input, library } = serdes[format]
  return { InputFormat: input, SerdeInfo: { SerializationLibrary: library, Parameters: { ...parameters } } }
}

function tableInput(table: Omit<NewTable, 'database' | 'catalog' | 'partitions' | 'lakeFormation'>) {
  const { name, metadataLocation, format, location, columns, partitionKeys, serdeParameters = {} } = table
  return tableInputSchema.parse({
    Name: name,
    TableType: table.tableType ?? 'EXTERNAL_TABLE',
    Parameters: {
      ...(metadataLocation !== undefined && { table_type: 'ICEBERG', metadata_location: metadataLocation }),
      ...(format && { classification: format }),
      ...table.parameters,
    },
    PartitionKeys: columnsOf(partitionKeys),
    StorageDescriptor: {
      Columns: columnsOf(columns),
      ...(location !== undefined && { Location: location }),
      ...(format && serdeOf(format, serdeParameters)),
    },
  })
}

export function directRest(store: GlueStore): DirectRest {
  const catalog = () => ensureCatalog(store, genericAccount, '')
  return {
    createNamespace({ levels, properties = {} }) {
      addDatabase(store, catalog(), { Name: levels.join(levelSeparator), Parameters: { ...properties } })
    },
    createTable({ namespace, name, metadataLocation }) {
      const database = requireDatabase(catalog(), namespace.join(levelSeparator))
      addTable(store, database, {
        Name: name,
        Parameters: { table_type: 'ICEBERG', metadata_location: metadataLocation },
      })
    },
  }
}
