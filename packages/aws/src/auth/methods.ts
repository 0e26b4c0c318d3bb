import { randomBytes } from 'node:crypto'
import { defineAuth, type Secret, secret } from '@penstock/core'
import { z } from 'zod'
import { roleProvider } from './assume-role.ts'
import type {
  AwsAuthentication,
  AwsCredentialProvider,
  AwsCredentials,
  CredentialEnvironment,
} from './authentication.ts'
import { chainProvider } from './chain.ts'

/** An external id for a new connection: 160 random bits, so that nobody guesses it. */
export const createExternalId = (): string => `penstock-${randomBytes(20).toString('hex')}`

/** How a project file refers to an environment variable. */
const fromEnvironment = (name: string): string => `\${env:${name}}`

const accessKeyId = z
  .string({
    error: `The access key id is missing: set accessKeyId, for example to ${fromEnvironment('AWS_ACCESS_KEY_ID')}`,
  })
  // Those of AWS have 16 characters at least; other stores have shorter ones, also with signs (Swift: account:user).
  .regex(
    /^[^\s/,]{1,128}$/,
    'An access key id has 1 to 128 characters without spaces, slashes and commas, such as AKIAIOSFODNN7EXAMPLE',
  )
  .meta({
    title: 'Access key id',
    description: 'Access key id of an IAM user',
    examples: ['AKIAIOSFODNN7EXAMPLE', fromEnvironment('AWS_ACCESS_KEY_ID')],
  })

const secretAccessKey = secret({
  error: `The secret access key is missing: set secretAccessKey, for example to ${fromEnvironment('AWS_SECRET_ACCESS_KEY')}`,
}).meta({
  title: 'Secret access key',
  description: 'Secret that belongs to the access key id',
  examples: [fromEnvironment('AWS_SECRET_ACCESS_KEY')],
  secret: true,
})

const sessionToken = secret({
  error: `A session token is a text, for example ${fromEnvironment('AWS_SESSION_TOKEN')}`,
})
  .optional()
  .meta({
    title: 'Session token',
    description: 'For temporary keys only',
    examples: [fromEnvironment('AWS_SESSION_TOKEN')],
    secret: true,
  })

const keyFields = { accessKeyId, secretAccessKey, sessionToken }

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret | undefined
}

/** Keys that the user gave: always the same, so that a refusal stays one. */
const keyProvider = (keys: Keys): AwsCredentialProvider => {
  const credentials: AwsCredentials = Object.freeze({
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey.reveal(),
    ...(keys.sessionToken ? { sessionToken: keys.sessionToken.reveal() } : {}),
  })
  return async () => credentials
}

const accessKey = defineAuth({
  id: 'access-key',
  title: 'Access key',
  description: 'Access key id and secret access key of an IAM user, with a session token for temporary keys',
  fields: z.strictObject(keyFields),
  resolve: (fields): AwsAuthentication =>
    Object.freeze({ method: 'access-key', provider: () => keyProvider(fields) }),
})

const profile = z
  .string()
  .min(1)
  .optional()
  .meta({
    title: 'Profile',
    description: 'Profile of ~/.aws/config and ~/.aws/credentials',
    examples: ['analytics'],
  })

/** Limits: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const roleFields = z.strictObject({
  roleArn: z
    .string({ error: 'The role is missing: set roleArn' })
    .min(20, 'A role ARN has 20 to 2048 characters')
    .max(2048, 'A role ARN has 20 to 2048 characters')
    .regex(
      /^arn:aws[\w-]*:iam::\d{12}:role\/.+$/,
      'A role ARN looks like arn:aws:iam::111122223333:role/name',
    )
    .meta({
      title: 'Role ARN',
      description: 'Role that may read the bucket and that is assumed',
      examples: ['arn:aws:iam::111122223333:role/penstock'],
    }),
  externalId: z
    .string({
      error: 'The external id is missing: set externalId to what the trust policy of the role asks for',
    })
    .min(2, 'An external id has 2 to 1224 characters')
    .max(1224, 'An external id has 2 to 1224 characters')
    .regex(/^[\w+=,.@:/-]*$/, 'An external id has only letters, digits and the characters _+=,.@:/-')
    .meta({
      title: 'External id',
      description: 'Text that the trust policy of the role asks for (sts:ExternalId)',
      examples: ['penstock-6f0c'],
    }),
  sessionName: z
    .string()
    .min(2, 'A session name has 2 to 64 characters')
    .max(64, 'A session name has 2 to 64 characters')
    .regex(/^[\w+=,.@-]*$/, 'A session name has only letters, digits and the characters _+=,.@-')
    .default('penstock')
    .meta({
      title: 'Session name',
      description: 'Name of the session in the logs of AWS',
      examples: ['penstock'],
    }),
  durationSeconds: z
    .int()
    .min(900, 'A session lasts 900 to 43200 seconds')
    .max(43_200, 'A session lasts 900 to 43200 seconds')
    .default(3600)
    .meta({
      title: 'Session duration',
      description: 'Seconds; renewed before the end. At most 3600 where one role assumes another',
      examples: [3600],
    }),
  source: z.strictObject(keyFields).optional().meta({
    title: 'Source keys',
    description: 'Keys that assume the role. Default: what the environment, a profile or the instance gives',
  }),
  profile,
})

const assumedRole = defineAuth({
  id: 'assumed-role',
  title: 'Assumed role',
  description: 'A role of the account that owns the bucket, assumed with an external id. Keys live an hour',
  recommended: true,
  fields: roleFields,
  resolve: (fields): AwsAuthentication => {
    const sourceProvider: NonNullable<AwsAuthentication['sourceProvider']> = (environment) =>
      fields.source ? keyProvider(fields.source) : chainProvider(fields.profile, environment)
    return Object.freeze({
      method: 'assumed-role',
      roleArn: fields.roleArn,
      sourceProvider,
      provider: (environment: CredentialEnvironment) =>
        roleProvider(fields, sourceProvider(environment), environment),
    })
  },
})

const defaultChain = defineAuth({
  id: 'default-chain',
  title: 'Default chain',
  description: 'What the AWS SDK finds: environment, profile, SSO, web identity, container, instance role',
  fields: z.strictObject({ profile }),
  resolve: (fields): AwsAuthentication =>
    Object.freeze({
      method: 'default-chain',
      provider: (environment: CredentialEnvironment) => chainProvider(fields.profile, environment),
    }),
})

const anonymous = defineAuth({
  id: 'anonymous',
  title: 'Anonymous',
  description: 'No credentials: for public buckets',
  fields: z.strictObject({}),
  resolve: (): AwsAuthentication => Object.freeze({ method: 'anonymous', provider: () => undefined }),
})

/** Auth methods of all AWS connectors. */
export const awsAuth = Object.freeze({ assumedRole, accessKey, defaultChain, anonymous })

/** {@link awsAuth} as a connector lists them, the recommended one first. */
export const awsAuthMethods = [assumedRole, accessKey, defaultChain, anonymous] as const
