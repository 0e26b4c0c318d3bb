import { awsPartition, s3DestinationPolicy, trustPolicy } from '@penstock/aws'
import type { AccessPolicies, PolicyOptions } from '@penstock/core'
import type { S3DestinationConfig } from './config.ts'

/** The key as a policy names it. Which account an id or an alias is of, the configuration does not tell. */
const kmsKeyArn = ({ kmsKeyId, region }: S3DestinationConfig): string | undefined => {
  if (kmsKeyId === undefined || kmsKeyId.startsWith('arn:')) return kmsKeyId
  const key = kmsKeyId.startsWith('alias/') ? '*' : kmsKeyId
  return `arn:${awsPartition(region).id}:kms:${region}:*:key/${key}`
}

/**
 * Least privilege of a connection: what the destination calls, on its bucket or on the folder that it is confined to;
 * for an assumed role also who may assume it.
 */
export const policiesOf = (
  connection: {
    readonly config: S3DestinationConfig
    readonly authMethod: string | undefined
    readonly authFields: unknown
  },
  options: PolicyOptions,
): AccessPolicies => {
  const { bucket, prefix, region, tags, acl } = connection.config
  const kmsKey = kmsKeyArn(connection.config)
  const policy = s3DestinationPolicy(
    { bucket, prefix, region },
    {
      ...options,
      tags: tags !== undefined && Object.keys(tags).length > 0,
      acl: acl !== undefined,
      ...(kmsKey === undefined ? {} : { kmsKeys: [kmsKey] }),
    },
  )
  const { externalId } = (connection.authFields ?? {}) as { readonly externalId?: unknown }
  if (connection.authMethod !== 'assumed-role' || typeof externalId !== 'string') return { policy }
  const { sourceIps } = options
  return { policy, trust: trustPolicy({ externalId, ...(sourceIps && { sourceIps }) }) }
}
