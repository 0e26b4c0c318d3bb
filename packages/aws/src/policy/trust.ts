import type { PolicyOptions } from '@penstock/core'
import { type PolicyDocument, policyDocument } from './documents.ts'
import { limited } from './limits.ts'

export interface TrustOptions extends Pick<PolicyOptions, 'sourceIps'> {
  /** Who assumes the role: ARN of a user, a role, an assumed role's session or an account. */
  readonly callerArn?: string | undefined
  readonly externalId: string
}

/** What stands for the caller as long as nobody knows it. */
const placeholder = 'arn:aws:iam::<YOUR-ACCOUNT-ID>:root'

/** A session's ARN changes with its name: what can be trusted is the role behind it. */
const principalOf = (callerArn: string): string => {
  const [, partition, account, role] =
    /^arn:([\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(callerArn) ?? []
  return role === undefined ? callerArn : `arn:${partition}:iam::${account}:role/${role}`
}

/** Trust policy of the role: who may assume it, with which external id. */
export const trustPolicy = (options: TrustOptions): PolicyDocument =>
  policyDocument(
    limited(
      [
        {
          Sid: 'AssumeRole',
          Effect: 'Allow',
          Principal: { AWS: principalOf(options.callerArn ?? placeholder) },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': options.externalId } },
        },
      ],
      [],
      options.sourceIps ? { sourceIps: options.sourceIps } : {},
    ),
  )
