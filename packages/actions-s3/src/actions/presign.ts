import { defineAction } from '@penstock/core'
import { z } from 'zod'
import { writerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { bucketField, locate } from '../location.ts'

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of `900`, `15m`, `12h`, `7d`. */
const duration = z
  .union([z.number(), z.string().regex(/^\d+[smhd]?$/, 'must be seconds, or like 15m, 12h, 7d')])
  .transform((given) => {
    const [, count = '', unit = 's'] = /^(\d+)([smhd]?)$/.exec(String(given)) ?? []
    return typeof given === 'number' ? given : Number(count) * (units[unit || 's'] ?? 1)
  })
  .pipe(z.int().min(1).max(604_800, 'must be at most 604800 seconds (7 days)'))

export const presign = defineAction({
  title: 'Make a presigned URL',
  description:
    'Makes a URL with which anybody can read (or write, or delete) one object until it expires. It ends with the credentials that signed it at the latest. Nothing is sent.',
  arguments: ['path'],
  readOnly: true,
  examples: [{ description: 'For a day', input: { path: 's3://lake/report.pdf', expiresIn: '1d' } }],
  input: z.strictObject({
    path: z.string().min(1).meta({ title: 'Object', description: 'Key, or s3://bucket/key' }),
    bucket: bucketField,
    method: z
      .enum(['GET', 'HEAD', 'PUT', 'DELETE'])
      .default('GET')
      .meta({ title: 'Method', description: 'What the URL is for' }),
    expiresIn: duration.default(3600).meta({
      title: 'Validity',
      description: 'Seconds, or like 15m, 12h, 7d; at most 7 days (default: 1 hour)',
      valueName: 'TIME',
    }),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .meta({ title: 'Headers', description: 'Header that has to be sent along as it is here' }),
    versionId: z.string().optional().meta({ title: 'Version id', description: 'Version of the object' }),
  }),
  output: z.object({ url: z.string().meta({ result: true }), method: z.string(), expires: z.iso.datetime() }),
  run: async (context: S3ActionContext, input) => {
    const { bucket, key } = locate(context, input.path, input.bucket)
    const headers = Object.fromEntries(
      Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    )
    const { url, expires } = await writerOf(context, bucket).presign(key, {
      method: input.method,
      expiresInSeconds: input.expiresIn,
      headers,
      ...(input.versionId === undefined ? {} : { query: { versionId: input.versionId } }),
    })
    return { url, method: input.method, expires: expires.toISOString() }
  },
})
