import { statSync } from 'node:fs'
import { basename } from 'node:path'
import type { S3WriteAccess, S3Written, UploadOptions } from '@penstock/aws'
import { ConnectorError, defineAction } from '@penstock/core'
import { z } from 'zod'
import { writerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { contentTypeOf } from '../content-type.ts'
import { localError } from '../local/folder.ts'
import { bucketField, folderPrefix, type Location, locate } from '../location.ts'
import { objectFields, objectOptions } from '../object-options.ts'
import { createMeter } from '../progress.ts'
import { uploadState } from '../upload-state.ts'
import { noStream } from './download-file.ts'

/** From this size on an upload is worth going on with. */
const resumableBytes = 16 << 20

export const uploadFile = defineAction({
  title: 'Upload a file',
  description:
    'Uploads a file, or stdin of any length, in parallel parts with checksums that S3 verifies. There is no object before all of it is there. A large upload that is cut off goes on where it was when it is started again; a file that changes meanwhile is an error.',
  aliases: ['put'],
  arguments: ['source', 'to'],
  idempotent: true,
  examples: [
    { description: 'Into a folder', input: { source: 'orders.csv', to: 's3://lake/incoming/' } },
    {
      description: 'What a command writes',
      input: { source: '-', to: 's3://lake/dump.sql', contentType: 'text/plain' },
    },
    {
      description: 'Only if there is no such object yet',
      input: { source: 'orders.csv', to: 's3://lake/orders.csv', ifNoneMatch: '*' },
    },
  ],
  input: z.strictObject({
    source: z.string().min(1).meta({ title: 'Source', description: 'File, or - for stdin', stdin: true }),
    to: z.string().optional().meta({
      title: 'Target',
      description:
        'Key, or s3://bucket/key; with a slash at the end a folder, which gets the name of the file (default: the name of the file)',
    }),
    bucket: bucketField,
    folder: z.string().optional().meta({ title: 'Folder', description: 'Folder that the target is in' }),
    ...objectFields,
    ifNoneMatch: z
      .literal('*')
      .optional()
      .meta({ title: 'If none match', description: '*: only if there is no such object' }),
    ifMatch: z
      .string()
      .optional()
      .meta({ title: 'If match', description: 'Only if the object has this ETag' }),
  }),
  output: z.object({
    bucket: z.string(),
    key: z.string(),
    size: z.int().meta({ unit: 'bytes' }),
    etag: z.string(),
    versionId: z.string().optional(),
    crc64nvme: z.string().optional().meta({ description: 'Checksum of all bytes, in base64' }),
  }),
  run: async (context: S3ActionContext, input) => {
    const location = targetOf(context, input)
    const { bucket, key } = location
    const access = writerOf(context, bucket)
    const meter = createMeter(context, key)
    const { ifNoneMatch, ifMatch } = input
    const named = input.source === '-' ? key : input.source
    const options: UploadOptions = {
      ...objectOptions({ ...input, contentType: input.contentType ?? contentTypeOf(named) }),
      ifNoneMatch,
      ifMatch: ifMatch?.replace(/^"|"$/g, ''),
      signal: context.signal,
      onBytes: meter.bytes,
      onRetry: ({ attempt, delayMs, reason }) =>
        context.notice(`${key}: try ${attempt} in ${delayMs} ms: ${reason}`),
    }
    const written = await (input.source === '-'
      ? access.upload(key, stdinOf(context), options)
      : sendFile(access, location, input.source, options, (bytes) => meter.plan(bytes)))
    meter.done(key)
    return { bucket, ...written }
  },
})

const stdinOf = ({ stdin }: S3ActionContext): AsyncIterable<Uint8Array> => {
  if (stdin) return stdin
  throw noStream('stdin')
}

const targetOf = (
  context: S3ActionContext,
  input: {
    source: string
    to?: string | undefined
    bucket?: string | undefined
    folder?: string | undefined
  },
): Location => {
  const { bucket, key } = locate(context, input.to ?? '', input.bucket, { key: 'optional' })
  const folder = folderPrefix((input.folder ?? '').replace(/^\//, ''))
  const isFolder = key === '' || key.endsWith('/')
  if (isFolder && input.source === '-')
    throw new ConnectorError('config', 'stdin has no name that the object could have.', {
      code: 'NoFileName',
      hint: 'Give the key: s3://bucket/key.',
    })
  return locate(context, `s3://${bucket}/${folder}${key}${isFolder ? basename(input.source) : ''}`, undefined)
}

/** Uploads a file; a large one goes on with what a former try has sent. */
export const sendFile = async (
  access: S3WriteAccess,
  { bucket, key }: Location,
  path: string,
  options: UploadOptions,
  plan: (bytes: number) => void,
): Promise<S3Written> => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw localError(Object.assign(new Error('no file'), { code: 'ENOENT' }), path)
  plan(found.size)
  if (!found.isFile() || found.size <= resumableBytes) return access.upload(key, { path }, options)
  const { signal: _, onBytes: __, onRetry: ___, ...asked } = options
  const state = uploadState({ endpoint: access.endpoint, bucket, key, path, options: asked })
  // Its parts cost money until they are removed.
  if (state.stale !== undefined) await access.abortUpload(key, state.stale)
  const written = await access.upload(
    key,
    { path },
    {
      ...options,
      keepParts: true,
      ...(state.uploadId === undefined ? {} : { resume: state.uploadId }),
      onStarted: state.save,
    },
  )
  state.clear()
  return written
}
