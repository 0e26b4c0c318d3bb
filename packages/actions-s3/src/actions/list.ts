import type { S3Access, S3Entry } from '@penstock/aws'
import { defineAction } from '@penstock/core'
import { z } from 'zod'
import { readerOf } from '../access.ts'
import type { S3ActionContext } from '../config.ts'
import { bucketField, locate } from '../location.ts'

const prefixField = z.string().optional().meta({
  title: 'Prefix',
  description:
    'Prefix, or s3://bucket/prefix (default: the whole bucket). By the letter: "a" finds "ab" as well',
})

const limitField = z.int().min(1).optional().meta({ title: 'Limit', description: 'At most so many' })

const fileItem = z.object({
  modified: z.iso.datetime().meta({ title: 'Modified' }),
  size: z.int().meta({ title: 'Size', unit: 'bytes' }),
  storageClass: z.string().optional().meta({ title: 'Class' }),
  etag: z.string().meta({ title: 'ETag', wide: true }),
  key: z.string().meta({ title: 'Key' }),
})

const itemOf = (entry: S3Entry): z.output<typeof fileItem> => ({
  modified: new Date(entry.modified).toISOString(),
  size: entry.size,
  ...(entry.storageClass === undefined ? {} : { storageClass: entry.storageClass }),
  etag: entry.version,
  key: entry.key,
})

const list = (
  access: S3Access,
  context: S3ActionContext,
  prefix: string,
  limit: number | undefined,
  delimiter?: string,
) =>
  access.list({
    prefix,
    delimiter,
    ...(limit !== undefined && limit < 1000 ? { pageSize: limit } : {}),
    signal: context.signal,
  })

/** Hands items out up to a limit: to `emit` as they come, else to a list. */
const collect = async <Item>(
  pages: AsyncIterable<readonly Item[]>,
  limit: number | undefined,
  emit: ((item: unknown) => Promise<void>) | undefined,
): Promise<{ items: Item[]; count: number; truncated: boolean }> => {
  const items: Item[] = []
  let count = 0
  for await (const page of pages) {
    for (const item of page) {
      if (count === limit) return { items, count, truncated: true }
      count++
      if (emit) await emit(item)
      else items.push(item)
    }
  }
  return { items, count, truncated: false }
}

export const listFiles = defineAction({
  title: 'List objects',
  description: 'Lists all objects whose key begins with a prefix, in the order of their UTF-8 bytes.',
  aliases: ['ls'],
  arguments: ['prefix'],
  readOnly: true,
  examples: [{ description: 'All of a folder', input: { prefix: 's3://lake/orders/2024/' } }],
  input: z.strictObject({ prefix: prefixField, bucket: bucketField, limit: limitField }),
  output: z.object({
    bucket: z.string(),
    prefix: z.string(),
    count: z.int(),
    bytes: z.int().meta({ unit: 'bytes' }),
    truncated: z.boolean().meta({ description: 'True when the limit left some out' }),
    files: z.array(fileItem),
  }),
  list: 'files',
  run: async (context: S3ActionContext, input, emit) => {
    const { bucket, key: prefix } = locate(context, input.prefix ?? '', input.bucket, { key: 'optional' })
    const access = readerOf(context, bucket)
    let bytes = 0
    async function* pages() {
      for await (const { entries } of list(access, context, prefix, input.limit)) yield entries.map(itemOf)
    }
    const counted = (item: unknown): void => {
      bytes += (item as { size: number }).size
    }
    const { items: files, ...found } = await collect(
      pages(),
      input.limit,
      emit &&
        (async (item) => {
          counted(item)
          await emit(item)
        }),
    )
    for (const file of files) counted(file)
    return { bucket, prefix, bytes, ...found, files }
  },
})

export const listFolders = defineAction({
  title: 'List folders',
  description:
    'Lists the folders right below a prefix: what the keys have in common up to the next slash. "a/" lists the folders in a, "a" those that begin with an a.',
  aliases: ['folders'],
  arguments: ['prefix'],
  readOnly: true,
  examples: [{ description: 'Folders in a folder', input: { prefix: 's3://lake/orders/' } }],
  input: z.strictObject({
    prefix: prefixField,
    bucket: bucketField,
    limit: limitField,
    delimiter: z.string().min(1).default('/').meta({ title: 'Delimiter', description: 'What ends a folder' }),
  }),
  output: z.object({
    bucket: z.string(),
    prefix: z.string(),
    count: z.int(),
    truncated: z.boolean().meta({ description: 'True when the limit left some out' }),
    folders: z.array(z.object({ prefix: z.string().meta({ title: 'Folder' }) })),
  }),
  list: 'folders',
  run: async (context: S3ActionContext, input, emit) => {
    const { bucket, key: prefix } = locate(context, input.prefix ?? '', input.bucket, { key: 'optional' })
    const access = readerOf(context, bucket)
    async function* pages() {
      for await (const page of list(access, context, prefix, undefined, input.delimiter))
        yield page.prefixes.map((folder) => ({ prefix: folder }))
    }
    const { items: folders, ...found } = await collect(pages(), input.limit, emit)
    return { bucket, prefix, ...found, folders }
  },
})
