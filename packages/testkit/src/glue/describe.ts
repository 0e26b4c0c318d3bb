import type { Catalog, Database, Table } from './model.ts'

const seconds = (time: number): number => time / 1000

/** Catalog id as Glue tells it: the account, and the path of a catalog below the default one. */
export const catalogId = ({ account, path }: Catalog): string =>
  path === '' ? account : `${account}:${path}`

export const describeDatabase = (catalog: Catalog, { input, createTime }: Database) => ({
  ...input,
  CreateTime: seconds(createTime),
  CatalogId: catalogId(catalog),
})

/** A table as its callers see it: of a table with Lake Formation grants only the columns that are granted. */
export function describeTable(catalog: Catalog, database: Database, table: Table) {
  const { input, createTime, updateTime, version, lakeFormation } = table
  const granted = lakeFormation?.columns
  const storage = input.StorageDescriptor
  return {
    ...input,
    ...(granted &&
      storage && {
        StorageDescriptor: {
          ...storage,
          Columns: (storage.Columns ?? []).filter(({ Name }) => granted.includes(Name)),
        },
      }),
    DatabaseName: database.input.Name,
    CatalogId: catalogId(catalog),
    CreateTime: seconds(createTime),
    UpdateTime: seconds(updateTime),
    VersionId: String(version),
    IsRegisteredWithLakeFormation: lakeFormation !== undefined,
  }
}

export const describePartition = (
  catalog: Catalog,
  database: Database,
  table: Table,
  { createTime, ...partition }: Table['partitions'] extends Map<string, infer Partition> ? Partition : never,
) => ({
  ...partition,
  DatabaseName: database.input.Name,
  TableName: table.input.Name,
  CatalogId: catalogId(catalog),
  CreationTime: seconds(createTime),
})
