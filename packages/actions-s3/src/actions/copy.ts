import type { S3CopyOptions, S3Entry } from '@penstock/aws'
import { ConnectorError, defineAction } from '@penstock/core'
import { z } from 'zod'
import { readerOf, writerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { baseName, folderPrefix, type Location, locate, urlOf } from '../location.ts'
import { objectFields, objectOptions } from '../object-options.ts'
import { defaultParallel, failedSome, forEachParallel } from '../parallel.ts'
import { createMeter } from '../progress.ts'

const input = z.strictObject({
  from: z.string().min(1).meta({ title: 'Source', description: 'Key, prefix, or s3://bucket/key' }),
  to: z.string().min(1).meta({
    title: 'Target',
    description: 'Key, or s3://bucket/key; with a slash at the end a folder',
  }),
  recursive: z
    .boolean()
    .default(false)
    .meta({ title: 'Recursive', description: 'Take all objects of the folder' }),
  dryRun: z.boolean().default(false).meta({ title: 'Dry run', description: 'Tell what would be done' }),
  ...objectFields,
  ifNoneMatch: z
    .literal('*')
    .optional()
    .meta({ title: 'If none match', description: '*: overwrite nothing' }),
})

type Input = z.output<typeof input>

const output = z.object({
  count: z.int(),
  bytes: z.int().meta({ unit: 'bytes' }),
  dryRun: z.boolean(),
  items: z.array(
    z.object({
      size: z.int().meta({ title: 'Size', unit: 'bytes' }),
      from: z.string().meta({ title: 'From' }),
      to: z.string().meta({ title: 'To' }),
    }),
  ),
})

export const copy = defineAction({
  title: 'Copy objects',
  description:
    'Copies an object, or with recursive a folder, within S3: the bytes do not come here. It is the version that was listed, or an error. What S3 keeps with the object comes along, unless it is given anew.',
  aliases: ['cp'],
  arguments: ['from', 'to'],
  idempotent: true,
  examples: [
    { description: 'To another bucket', input: { from: 's3://lake/orders.csv', to: 's3://archive/2024/' } },
    {
      description: 'A folder, to colder storage',
      input: { from: 's3://lake/logs/', to: 's3://archive/logs/', recursive: true, storageClass: 'GLACIER' },
    },
  ],
  input,
  output,
  run: (context: S3ActionContext, given, emit) => transferAll(context, given, false, emit),
})

export const move = defineAction({
  title: 'Move objects',
  description:
    'Copies an object, or with recursive a folder, and then deletes it where it was, if it is still the one that was copied.',
  aliases: ['mv'],
  arguments: ['from', 'to'],
  examples: [{ description: 'Another name', input: { from: 's3://lake/a.csv', to: 's3://lake/b.csv' } }],
  input,
  output,
  run: (context: S3ActionContext, given, emit) => transferAll(context, given, true, emit),
})

interface Step {
  readonly entry: S3Entry
  readonly to: Location
}

const transferAll = async (
  context: S3ActionContext,
  given: Input,
  move: boolean,
  emit: ((item: unknown) => Promise<void>) | undefined,
): Promise<z.output<typeof output>> => {
  const items: z.output<typeof output>['items'] = []
  const meter = createMeter(context, given.from)
  let count = 0
  let bytes = 0
  const { recursive, dryRun } = given
  const steps = recursive ? folderSteps(context, given) : objectStep(context, given)
  const parallel = context.concurrency ?? defaultParallel
  const failures = await forEachParallel(
    steps,
    parallel,
    ({ entry }) => entry.key,
    async ({ entry, to }) => {
      const from = { bucket: entry.container, key: entry.key }
      if (urlOf(from) === urlOf(to) && move)
        throw new ConnectorError('config', `${urlOf(from)} can't be moved onto itself.`, {
          code: 'SameObject',
          hint: 'Give another target.',
        })
      meter.plan(entry.size)
      if (!dryRun) {
        await copyOne(context, entry, to, given, meter.bytes)
        if (move)
          await writerOf(context, from.bucket).deleteObject(from.key, {
            signal: context.signal,
            ifMatch: entry.version,
          })
      }
      count++
      bytes += entry.size
      meter.done(entry.key)
      const item = { size: entry.size, from: urlOf(from), to: urlOf(to) }
      if (emit) await emit(item)
      else items.push(item)
    },
  )
  const error = failedSome(failures, count + failures.length)
  if (error) throw error
  return { count, bytes, dryRun, items }
}

const copyOne = async (
  context: S3ActionContext,
  entry: S3Entry,
  { bucket, key }: Location,
  given: Input,
  onBytes: (bytes: number) => void,
): Promise<void> => {
  const { signal } = context
  const reader = readerOf(context, entry.container)
  const options: S3CopyOptions = {
    ...objectOptions(given),
    ifNoneMatch: given.ifNoneMatch,
    signal,
    onBytes,
    head: () => reader.head(entry.key, { signal }),
    sourceTags: () => reader.tags(entry.key, { signal }),
  }
  await writerOf(context, bucket).copyObject(entry, key, options)
}

async function* objectStep(context: S3ActionContext, given: Input): AsyncGenerator<Step> {
  const from = locate(context, given.from, undefined)
  const target = locate(context, given.to, undefined, { key: 'optional' })
  const isFolder = target.key === '' || target.key.endsWith('/')
  const name = isFolder ? baseName(from.key) : ''
  const { entry } = await readerOf(context, from.bucket).head(from.key, { signal: context.signal })
  yield { entry, to: locate(context, urlOf({ bucket: target.bucket, key: target.key + name }), undefined) }
}

async function* folderSteps(context: S3ActionContext, given: Input): AsyncGenerator<Step> {
  const from = locate(context, given.from, undefined, { key: 'optional' })
  const to = locate(context, given.to, undefined, { key: 'optional' })
  const source = folderPrefix(from.key)
  const target = folderPrefix(to.key)
  if (from.bucket === to.bucket && target.startsWith(source))
    throw new ConnectorError('config', 'The target is within the source: it would never end.', {
      code: 'Overlap',
      hint: 'Choose a target beside the source.',
    })
  const { signal } = context
  for await (const { entries } of readerOf(context, from.bucket).list({ prefix: source, signal }))
    for (const entry of entries)
      yield { entry, to: { bucket: to.bucket, key: `${target}${entry.key.slice(source.length)}` } }
}
