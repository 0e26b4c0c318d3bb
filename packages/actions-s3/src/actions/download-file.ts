import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isArchived } from '@penstock/aws'
import { ConnectorError, defineAction } from '@penstock/core'
import { z } from 'zod'
import { readerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { localError, targetFolder } from '../local/folder.ts'
import { saveObject } from '../local/save.ts'
import { baseName, bucketField, locate, urlOf } from '../location.ts'
import { createMeter } from '../progress.ts'

export const downloadFile = defineAction({
  title: 'Download an object',
  description:
    'Downloads an object to a file, in parallel ranges and verified against its checksum, or to stdout. A large download that is cut off goes on where it was when it is started again.',
  aliases: ['get'],
  arguments: ['path', 'to'],
  readOnly: true,
  examples: [
    { description: 'To the current folder', input: { path: 's3://lake/photos/2019/February/image023.jpg' } },
    { description: 'To another command', input: { path: 's3://lake/orders.csv', to: '-' } },
  ],
  input: z.strictObject({
    path: z.string().min(1).meta({ title: 'Object', description: 'Key, or s3://bucket/key' }),
    to: z.string().optional().meta({
      title: 'Target',
      description: 'File, folder, or - for stdout (default: the current folder)',
      stdout: true,
    }),
    bucket: bucketField,
    versionId: z.string().optional().meta({ title: 'Version id', description: 'Version of the object' }),
    overwrite: z
      .boolean()
      .default(false)
      .meta({ title: 'Overwrite', description: 'Replace a file that is there' }),
  }),
  output: z.object({
    bucket: z.string(),
    key: z.string(),
    file: z.string().optional().meta({ description: 'Path of the file; absent for stdout' }),
    size: z.int().meta({ unit: 'bytes' }),
    etag: z.string(),
    contentType: z.string().optional(),
    versionId: z.string().optional(),
  }),
  run: async (context: S3ActionContext, input) => {
    const location = locate(context, input.path, input.bucket)
    const { bucket, key } = location
    const access = readerOf(context, bucket)
    const { versionId } = input
    const target = input.to === '-' ? undefined : targetOf(input.to ?? '.', key, input.overwrite)
    const head = await access.head(key, {
      signal: context.signal,
      ...(versionId === undefined ? {} : { versionId }),
    })
    const { entry } = head
    if (isArchived(entry) && !head.restored)
      throw new ConnectorError('data', `${urlOf(location)} is archived (${entry.storageClass}).`, {
        code: 'InvalidObjectState',
        hint: 'Restore it first (aws s3api restore-object).',
      })
    const meter = createMeter(context, key)
    meter.plan(entry.size)
    const onRetry = ({ attempt, delayMs, reason }: { attempt: number; delayMs: number; reason: string }) =>
      context.notice(`${key}: try ${attempt} in ${delayMs} ms: ${reason}`)
    const options = { signal: context.signal, onBytes: meter.bytes, onRetry }
    if (target === undefined) {
      const { stdout } = context
      if (!stdout) throw noStream('stdout')
      for await (const chunk of access.file(entry).read(undefined, options)) await stdout(chunk)
    } else await saveObject(access, entry, target, options)
    meter.done(key)
    return {
      bucket,
      key,
      ...(target === undefined ? {} : { file: target }),
      size: entry.size,
      etag: entry.version,
      ...(head.contentType === undefined ? {} : { contentType: head.contentType }),
      ...(entry.versionId === undefined ? {} : { versionId: entry.versionId }),
    }
  },
})

export const noStream = (name: 'stdin' | 'stdout'): ConnectorError =>
  new ConnectorError('config', `There is no ${name} here, so "-" has no meaning.`, {
    code: 'NoStream',
    hint: 'Give a file.',
  })

/** The file that is written. A folder gets the last part of the key, encoded where it is no name of a file. */
const targetOf = (to: string, key: string, overwrite: boolean): string => {
  const found = statSync(to, { throwIfNoEntry: false })
  const isFolder = found?.isDirectory() || /[/\\]$/.test(to)
  const file = isFolder ? placeIn(to, key) : to
  if (!isFolder && !found) makeParent(to)
  if (!overwrite && statSync(file, { throwIfNoEntry: false }))
    throw new ConnectorError('conflict', `${file} is there already: nothing was downloaded.`, {
      code: 'FileExists',
      hint: 'Choose another target, or set overwrite (--overwrite).',
    })
  return file
}

const placeIn = (folder: string, key: string): string => {
  const name = baseName(key)
  if (name === '')
    throw new ConnectorError('config', `${key} ends with a slash: it has no name for a file.`, {
      code: 'NoFileName',
      hint: 'Give the file to write to.',
    })
  return targetFolder(folder).place(name)
}

const makeParent = (file: string): void => {
  const parent = join(file, '..')
  try {
    mkdirSync(parent, { recursive: true })
  } catch (error) {
    throw localError(error, parent)
  }
}
