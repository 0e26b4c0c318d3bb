import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConnectorError, defineAction } from '@penstock/core'
import { z } from 'zod'
import { writerOf } from '../access.ts'
import { bodyOf } from '../api/body.ts'
import { errorText, refusal } from '../api/refusal.ts'
import { requestTarget } from '../api/target.ts'
import type { S3ActionContext } from '../config.ts'
import { localError } from '../local/folder.ts'

/** An answer that nobody streams is held in memory up to this size. */
const maxBodyBytes = 8 << 20

/** Any name: the request goes to the service of the region, not to a bucket. */
const placeholderBucket = 'penstock'

export const apiCall = defineAction({
  title: 'Call the S3 API',
  description:
    'Sends one request to the S3 endpoint of a region, signed with the credentials of the connection (x-amz-date, x-amz-content-sha256 and the session token are added). The answer goes to stdout, to a file or into the result.',
  aliases: ['api'],
  arguments: ['url'],
  examples: [
    { description: 'Versioning of a bucket', input: { url: '/lake?versioning' } },
    {
      description: 'Tags of an object',
      input: { url: '/lake/orders.csv?tagging', method: 'PUT', bodyFile: 'tags.xml' },
    },
  ],
  input: z.strictObject({
    url: z.string().meta({
      title: 'URL',
      description:
        'Path and query, relative to https://s3.<region>.amazonaws.com/ or the endpoint: /bucket/key?acl',
    }),
    method: z
      .string()
      .transform((method) => method.toUpperCase())
      .pipe(z.enum(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']))
      .default('GET')
      .meta({ title: 'Method', description: 'HTTP method' }),
    region: z
      .string()
      .optional()
      .meta({ title: 'Region', description: 'Region (default: that of the connection)' }),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .meta({ title: 'Headers', description: 'Header of the request' }),
    query: z
      .record(z.string(), z.string())
      .optional()
      .meta({ title: 'Query', description: 'Parameter of the query; it is encoded here', flag: 'query' }),
    body: z.string().optional().meta({ title: 'Body', description: 'Body of the request, as text' }),
    bodyFile: z
      .string()
      .optional()
      .meta({ title: 'Body file', description: 'File with the body, or - for stdin', stdin: true }),
    to: z.string().optional().meta({
      title: 'Target',
      description: 'File for the body of the answer, or - for stdout',
      stdout: true,
    }),
    fail: z
      .boolean()
      .default(true)
      .meta({ title: 'Fail', description: 'Treat a status of 400 and above as an error' }),
  }),
  output: z.object({
    status: z.int(),
    headers: z.record(z.string(), z.string()),
    body: z.string().optional().meta({ description: 'Absent when it went to a file or to stdout' }),
    file: z.string().optional(),
  }),
  run: async (context: S3ActionContext, input) => {
    const access = writerOf(context, placeholderBucket, input.region)
    const { path, query } = requestTarget(input.url, { region: access.region, endpoint: access.endpoint })
    const body = await bodyOf(context, input)
    const answer = await access.request({
      method: input.method,
      path,
      query: { ...query, ...input.query },
      headers: { ...body?.headers, ...input.headers },
      ...(body ? { body } : {}),
      signal: context.signal,
    })
    const { status, headers } = answer
    if (status >= 400) {
      const text = await errorText(answer.body)
      if (input.fail) throw refusal(input.method, path, status, text)
      return { status, headers, body: text }
    }
    return { status, headers, ...(await deliver(context, answer.body, input.to)) }
  },
})

const deliver = async (
  context: S3ActionContext,
  body: Readable,
  to: string | undefined,
): Promise<{ body?: string; file?: string }> => {
  const { stdout } = context
  if (to !== undefined && to !== '-') {
    await pipeline(body, createWriteStream(to), { signal: context.signal }).catch((error: unknown) => {
      throw localError(error, to)
    })
    return { file: to }
  }
  if (stdout) {
    for await (const chunk of body as AsyncIterable<Uint8Array>) await stdout(chunk)
    return {}
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBodyBytes)
      throw new ConnectorError('resource', `The answer is longer than ${maxBodyBytes} bytes.`, {
        code: 'BodyTooLarge',
        hint: 'Give a file that it is written to.',
      })
    chunks.push(chunk)
  }
  return { body: Buffer.concat(chunks).toString('utf8') }
}
