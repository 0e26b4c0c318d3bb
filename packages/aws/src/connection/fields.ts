import { z } from 'zod'
import { brokenBucketNameRules } from './bucket-name.ts'
import { endpointProblem } from './endpoint.ts'

const region = z
  .string({ error: 'A region is missing, for example eu-central-1' })
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'A region looks like eu-central-1')
  .meta({
    title: 'Region',
    description: 'AWS region of the bucket; for an S3-compatible store the region that it is configured with',
    examples: ['eu-central-1', 'us-east-1'],
  })

const bucket = z
  .string({ error: 'A bucket name is missing' })
  .superRefine((name, context) => {
    for (const message of brokenBucketNameRules(name)) context.addIssue({ code: 'custom', message })
  })
  .meta({ title: 'Bucket', description: 'Name of the bucket', examples: ['sales-exports'] })

/** Fields of a connection to S3. Every S3 connector spreads them into its configuration. */
export const s3ConnectionFields = {
  region,
  bucket,
  endpoint: z
    .string()
    .optional()
    .meta({
      title: 'Endpoint',
      description: 'URL of an S3-compatible store; leave it out for AWS',
      examples: ['https://minio.example.com:9000'],
    }),
  forcePathStyle: z
    .boolean()
    .optional()
    .meta({
      title: 'Path-style addressing',
      description:
        'true: https://host/bucket/key, false: https://bucket.host/key. Default: by path at an endpoint, by host name at AWS',
      examples: [true],
    }),
  allowInsecure: z
    .boolean()
    .optional()
    .meta({
      title: 'Allow plain http',
      description: 'Accept endpoints without TLS beyond this machine. Data and requests travel unencrypted',
      examples: [false],
    }),
  expectedBucketOwner: z
    .string()
    .regex(/^\d{12}$/, 'An AWS account id has 12 digits')
    .optional()
    .meta({
      title: 'Expected bucket owner',
      description: 'Account id; requests fail when the bucket belongs to another account',
      examples: ['111122223333'],
    }),
  maxAttempts: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .meta({
      title: 'Attempts of a request',
      description: 'How often a request without progress is tried before the run gives up (default 10)',
      examples: [5],
    }),
  checksums: z
    .enum(['when-supported', 'when-required'])
    .optional()
    .meta({
      title: 'Checksums',
      description:
        'when-supported (default): verify what is read against the checksum or ETag. when-required: for stores that know neither',
      examples: ['when-supported'],
    }),
  stsEndpoint: z
    .string()
    .optional()
    .meta({
      title: 'STS endpoint',
      description: 'URL of the Security Token Service; leave it out for AWS',
      examples: ['https://sts.eu-central-1.amazonaws.com'],
    }),
} as const

const s3ConnectionSchema = z.object(s3ConnectionFields)

/** Configuration of a connection to S3, as {@link s3ConnectionFields} parse it. */
export type S3ConnectionConfig = z.output<typeof s3ConnectionSchema>

/**
 * Refinement of every configuration with {@link s3ConnectionFields}: HTTPS only; plain http to loopback, or with
 * `allowInsecure`. Use: `z.strictObject({ ...s3ConnectionFields }).superRefine(checkEndpointSecurity)`.
 */
export const checkEndpointSecurity = (
  config: Pick<S3ConnectionConfig, 'endpoint' | 'stsEndpoint' | 'allowInsecure'>,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void => {
  for (const field of ['endpoint', 'stsEndpoint'] as const) {
    const value = config[field]
    const message = value === undefined ? undefined : endpointProblem(value, config.allowInsecure ?? false)
    if (message) context.addIssue({ code: 'custom', path: [field], message })
  }
}
