import { type AwsAuthentication, checkEndpointSecurity, s3ConnectionFields } from '@penstock/aws'
import type { ConnectorContext } from '@penstock/core'
import { z } from 'zod'
import { namingFields } from './options.ts'
import { folderTextProblem } from './template/key-template.ts'

const storageClasses = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
  'REDUCED_REDUNDANCY',
] as const

const cannedAcls = [
  'private',
  'bucket-owner-full-control',
  'bucket-owner-read',
  'authenticated-read',
  'aws-exec-read',
  'public-read',
] as const

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const tagCharacters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u
const tagMessage = 'Tags have letters, digits, spaces and _ . : / = + - @'

const printable = /^[\x20-\x7e]*$/

/** Fields of a connection. `prefix` confines all of it: what is written, listed and named in the policy. */
export const config = z
  .strictObject({
    ...s3ConnectionFields,
    prefix: z
      .string()
      .min(1)
      .superRefine((prefix, context) => {
        const problem = folderTextProblem(prefix)
        if (problem) context.addIssue({ code: 'custom', message: `The prefix ${problem}` })
      })
      .overwrite((prefix) => (prefix.endsWith('/') ? prefix : `${prefix}/`))
      .optional()
      .meta({
        title: 'Prefix',
        description: 'Folder that the whole connection is confined to, its policy included',
        examples: ['exports/sales/'],
      }),
    ...namingFields,
    destination: z
      .string()
      .min(1)
      .default('S3')
      .meta({ title: 'Destination', description: 'Text of the macro %DESTINATION%', examples: ['S3'] }),
    destinationId: z
      .string()
      .min(1)
      .optional()
      .meta({
        title: 'Destination id',
        description: 'Id in manifest names and of %DESTINATION_INSTANCE_ID% (default: the id of the export)',
        examples: ['6f0c2a94'],
      }),
    destinationName: z
      .string()
      .min(1)
      .optional()
      .meta({
        title: 'Destination name',
        description: 'Text of %DESTINATION_NAME% (default: the name of the export)',
        examples: ['Partner bucket'],
      }),
    organization: z
      .string()
      .min(1)
      .optional()
      .meta({ title: 'Organization', description: 'Text of %ORGANIZATION_NAME%', examples: ['Acme'] }),
    sandbox: z
      .string()
      .min(1)
      .optional()
      .meta({
        title: 'Sandbox',
        description: 'Environment: text of %SANDBOX_NAME%',
        examples: ['production'],
      }),
    encryption: z
      .enum(['sse-s3', 'sse-kms', 'sse-kms-dual-layer'])
      .optional()
      .meta({
        title: 'Encryption at rest',
        description: 'By S3, by a key of KMS, or by KMS in two layers (default: that of the bucket)',
        examples: ['sse-kms'],
      }),
    kmsKeyId: z
      .string()
      .min(1)
      .optional()
      .meta({
        title: 'KMS key',
        description: 'ARN, id or alias of the key (default: the AWS managed key of S3)',
        examples: ['arn:aws:kms:eu-central-1:111122223333:key/0d3a4c5e-6f70-4a1b-9c2d-3e4f5a6b7c8d'],
      }),
    bucketKey: z
      .boolean()
      .optional()
      .meta({
        title: 'Bucket key',
        description: 'One data key for many objects, which saves requests to KMS',
        examples: [true],
      }),
    storageClass: z
      .enum(storageClasses)
      .optional()
      .meta({
        title: 'Storage class',
        description: 'Of the files (default STANDARD)',
        examples: ['STANDARD_IA'],
      }),
    acl: z
      .enum(cannedAcls)
      .optional()
      .meta({
        title: 'ACL',
        description: 'Canned access control list of what is written',
        examples: ['bucket-owner-full-control'],
      }),
    tags: z
      .record(
        z.string().min(1).max(128).regex(tagCharacters, tagMessage),
        z.string().max(256).regex(tagCharacters, tagMessage),
      )
      .refine((tags) => Object.keys(tags).length <= 10, 'An object has at most 10 tags')
      .optional()
      .meta({ title: 'Tags', description: 'Tags of the files', examples: [{ team: 'sales' }] }),
    metadata: z
      .record(
        z.string().regex(/^[A-Za-z0-9_.-]+$/, 'Names of metadata have letters, digits, dots and hyphens'),
        z.string().regex(printable, 'Values of metadata are printable ASCII'),
      )
      .refine(
        (metadata) => !Object.keys(metadata).some((name) => /^penstock-/i.test(name)),
        'Names that begin with penstock- are for the destination itself',
      )
      .optional()
      .meta({ title: 'Metadata', description: 'User metadata of the files', examples: [{ origin: 'crm' }] }),
    cacheControl: z
      .string()
      .regex(printable, 'Only printable ASCII')
      .optional()
      .meta({ title: 'Cache-Control', description: 'Header of the files', examples: ['max-age=3600'] }),
    contentType: z
      .string()
      .regex(printable, 'Only printable ASCII')
      .optional()
      .meta({
        title: 'Content-Type',
        description: 'Header of the files (default: by file type and compression)',
        examples: ['text/csv'],
      }),
    contentEncoding: z
      .string()
      .regex(printable, 'Only printable ASCII')
      .optional()
      .meta({
        title: 'Content-Encoding',
        description: 'Header of the files; with gzip, clients of the web decompress them (default: none)',
        examples: ['gzip'],
      }),
  })
  .superRefine(checkEndpointSecurity)
  .superRefine((given, context) => {
    const issue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    const kms = given.encryption === 'sse-kms' || given.encryption === 'sse-kms-dual-layer'
    if (given.kmsKeyId !== undefined && !kms)
      issue('kmsKeyId', 'needs encryption to be sse-kms or sse-kms-dual-layer')
    if (given.bucketKey !== undefined && given.encryption !== 'sse-kms')
      issue('bucketKey', 'needs encryption to be sse-kms')
  })

export type S3DestinationConfig = z.output<typeof config>

export type S3Context = ConnectorContext<S3DestinationConfig, AwsAuthentication>
