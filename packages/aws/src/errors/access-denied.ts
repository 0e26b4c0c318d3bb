import { ConnectorError } from '@penstock/core'
import type { AwsFailure } from './safe-cause.ts'
import type { AwsErrorContext } from './translate.ts'

interface Denial {
  readonly principal?: string
  readonly action: string
  readonly resource: string
  /** `with an explicit deny in a resource-based policy`, `because no identity-based policy allows ...` */
  readonly reason: string
}

/** AWS's wording since 2024: `User: A is not authorized to perform: B on resource: "C" because D`. */
const parseDenial = (message: string, context: AwsErrorContext): Denial => {
  const [, principal, action, resource, reason] =
    /(?:User: (\S+) )?is not authorized to perform: (\S+?)(?: on resource: "?([^\s"]+)"?)?(?: (because .*|with an explicit deny.*))?$/is.exec(
      message.trim(),
    ) ?? []
  return {
    ...(principal ? { principal } : {}),
    action: action ?? context.action,
    resource: resource ?? context.resource,
    reason: reason ?? '',
  }
}

const addressHint =
  'If policies allow only certain IP addresses (aws:SourceIp) or VPC endpoints, check that this machine is on the list.'

const remedy = ({ reason, action, resource }: Denial): string => {
  if (/explicit deny/i.test(reason)) {
    const where = /in an? ([\w-]+(?: [\w-]+)*? policy|vpc endpoint policy)/i.exec(reason)?.[1] ?? 'policy'
    return `A Deny statement in the ${where} forbids it: look at its conditions. ${addressHint}`
  }
  if (/resource-based policy/i.test(reason))
    return `Allow ${action} on ${resource} in the policy of the bucket. ${addressHint}`
  if (
    /session policy|permissions boundary|service control policy|resource control policy|endpoint policy/i.test(
      reason,
    )
  )
    return `${sentence(reason)} Ask who administers the AWS account.`
  return `Allow ${action} on ${resource} in a policy of the role or user (penstock policy prints it). ${addressHint}`
}

const sentence = (reason: string): string => `It is refused ${reason.replace(/\.$/, '')}.`

export const accessDenied = (failure: AwsFailure, context: AwsErrorContext): ConnectorError => {
  if (context.operation === 'AssumeRole') return roleDenied(failure, context)
  const denial = parseDenial(failure.message, context)
  const who = denial.principal ? ` to ${denial.principal}` : context.anonymous ? ' to anonymous access' : ''
  const explicit = /explicit deny/i.test(denial.reason)
  return new ConnectorError(
    'permission',
    `Access denied${who}: ${denial.action} on ${denial.resource} is ${explicit ? 'forbidden by a Deny statement' : 'not allowed'}.`,
    {
      code: 'AccessDenied',
      hint: context.anonymous
        ? `The bucket isn't public for ${denial.action}: choose an auth method with credentials.`
        : `${remedy(denial)}${context.operation === 'HeadObject' ? missingOrDenied : ''}`,
      ...place(context),
      cause: failure,
    },
  )
}

const missingOrDenied =
  ' Without s3:ListBucket AWS answers the same to an object that is not there: check the key as well.'

/** AWS answers the same to a wrong external id, a trust policy without the caller and a caller without the right. */
const roleDenied = (failure: AwsFailure, context: AwsErrorContext): ConnectorError => {
  const { principal } = parseDenial(failure.message, context)
  const caller = principal ?? 'the caller'
  return new ConnectorError(
    'permission',
    `${principal ?? 'The caller'} may not assume the role ${context.resource}.`,
    {
      code: 'AccessDenied',
      hint: [
        'One of these is wrong:',
        `(1) externalId differs from sts:ExternalId in the trust policy of the role;`,
        `(2) the trust policy doesn't name ${caller} as principal (penstock policy --trust prints one);`,
        `(3) ${caller} lacks sts:AssumeRole on ${context.resource};`,
        '(4) the role does not exist, or a condition (aws:SourceIp) refuses this machine.',
      ].join(' '),
      cause: failure,
    },
  )
}

export const place = (context: AwsErrorContext): { place?: { object: string } } =>
  context.key === undefined ? {} : { place: { object: `s3://${context.bucket ?? ''}/${context.key}` } }
