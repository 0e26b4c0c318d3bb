import { ConnectorError, defineAction } from '@penstock/core'
import { z } from 'zod'
import { readerOf, writerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { bucketField, locate } from '../location.ts'
import { failedSome } from '../parallel.ts'
import { createMeter } from '../progress.ts'

export const deleteAction = defineAction({
  title: 'Delete objects',
  description:
    'Deletes one object, or with recursive all whose key begins with a prefix, or with uploads the unfinished uploads there. In a bucket with versions the versions stay, behind a delete marker.',
  aliases: ['rm'],
  arguments: ['path'],
  idempotent: true,
  examples: [
    { description: 'One object', input: { path: 's3://lake/orders.csv' } },
    {
      description: 'What a folder would lose',
      input: { path: 's3://lake/tmp/', recursive: true, dryRun: true },
    },
  ],
  input: z.strictObject({
    path: z.string().min(1).meta({ title: 'Object', description: 'Key, prefix, or s3://bucket/key' }),
    bucket: bucketField,
    recursive: z
      .boolean()
      .default(false)
      .meta({ title: 'Recursive', description: 'Delete all objects whose key begins with it' }),
    everything: z.boolean().default(false).meta({
      title: 'Everything',
      description: 'Confirm that the whole bucket is meant, where there is no prefix',
    }),
    uploads: z
      .boolean()
      .default(false)
      .meta({ title: 'Uploads', description: 'Remove unfinished uploads of such keys instead of objects' }),
    dryRun: z.boolean().default(false).meta({ title: 'Dry run', description: 'Tell what would be deleted' }),
    versionId: z
      .string()
      .optional()
      .meta({ title: 'Version id', description: 'Delete this version for good' }),
  }),
  output: z.object({
    bucket: z.string(),
    deleted: z.int(),
    dryRun: z.boolean(),
    items: z.array(z.object({ key: z.string().meta({ title: 'Key' }) })),
  }),
  run: async (context: S3ActionContext, input, emit) => {
    const many = input.recursive || input.uploads
    const { bucket, key } = locate(context, input.path, input.bucket, { key: many ? 'optional' : 'required' })
    if (many && key === '' && !input.everything)
      throw new ConnectorError('config', `All of bucket ${bucket} would be deleted.`, {
        code: 'WholeBucket',
        hint: 'Give a prefix, or confirm it with everything (--everything).',
      })
    const items: { key: string }[] = []
    const meter = createMeter(context, key)
    let deleted = 0
    const note = async (name: string): Promise<void> => {
      deleted++
      meter.done(name)
      if (emit) await emit({ key: name })
      else items.push({ key: name })
    }
    if (input.uploads) await abortUploads(context, bucket, key, input.dryRun, note)
    else if (input.recursive) await deleteAll(context, bucket, key, input.dryRun, note)
    else {
      if (!input.dryRun)
        await writerOf(context, bucket).deleteObject(key, {
          signal: context.signal,
          versionId: input.versionId,
        })
      await note(key)
    }
    return { bucket, deleted, dryRun: input.dryRun, items }
  },
})

type Note = (key: string) => Promise<void>

const deleteAll = async (
  context: S3ActionContext,
  bucket: string,
  prefix: string,
  dryRun: boolean,
  note: Note,
): Promise<void> => {
  const { signal } = context
  async function* keys(): AsyncGenerator<string> {
    for await (const { entries } of readerOf(context, bucket).list({ prefix, signal }))
      for (const { key } of entries) yield key
  }
  if (dryRun) {
    for await (const key of keys()) await note(key)
    return
  }
  let noted: Promise<void> = Promise.resolve()
  const { deleted, failed } = await writerOf(context, bucket).deleteObjects(keys(), {
    signal,
    onDeleted: (batch) => {
      noted = noted.then(async () => {
        for (const key of batch) await note(key)
      })
    },
  })
  await noted
  const failures = failed.map(({ key, code, message }) => ({
    item: key,
    error: new ConnectorError(code === 'AccessDenied' ? 'permission' : 'conflict', message, {
      code,
      place: { object: `s3://${bucket}/${key}` },
    }),
  }))
  const error = failedSome(failures, deleted + failed.length)
  if (error) throw error
}

const abortUploads = async (
  context: S3ActionContext,
  bucket: string,
  prefix: string,
  dryRun: boolean,
  note: Note,
): Promise<void> => {
  const access = writerOf(context, bucket)
  const { signal } = context
  for await (const uploads of access.listUploads({ prefix, signal }))
    for (const { key, uploadId } of uploads) {
      if (!dryRun) await access.abortUpload(key, uploadId, { signal })
      await note(key)
    }
}
