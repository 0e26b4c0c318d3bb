import { s3Policy, trustPolicy } from '@penstock/aws'
import { type AccessPolicies, ConnectorError, nearest, type PolicyOptions } from '@penstock/core'
import type { S3ActionsConfig } from './config.ts'
import { needed, permissionsOf } from './permissions.ts'

/** Least privilege of chosen actions on the connection's bucket, or on every bucket where it has none. */
export const policiesOf = (
  connection: {
    readonly config: S3ActionsConfig
    readonly authMethod: string | undefined
    readonly authFields: unknown
  },
  options: PolicyOptions,
): AccessPolicies => {
  const { bucket, region } = connection.config
  const names = options.actions ?? Object.keys(needed)
  for (const name of names) if (!Object.hasOwn(needed, name)) throw unknownAction(name)
  const permissions = permissionsOf(names)
  if (permissions.length === 0)
    throw new ConnectorError('config', 'What api-call needs depends on what it is called for.', {
      code: 'NoPolicy',
      hint: 'Allow the actions of the API calls that you make by hand.',
    })
  const policy = s3Policy({ bucket, region }, permissions, options)
  const { externalId } = (connection.authFields ?? {}) as { readonly externalId?: unknown }
  if (connection.authMethod !== 'assumed-role' || typeof externalId !== 'string') return { policy }
  const { sourceIps } = options
  return { policy, trust: trustPolicy({ externalId, ...(sourceIps && { sourceIps }) }) }
}

const unknownAction = (name: string): ConnectorError => {
  const names = Object.keys(needed)
  const guess = nearest(name, names)
  return new ConnectorError('config', `There is no action "${name}".`, {
    code: 'UnknownAction',
    hint: guess ? `Did you mean ${guess}?` : `Actions: ${names.join(', ')}.`,
  })
}
