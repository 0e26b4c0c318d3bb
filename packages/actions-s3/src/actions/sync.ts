import { mkdirSync, rmSync, statSync } from 'node:fs'
import type { S3Access, S3WriteAccess } from '@penstock/aws'
import { ConnectorError, defineAction } from '@penstock/core'
import { z } from 'zod'
import { readerOf, writerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { contentTypeOf } from '../content-type.ts'
import { localError, type TargetFolder, targetFolder } from '../local/folder.ts'
import { saveObject } from '../local/save.ts'
import { folderPrefix, isUrl, locate } from '../location.ts'
import { objectFields, objectOptions } from '../object-options.ts'
import { defaultParallel, failedSome, forEachParallel } from '../parallel.ts'
import { createMeter } from '../progress.ts'
import { keyFilter } from '../sync/filter.ts'
import { planSync, type SyncStep } from '../sync/plan.ts'
import { sendFile } from './upload-file.ts'

const input = z.strictObject({
  from: z.string().min(1).meta({ title: 'Source', description: 'Folder, or s3://bucket/prefix' }),
  to: z.string().min(1).meta({ title: 'Target', description: 's3://bucket/prefix, or folder' }),
  delete: z
    .boolean()
    .default(false)
    .meta({ title: 'Delete', description: 'Delete at the target what the source does not have' }),
  dryRun: z.boolean().default(false).meta({ title: 'Dry run', description: 'Tell what would be done' }),
  include: z.array(z.string()).optional().meta({
    title: 'Include',
    description: 'Only keys that match: *, ?, ** across folders',
    flag: 'include',
  }),
  exclude: z
    .array(z.string())
    .optional()
    .meta({ title: 'Exclude', description: 'Leave out keys that match', flag: 'exclude' }),
  compare: z.enum(['time', 'size', 'checksum']).default('time').meta({
    title: 'Compare',
    description:
      'How files of one size are told apart: the target is older, not at all, or by checksum (reads both)',
  }),
  ...objectFields,
})

type Input = z.output<typeof input>

export const sync = defineAction({
  title: 'Synchronise a folder',
  description:
    'Makes the objects below a prefix equal to the files of a folder, or the other way round: what is new or different is moved, many at a time. Keys become names that stay within the folder.',
  arguments: ['from', 'to'],
  idempotent: true,
  examples: [
    { description: 'Up', input: { from: './site', to: 's3://web/site/', delete: true } },
    {
      description: 'What would come down',
      input: { from: 's3://lake/orders/', to: './orders', dryRun: true },
    },
  ],
  input,
  output: z.object({
    uploaded: z.int(),
    downloaded: z.int(),
    deleted: z.int(),
    bytes: z.int().meta({ unit: 'bytes' }),
    dryRun: z.boolean(),
    items: z.array(
      z.object({
        action: z.enum(['upload', 'download', 'delete']).meta({ title: 'Action' }),
        why: z.string().meta({ title: 'Why' }),
        size: z.int().meta({ title: 'Size', unit: 'bytes' }),
        key: z.string().meta({ title: 'Key' }),
      }),
    ),
  }),
  run: async (context: S3ActionContext, given, emit) => {
    const { direction, folder, bucket, prefix } = sides(context, given)
    const counts = { upload: 0, download: 0, delete: 0 }
    const items: { action: SyncStep['action']; why: string; size: number; key: string }[] = []
    const meter = createMeter(context, given.from)
    let bytes = 0
    const steps = planSync(context, {
      access: readerOf(context, bucket),
      folder,
      prefix,
      direction,
      filter: keyFilter(given.include, given.exclude),
      compare: given.compare,
      remove: given.delete,
    })
    const perform = given.dryRun
      ? async () => {}
      : direction === 'up'
        ? uploading(context, writerOf(context, bucket), {
            bucket,
            prefix,
            given,
            onBytes: meter.bytes,
            plan: meter.plan,
          })
        : downloading(context, readerOf(context, bucket), targetFolder(folder), meter)
    const parallel = context.concurrency ?? defaultParallel
    const failures = await forEachParallel(
      steps,
      parallel,
      ({ key }) => key,
      async (step) => {
        await perform(step)
        counts[step.action]++
        const size = sizeOf(step)
        if (step.action !== 'delete') bytes += size
        meter.done(step.key)
        const item = { action: step.action, why: step.why, size, key: step.key }
        if (emit) await emit(item)
        else items.push(item)
      },
    )
    const done = counts.upload + counts.download + counts.delete
    const error = failedSome(failures, done + failures.length)
    if (error) throw error
    const { upload: uploaded, download: downloaded, delete: deleted } = counts
    return { uploaded, downloaded, deleted, bytes, dryRun: given.dryRun, items }
  },
})

const sizeOf = ({ action, local, remote }: SyncStep): number =>
  (action === 'upload' ? local?.size : (remote?.size ?? local?.size)) ?? 0

const sides = (context: S3ActionContext, { from, to, dryRun }: Input) => {
  if (isUrl(from) === isUrl(to))
    throw new ConnectorError('config', 'One side of a sync is a folder, the other one s3://bucket/prefix.', {
      code: 'Usage',
      hint: 'Between two buckets, copy with recursive.',
    })
  const direction = isUrl(to) ? ('up' as const) : ('down' as const)
  const { bucket, key } = locate(context, isUrl(to) ? to : from, undefined, { key: 'optional' })
  const folder = isUrl(to) ? from : to
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found ? !found.isDirectory() : direction === 'up')
    throw new ConnectorError('not-found', `There is no folder ${folder}.`, {
      code: 'NoFolder',
      hint: 'A single file goes with put and get.',
    })
  if (!found && !dryRun) makeFolder(folder)
  return { direction, folder, bucket, prefix: folderPrefix(key) }
}

const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw localError(error, folder)
  }
}

type Perform = (step: SyncStep) => Promise<void>

const uploading = (
  context: S3ActionContext,
  access: S3WriteAccess,
  options: {
    readonly bucket: string
    readonly prefix: string
    readonly given: Input
    readonly onBytes: (bytes: number) => void
    readonly plan: (bytes: number) => void
  },
): Perform => {
  const { bucket, prefix, given, onBytes, plan } = options
  const { signal } = context
  return async ({ action, key, local }) => {
    if (action === 'delete') return access.deleteObject(prefix + key, { signal })
    if (!local) return
    const contentType = given.contentType ?? contentTypeOf(key)
    const put = { ...objectOptions({ ...given, contentType }), signal, onBytes }
    await sendFile(access, { bucket, key: prefix + key }, local.path, put, plan)
  }
}

const downloading = (
  context: S3ActionContext,
  access: S3Access,
  target: TargetFolder,
  meter: { readonly bytes: (count: number) => void; readonly plan: (bytes: number) => void },
): Perform => {
  const { signal } = context
  return async ({ action, key, local, remote }) => {
    if (action === 'delete') {
      if (local) rmSync(local.path)
      return
    }
    if (!remote) return
    meter.plan(remote.size)
    await saveObject(access, remote, target.place(key), { signal, onBytes: meter.bytes })
  }
}
