import {
  type AwsAuthentication,
  type CatalogRest,
  catalogEndpoint,
  type GlueAccess,
  openCatalogRest,
  openGlue,
  parseCatalogId,
  type RestAuthorization,
  requireProvider,
} from '@penstock/aws'
import type { CatalogTable, CatalogTableSummary } from '@penstock/core'
import type { ZeroCopyConfig, ZeroCopyContext } from '../config.ts'
import { isIcebergTable } from '../hive/format.ts'
import type { Catalog } from './catalog.ts'
import { databaseOf, glueApiCatalog, glueTable, hiveTable, summaryOf } from './glue-api.ts'
import { oauthTokens } from './oauth.ts'
import { genericPermissions, gluePermissions, tablesPermissions } from './permissions.ts'
import { restCatalog } from './rest.ts'

interface Opening {
  readonly context: ZeroCopyContext
  readonly auth: AwsAuthentication
  readonly environment: Parameters<AwsAuthentication['provider']>[0]
  readonly retry: { readonly attempts?: number }
}

/** Opens the catalog of a connection. Nothing is sent before the first call. */
export const openCatalog = (opening: Opening): Catalog => {
  switch (opening.context.config.catalog) {
    case 'glue-api':
      return glueApiCatalog(openGlueAccess(opening), opening.context.config)
    case 'glue-rest':
      return glueRestCatalog(opening)
    case 's3-tables':
      return tablesCatalog(opening)
    case 'rest':
      return genericCatalog(opening)
  }
}

/** Id of the Data Catalog for Glue's API: nothing for the default one of the caller's account. */
const catalogIdOf = ({ warehouse }: ZeroCopyConfig): string | undefined => {
  const { account, path } = parseCatalogId(warehouse)
  return account === undefined && path === undefined ? undefined : warehouse
}

const openGlueAccess = ({ context, auth, environment, retry }: Opening): GlueAccess => {
  const { config, signal, clock, defer } = context
  const glue = openGlue({
    region: config.region,
    // The REST endpoint and the API are served by the same host.
    endpoint: config.catalogEndpoint?.replace(/\/iceberg\/?$/, ''),
    allowInsecure: config.allowInsecure,
    provider: requireProvider(auth, environment),
    catalogId: catalogIdOf(config),
    signal,
    clock,
    retry,
  })
  defer(() => glue.close())
  return glue
}

const openRest = (
  { context, retry }: Opening,
  options: { readonly endpoint: string; readonly title: string; readonly authorization: RestAuthorization },
): CatalogRest => {
  const { config, signal, clock, defer } = context
  const rest = openCatalogRest({ ...options, allowInsecure: config.allowInsecure, signal, clock, retry })
  defer(() => rest.close())
  return rest
}

const signed = (
  { context, auth, environment }: Opening,
  service: 'glue' | 's3tables',
): RestAuthorization => ({
  kind: 'sigv4',
  service,
  region: context.config.region,
  provider: requireProvider(auth, environment),
})

/**
 * The Iceberg REST endpoint of Glue. Next to it Glue's API is asked for what the endpoint does not tell: the format of
 * tables that are not Iceberg's, and whether a table is registered with Lake Formation.
 */
const glueRestCatalog = (opening: Opening): Catalog => {
  const { config, clock } = opening.context
  const { region, catalogEndpoint: endpoint = catalogEndpoint('glue', region), vendedCredentials } = config
  const glue = openGlueAccess(opening)
  const rest = restCatalog({
    rest: openRest(opening, { endpoint, title: 'Glue', authorization: signed(opening, 'glue') }),
    warehouse: config.warehouse,
    permissions: gluePermissions(region, config.warehouse),
    defaultPrefix: `catalogs/${config.warehouse ?? ':'}`,
    nested: false,
    vendedCredentials,
    clock,
  })
  return {
    ...rest,
    async *tables(namespace): AsyncGenerator<CatalogTableSummary> {
      const known = new Map<string, ReturnType<typeof summaryOf>>()
      for await (const page of glue.tables(databaseOf(namespace)))
        for (const table of page) known.set(table.name, summaryOf(table, config))
      for await (const table of rest.tables(namespace)) yield { ...table, ...known.get(table.name) }
    },
    load: async (table: CatalogTable) => {
      // Nearly all tables here are Iceberg's, so both are asked at once; what Glue's API says decides.
      const iceberg = rest.load(table)
      iceberg.catch(() => {})
      const found = await glueTable(glue, table, config)
      if (!isIcebergTable(found)) return hiveTable(glue, table, found)
      const { metadata_location: metadataLocation } = found.parameters
      // The API answers a round of requests sooner: the file is read meanwhile.
      if (metadataLocation === undefined || vendedCredentials) return iceberg
      return { kind: 'iceberg', metadataLocation, confirmed: iceberg }
    },
  }
}

const tablesCatalog = (opening: Opening): Catalog => {
  const { config, clock } = opening.context
  const { region, warehouse = '', catalogEndpoint: endpoint = catalogEndpoint('s3tables', region) } = config
  return restCatalog({
    rest: openRest(opening, { endpoint, title: 'S3 Tables', authorization: signed(opening, 's3tables') }),
    warehouse,
    permissions: tablesPermissions(warehouse),
    defaultPrefix: encodeURIComponent(warehouse),
    nested: false,
    vendedCredentials: config.vendedCredentials,
    clock,
  })
}

const genericCatalog = (opening: Opening): Catalog => {
  const { config, clock } = opening.context
  const { catalogEndpoint: endpoint = '', token, oauth } = config
  const title = 'The catalog'
  return restCatalog({
    rest: openRest(opening, {
      endpoint,
      title,
      authorization: oauth
        ? { kind: 'bearer', token: clientTokens(opening, oauth, endpoint) }
        : token
          ? { kind: 'bearer', token: async () => token.reveal() }
          : { kind: 'none' },
    }),
    warehouse: config.warehouse,
    permissions: genericPermissions,
    defaultPrefix: undefined,
    nested: true,
    vendedCredentials: config.vendedCredentials,
    clock,
  })
}

const clientTokens = (
  opening: Opening,
  oauth: NonNullable<ZeroCopyConfig['oauth']>,
  catalog: string,
): ReturnType<typeof oauthTokens> => {
  const url = new URL(oauth.tokenEndpoint ?? `${catalog.replace(/\/+$/, '')}/v1/oauth/tokens`)
  const endpoint = openRest(opening, {
    endpoint: url.origin,
    title: 'The token endpoint',
    authorization: { kind: 'none' },
  })
  return oauthTokens(oauth, endpoint, url.pathname.slice(1), opening.context.clock)
}
