import type { GlueAccess, GlueTable } from '@penstock/aws'
import { type CatalogTable, ConnectorError } from '@penstock/core'
import type { ZeroCopyConfig } from '../config.ts'
import { hiveFormat, isIcebergTable, unsupportedReason } from '../hive/format.ts'
import type { Catalog, LoadedTable } from './catalog.ts'

/** The Data Catalog by Glue's own API. */
export const glueApiCatalog = (glue: GlueAccess, config: ZeroCopyConfig): Catalog => ({
  reach: async () => {
    for await (const _ of glue.databases()) return
  },
  async *namespaces() {
    for await (const page of glue.databases())
      for (const { name, description } of page)
        yield { namespace: [name], ...(description === undefined ? {} : { description }) }
  },
  async *tables(namespace) {
    for await (const page of glue.tables(databaseOf(namespace)))
      for (const table of page) yield { namespace, name: table.name, ...summaryOf(table, config) }
  },
  load: async (table) => {
    const found = await glueTable(glue, table, config)
    if (!isIcebergTable(found)) return hiveTable(glue, table, found)
    const { metadata_location: metadataLocation } = found.parameters
    if (metadataLocation !== undefined) return { kind: 'iceberg', metadataLocation }
    throw new ConnectorError('data', `Glue knows no metadata file of table ${nameOf(table)}.`, {
      code: 'NoMetadataLocation',
      hint: 'Its parameter metadata_location is missing: register the table again.',
    })
  },
})

/** Databases of Glue lie in no others. */
export const databaseOf = (namespace: readonly string[]): string => {
  const [database, ...rest] = namespace
  if (database !== undefined && rest.length === 0) return database
  throw new ConnectorError(
    'not-found',
    `There is no namespace ${namespace.join('.')}: databases of Glue have one level.`,
  )
}

const nameOf = ({ namespace, name }: CatalogTable): string => [...namespace, name].join('.')

/** A table as Glue has it. Throws for one that Lake Formation filters may apply to. */
export const glueTable = async (
  glue: GlueAccess,
  table: CatalogTable,
  config: ZeroCopyConfig,
): Promise<GlueTable> => {
  const found = await glue.table(databaseOf(table.namespace), table.name)
  if (found.lakeFormation && config.lakeFormation === 'refuse')
    throw new ConnectorError('permission', `Table ${nameOf(table)} is registered with Lake Formation.`, {
      code: 'LakeFormation',
      hint: 'Its column and row filters can not be applied here, so it is not read. Set lakeFormation to direct only if the grants of this table have no filters.',
    })
  return found
}

/** Throws `data` for a table that is of no format that can be read. */
export const hiveTable = (glue: GlueAccess, { namespace }: CatalogTable, table: GlueTable): LoadedTable => {
  const reason = unsupportedReason(table)
  if (reason !== undefined)
    throw new ConnectorError(
      'data',
      `Table ${[...namespace, table.name].join('.')} can't be read: ${reason}.`,
      {
        code: 'UnsupportedTable',
        hint: 'Iceberg tables, and Hive-style tables of Parquet, CSV or JSON files can be read.',
      },
    )
  return {
    kind: 'hive',
    table,
    partitions: (options) => glue.partitions(databaseOf(namespace), table.name, options),
  }
}

export const summaryOf = (table: GlueTable, { lakeFormation }: ZeroCopyConfig) => {
  const format = isIcebergTable(table) ? 'iceberg' : hiveFormat(table)
  const unsupported =
    table.lakeFormation && lakeFormation === 'refuse'
      ? 'registered with Lake Formation'
      : unsupportedReason(table)
  return {
    ...(table.description === undefined ? {} : { description: table.description }),
    ...(format === undefined ? {} : { format }),
    ...(unsupported === undefined ? {} : { unsupported }),
  }
}
