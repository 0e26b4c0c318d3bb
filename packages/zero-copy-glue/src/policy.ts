import { parseCatalogId, trustPolicy, zeroCopyPolicy } from '@penstock/aws'
import type { AccessPolicies, PolicyOptions } from '@penstock/core'
import { isGlue, type ZeroCopyConfig } from './config.ts'
import { sharesOf } from './shares.ts'

/**
 * Least privilege of a connection: the chosen databases and tables, and the locations of their files as far as they
 * are known; for an assumed role also who may assume it.
 */
export const policiesOf = (
  connection: {
    readonly config: ZeroCopyConfig
    readonly authMethod: string | undefined
    readonly authFields: unknown
  },
  options: PolicyOptions,
): AccessPolicies => {
  const { config } = connection
  const policy = zeroCopyPolicy(
    {
      region: config.region,
      catalog: isGlue(config) ? 'glue' : config.catalog === 's3-tables' ? 's3-tables' : 'none',
      catalogId: isGlue(config) ? glueCatalogId(config, connection.authFields) : config.warehouse,
      shares: sharesOf(config)?.map(({ namespace, tables }) => ({ database: namespace.join('.'), tables })),
      locations: config.dataLocations ?? [],
    },
    options,
  )
  const { externalId } = (connection.authFields ?? {}) as { readonly externalId?: unknown }
  if (connection.authMethod !== 'assumed-role' || typeof externalId !== 'string') return { policy }
  const { sourceIps } = options
  return { policy, trust: trustPolicy({ externalId, ...(sourceIps && { sourceIps }) }) }
}

/** Without an account in it the catalog is one of the caller's account: of an assumed role, that of the role. */
const glueCatalogId = ({ warehouse }: ZeroCopyConfig, authFields: unknown): string | undefined => {
  const { account, path } = parseCatalogId(warehouse)
  const { roleArn } = (authFields ?? {}) as { readonly roleArn?: unknown }
  const owner = account ?? /^arn:[\w-]+:iam::(\d{12}):/.exec(String(roleArn ?? ''))?.[1]
  return owner === undefined || path === undefined ? (owner ?? warehouse) : `${owner}:${path}`
}
