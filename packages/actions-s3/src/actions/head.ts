import { defineAction } from '@penstock/core'
import { z } from 'zod'
import { readerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { bucketField, locate } from '../location.ts'

export const head = defineAction({
  title: 'Show an object',
  description: 'Tells what S3 keeps of an object besides its bytes. Does not read them.',
  arguments: ['path'],
  readOnly: true,
  examples: [{ description: 'Size, type and checksum', input: { path: 's3://lake/orders.csv' } }],
  input: z.strictObject({
    path: z.string().min(1).meta({ title: 'Object', description: 'Key, or s3://bucket/key' }),
    bucket: bucketField,
    versionId: z.string().optional().meta({ title: 'Version id', description: 'Version of the object' }),
  }),
  output: z.object({
    bucket: z.string(),
    key: z.string(),
    size: z.int().meta({ unit: 'bytes' }),
    modified: z.iso.datetime(),
    etag: z.string(),
    versionId: z.string().optional(),
    storageClass: z.string().optional(),
    contentType: z.string().optional(),
    contentEncoding: z.string().optional(),
    contentDisposition: z.string().optional(),
    contentLanguage: z.string().optional(),
    cacheControl: z.string().optional(),
    encryption: z.string().optional(),
    kmsKeyId: z.string().optional(),
    checksum: z.string().optional().meta({ description: 'As CRC64NVME:base64; with -N of so many parts' }),
    tags: z.int().optional().meta({ description: 'How many' }),
    metadata: z.record(z.string(), z.string()),
  }),
  run: async (context: S3ActionContext, input) => {
    const { bucket, key } = locate(context, input.path, input.bucket)
    const { versionId } = input
    const {
      entry,
      restored: _,
      ...rest
    } = await readerOf(context, bucket).head(key, {
      signal: context.signal,
      checksum: true,
      ...(versionId === undefined ? {} : { versionId }),
    })
    return {
      bucket,
      key,
      size: entry.size,
      modified: new Date(entry.modified).toISOString(),
      etag: entry.version,
      ...(entry.versionId === undefined ? {} : { versionId: entry.versionId }),
      ...(entry.storageClass === undefined ? {} : { storageClass: entry.storageClass }),
      ...rest,
      metadata: { ...rest.metadata },
    }
  },
})
