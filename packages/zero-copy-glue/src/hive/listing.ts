import type { S3Entry } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import type { TableFiles } from '../files.ts'
import { parseLocation } from '../location.ts'
import type { Partition } from './partitions.ts'

/** Locations that are listed at the same time. */
const listingsAtOnce = 64
/** From so many on they are first looked for in one listing of the folder above them. */
const commonListingFrom = 4

export interface Listed {
  readonly partition: Partition
  readonly entries: readonly S3Entry[]
}

/**
 * The data files of partitions, in their order. One listing of the folder that all of them lie in is tried first, for
 * as many pages as listing them one by one would take rounds of requests; a table of up to 1,000 files takes a single
 * request that way, however many partitions it has.
 */
export const listPartitions = async (
  files: TableFiles,
  partitions: readonly Partition[],
  signal: AbortSignal,
): Promise<{ readonly listed: readonly Listed[]; readonly requests: number }> => {
  const rounds = Math.ceil(partitions.length / listingsAtOnce)
  const folder = partitions.length < commonListingFrom ? undefined : commonFolder(partitions)
  const common = folder === undefined ? undefined : await listCommon(files, folder, rounds, signal)
  if (common?.entries) return { listed: assign(partitions, common.entries), requests: common.requests }
  let requests = common?.requests ?? 0
  const listed: Listed[] = partitions.map((partition) => ({ partition, entries: [] }))
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < partitions.length; index = next++) {
      const { partition, entries } = listed[index] as Listed & { readonly entries: S3Entry[] }
      const { location } = partition.storage
      if (location === undefined) continue
      for await (const page of files.list(location, { signal })) {
        requests += 1
        entries.push(...page.filter(isData))
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(listingsAtOnce, partitions.length) }, lane))
  return { listed, requests }
}

/** Hive passes over files whose names begin with `_` or `.`, and over folder markers. */
const isData = ({ key, size }: S3Entry): boolean => size > 0 && !/(^|\/)[_.][^/]*$|_\$folder\$$/.test(key)

/** Location as `bucket/` and `prefix/`. */
const folderOf = ({ storage }: Partition): string | undefined => {
  if (storage.location === undefined) return undefined
  const { bucket, key } = parseLocation(storage.location)
  return `${bucket}/${key}`.replace(/\/*$/, '/')
}

/** The deepest folder of one bucket that all locations lie in; undefined where that would be the bucket itself. */
const commonFolder = (partitions: readonly Partition[]): string | undefined => {
  let common: readonly string[] | undefined
  for (const partition of partitions) {
    const levels = folderOf(partition)?.split('/').slice(0, -1)
    if (!levels) continue
    const known = common ?? levels
    const end = known.findIndex((level, index) => level !== levels[index])
    common = end < 0 ? known : known.slice(0, end)
  }
  return common && common.length > 1 ? `s3://${common.join('/')}/` : undefined
}

/** The entries of a folder; undefined when they take more pages than that, or when only its parts may be listed. */
const listCommon = async (
  files: TableFiles,
  folder: string,
  maxPages: number,
  signal: AbortSignal,
): Promise<{ readonly entries: readonly S3Entry[] | undefined; readonly requests: number }> => {
  const entries: S3Entry[] = []
  let requests = 0
  try {
    for await (const page of files.list(folder, { signal })) {
      requests += 1
      if (requests > maxPages) return { entries: undefined, requests }
      entries.push(...page.filter(isData))
    }
    return { entries, requests }
  } catch (error) {
    if (ConnectorError.isInstance(error) && error.kind === 'permission')
      return { entries: undefined, requests: requests + 1 }
    throw error
  }
}

/** Each entry to all partitions whose folders it lies in. */
const assign = (partitions: readonly Partition[], entries: readonly S3Entry[]): readonly Listed[] => {
  const listed = partitions.map((partition) => ({ partition, entries: [] as S3Entry[] }))
  const byFolder = new Map<string, S3Entry[][]>()
  for (const { partition, entries } of listed) {
    const folder = folderOf(partition)
    if (folder !== undefined) byFolder.set(folder, [...(byFolder.get(folder) ?? []), entries])
  }
  for (const entry of entries) {
    const path = `${entry.container}/${entry.key}`
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      for (const found of byFolder.get(path.slice(0, end + 1)) ?? []) found.push(entry)
  }
  return listed
}
