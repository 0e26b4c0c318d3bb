import { brokenBucketNameRules } from '@penstock/aws'
import { defineAction } from '@penstock/core'
import { z } from 'zod'
import { writerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'

export const createBucket = defineAction({
  title: 'Create a bucket',
  description:
    'Makes a bucket in the region of the connection, or in another one. A bucket that is yours already is fine; a name that somebody else has is a conflict.',
  aliases: ['mb'],
  arguments: ['bucket'],
  idempotent: true,
  examples: [{ description: 'In another region', input: { bucket: 'sales-exports', region: 'us-east-1' } }],
  input: z.strictObject({
    bucket: z
      .string()
      .transform((name) => name.replace(/^s3:\/\/([^/]*)\/?$/, '$1'))
      .superRefine((name, context) => {
        for (const message of brokenBucketNameRules(name)) context.addIssue({ code: 'custom', message })
      })
      .meta({ title: 'Bucket', description: 'Name of the bucket' }),
    region: z
      .string()
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'A region looks like eu-central-1')
      .optional()
      .meta({ title: 'Region', description: 'Region to make it in (default: that of the connection)' }),
  }),
  output: z.object({
    bucket: z.string(),
    region: z.string(),
    location: z.string(),
    created: z.boolean().meta({ description: 'False when it was yours already' }),
  }),
  run: async (context: S3ActionContext, { bucket, region }) => {
    const access = writerOf(context, bucket, region)
    const { location, created } = await access.createBucket({ signal: context.signal })
    return { bucket, region: access.region, location, created }
  },
})
