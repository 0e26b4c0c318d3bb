import { s3SourcePolicy, trustPolicy } from '@penstock/aws'
import type { AccessPolicies, PolicyOptions } from '@penstock/core'
import type { S3SourceConfig } from './config.ts'

/**
 * Least privilege of a connection: the four actions that the source calls, on its bucket, or on the folder that it is
 * confined to; for an assumed role also who may assume it.
 */
export const policiesOf = (
  connection: {
    readonly config: S3SourceConfig
    readonly authMethod: string | undefined
    readonly authFields: unknown
  },
  options: PolicyOptions,
): AccessPolicies => {
  const { bucket, prefix, region } = connection.config
  const policy = s3SourcePolicy({ bucket, prefix, region }, options)
  const { externalId } = (connection.authFields ?? {}) as { readonly externalId?: unknown }
  if (connection.authMethod !== 'assumed-role' || typeof externalId !== 'string') return { policy }
  const { sourceIps } = options
  return { policy, trust: trustPolicy({ externalId, ...(sourceIps && { sourceIps }) }) }
}
