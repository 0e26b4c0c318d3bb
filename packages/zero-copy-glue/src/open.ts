import { type AwsAuthentication, type CredentialEnvironment, sharedAuthentication } from '@penstock/aws'
import type { CatalogTable, KeptFiles, TableVersion, ZeroCopyTable } from '@penstock/core'
import type { Catalog, LoadedTable } from './catalogs/catalog.ts'
import { openCatalog } from './catalogs/open.ts'
import type { ZeroCopyContext } from './config.ts'
import { openFiles, type TableFiles } from './files.ts'
import { openHiveTable } from './hive/table.ts'
import { openIcebergTable } from './iceberg-table.ts'
import { keptReader } from './kept-reader.ts'

/** What one use of a connection shares: one session of the role, the sockets, the prefix of the catalog. */
export interface Opened {
  readonly catalog: Catalog
  readonly files: TableFiles
  readonly auth: AwsAuthentication
  readonly environment: CredentialEnvironment
}

const opened = new WeakMap<ZeroCopyContext, Opened>()

export const openedOf = (context: ZeroCopyContext): Opened => {
  const existing = opened.get(context)
  if (existing) return existing
  const { maxAttempts } = context.config
  const fresh = openConnection(context, maxAttempts === undefined ? {} : { attempts: maxAttempts })
  opened.set(context, fresh)
  return fresh
}

/** Of its own, with the retries that are given: a check does not wait for what is wrong to heal. */
export const openConnection = (context: ZeroCopyContext, retry: { readonly attempts?: number }): Opened => {
  const { config, signal, clock } = context
  const { region, stsEndpoint, allowInsecure } = config
  const environment = { region, stsEndpoint, allowInsecure, signal, clock }
  const auth = sharedAuthentication(context.auth, environment)
  return {
    catalog: openCatalog({ context, auth, environment, retry }),
    files: openFiles(context, auth, retry),
    auth,
    environment,
  }
}

export const openTable = async (
  context: ZeroCopyContext,
  table: CatalogTable,
  options: Omit<OpenTableOptions, 'files'>,
): Promise<ZeroCopyTable> => {
  const { catalog, files } = openedOf(context)
  return tableOf(context, table, await catalog.load(table), { files, ...options })
}

interface OpenTableOptions {
  readonly files: TableFiles
  readonly at?: TableVersion | undefined
  readonly kept?: KeptFiles | undefined
  readonly scanFollows?: boolean | undefined
}

/** A loaded table, opened: with the credentials that came with it, where the user wants them. */
export const tableOf = (
  context: ZeroCopyContext,
  table: CatalogTable,
  loaded: LoadedTable,
  { files, at, kept, scanFollows }: OpenTableOptions,
): Promise<ZeroCopyTable> => {
  if (loaded.kind === 'hive') return Promise.resolve(openHiveTable(table, loaded, files, at))
  const reader = loaded.vended ? openFiles(context, loaded.vended) : files
  if (context.config.vendedCredentials && !loaded.vended)
    context.notice(
      `The catalog hands out no credentials for table ${table.name}: those of the connection are used.`,
    )
  return openIcebergTable(table, loaded, keptReader(reader, kept, context.config), {
    at,
    scanFollows,
    signal: context.signal,
  })
}
