import type { Aws, PolicyStatement } from '@penstock/testkit'
import type { AwsAuthentication } from '../src/auth/authentication.ts'
import { awsAuth } from '../src/auth/methods.ts'
import { bucket } from './embedded.ts'

export const externalId = 'penstock-test-1'

export const allow = (...action: string[]): PolicyStatement => ({
  Effect: 'Allow',
  Action: action,
  Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
})

/** A user who may assume a role, and the role, which asks for the external id. */
export const createRole = (
  aws: Aws,
  options: {
    statements?: PolicyStatement[]
    trusted?: boolean
    mayAssume?: boolean
    maxSessionDuration?: number
  } = {},
) => {
  const { statements = [allow('s3:*')], trusted = true, mayAssume = true, maxSessionDuration } = options
  const user = aws.identities.createUser({
    name: 'loader',
    policies: mayAssume ? [{ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' } }] : [],
  })
  const role = aws.identities.createRole({
    name: 'reader',
    trustPolicy: {
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: trusted ? `arn:aws:iam::${aws.account}:root` : 'arn:aws:iam::999999999999:root' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } },
      },
    },
    policies: [{ Statement: statements }],
    ...(maxSessionDuration === undefined ? {} : { maxSessionDuration }),
  })
  return { user, roleArn: role.arn }
}

export const roleAuth = (
  roleArn: string,
  keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined },
  options: { externalId?: string; durationSeconds?: number } = {},
): AwsAuthentication => {
  const fields = awsAuth.assumedRole.fields.parse({
    roleArn,
    externalId,
    source: {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
    },
    ...options,
  })
  return awsAuth.assumedRole.resolve(fields, context) as AwsAuthentication
}

const context = { signal: new AbortController().signal, clock: () => new Date() }
