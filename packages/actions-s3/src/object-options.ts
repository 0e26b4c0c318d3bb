import type { ObjectOptions } from '@penstock/aws'
import { z } from 'zod'

/** Input fields of what S3 keeps with an object besides its bytes. */
export const objectFields = {
  contentType: z
    .string()
    .optional()
    .meta({
      title: 'Content type',
      description: 'What the bytes are (default: by the name)',
      examples: ['text/csv'],
    }),
  contentEncoding: z
    .string()
    .optional()
    .meta({ title: 'Content encoding', description: 'How the bytes are packed', examples: ['gzip'] }),
  contentDisposition: z
    .string()
    .optional()
    .meta({ title: 'Content disposition', description: 'Name under which browsers save the object' }),
  cacheControl: z
    .string()
    .optional()
    .meta({
      title: 'Cache control',
      description: 'How long others may keep a copy',
      examples: ['max-age=3600'],
    }),
  metadata: z.record(z.string(), z.string()).optional().meta({
    title: 'Metadata',
    description: 'Own metadata of the object, without x-amz-meta-',
    flag: 'metadata',
  }),
  tags: z.record(z.string(), z.string()).optional().meta({ title: 'Tags', description: 'Tag of the object' }),
  storageClass: z
    .string()
    .optional()
    .meta({
      title: 'Storage class',
      description: 'Storage class of the object (default: STANDARD)',
      examples: ['STANDARD_IA'],
    }),
  acl: z
    .string()
    .optional()
    .meta({
      title: 'Canned ACL',
      description: 'Who else may use the object',
      examples: ['bucket-owner-full-control'],
    }),
  sse: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional().meta({
    title: 'Encryption at rest',
    description: 'Encryption at rest: of S3, of KMS, of KMS in two layers',
  }),
  kmsKeyId: z.string().optional().meta({ title: 'KMS key', description: 'Id, ARN or alias of the KMS key' }),
  bucketKey: z
    .boolean()
    .optional()
    .meta({ title: 'Bucket key', description: 'One KMS data key for many objects' }),
  headers: z
    .record(z.string(), z.string())
    .optional()
    .meta({ title: 'Headers', description: 'Any further header of PutObject' }),
} as const

const schema = z.object(objectFields)

const encryptionOf = ({ sse, kmsKeyId, bucketKey }: z.output<typeof schema>): ObjectOptions['encryption'] => {
  if (sse === 'AES256') return { kind: 'sse-s3' }
  if (sse === undefined && kmsKeyId === undefined) return undefined
  return { kind: sse === 'aws:kms:dsse' ? 'sse-kms-dual-layer' : 'sse-kms', keyId: kmsKeyId, bucketKey }
}

export const objectOptions = (input: z.output<typeof schema>): ObjectOptions => ({
  contentType: input.contentType,
  contentEncoding: input.contentEncoding,
  contentDisposition: input.contentDisposition,
  cacheControl: input.cacheControl,
  metadata: input.metadata,
  tags: input.tags,
  storageClass: input.storageClass,
  acl: input.acl,
  encryption: encryptionOf(input),
  headers: input.headers,
})
