import type { S3Entry } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import type { TableFiles } from '../files.ts'
import { parseLocation } from '../location.ts'
import type { Partition } from './partitions.ts'

/** Locations that are listed at the same time. */
const listingsAtOnce = 64
/** From so many on they are first looked for in one listing of the folder above them. */
const commonListingFrom = 4

/** A listing that has begun: of a folder that is likely to hold all partitions that are read. */
export interface ListingAhead {
  readonly folder: string
  readonly pages: AsyncIterator<readonly S3Entry[]>
  /** The first page; undefined when the folder may not be listed. */
  readonly first: Promise<IteratorResult<readonly S3Entry[]> | undefined>
  /** Ends it: it is not needed. */
  stop(): void
}

/** Begins to list a folder while the partitions are still asked for: one round of requests less. */
export const listAhead = (files: TableFiles, location: string, signal: AbortSignal): ListingAhead => {
  const stopping = new AbortController()
  const pages = files
    .list(location, { signal: AbortSignal.any([signal, stopping.signal]) })
    [Symbol.asyncIterator]()
  const first = pages.next().catch((error: unknown) => {
    if (isDenied(error)) return undefined
    throw error
  })
  first.catch(() => {})
  const stop = () => {
    stopping.abort()
    void pages.return?.().catch(() => {})
  }
  return { folder: folderOf(location), pages, first, stop }
}

const isDenied = (error: unknown): boolean => ConnectorError.isInstance(error) && error.kind === 'permission'

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
  ahead?: ListingAhead,
): Promise<{ readonly listed: readonly Listed[]; readonly requests: number }> => {
  const rounds = Math.ceil(partitions.length / listingsAtOnce)
  const isAhead = ahead !== undefined && partitions.length > 0 && holdsAll(ahead.folder, partitions)
  if (!isAhead) ahead?.stop()
  const folder = partitions.length < commonListingFrom ? undefined : commonFolder(partitions)
  const begun = isAhead ? ahead : folder === undefined ? undefined : listAhead(files, folder, signal)
  const isOwn = partitions.every((partition) => folderOfPartition(partition) === begun?.folder)
  const common = begun && (await listCommon(begun, isOwn ? Number.POSITIVE_INFINITY : rounds))
  const unused = ahead && !isAhead ? 1 : 0
  if (common?.entries)
    return { listed: assign(partitions, common.entries), requests: common.requests + unused }
  let requests = (common?.requests ?? 0) + unused
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

/** Partitions that are looked into for a first file. */
const lookedInto = 4

/**
 * Some data files of partitions: those of the first page of a listing, where it has any, or of the first partitions. No
 * files at all say nothing.
 */
export const listSome = async (
  files: TableFiles,
  partitions: readonly Partition[],
  signal: AbortSignal,
  ahead?: ListingAhead,
): Promise<{ readonly listed: readonly Listed[]; readonly requests: number }> => {
  const page = ahead && holdsAll(ahead.folder, partitions) ? await ahead.first : undefined
  ahead?.stop()
  const requests = ahead ? 1 : 0
  const listed = page && !page.done ? assign(partitions, page.value.filter(isData)) : []
  if (listed.some(({ entries }) => entries.length > 0)) return { listed, requests }
  const first = partitions.slice(0, lookedInto)
  const found = await Promise.all(
    first.map(async (partition): Promise<Listed> => {
      const { location } = partition.storage
      if (location === undefined) return { partition, entries: [] }
      for await (const entries of files.list(location, { signal }))
        return { partition, entries: entries.filter(isData) }
      return { partition, entries: [] }
    }),
  )
  return { listed: found, requests: requests + first.length }
}

/** Hive passes over files whose names begin with `_` or `.`, and over folder markers. */
const isData = ({ key, size }: S3Entry): boolean => size > 0 && !/(^|\/)[_.][^/]*$|_\$folder\$$/.test(key)

/** Location as `bucket/` and `prefix/`. */
const folderOf = (location: string): string => {
  const { bucket, key } = parseLocation(location)
  return `${bucket}/${key}`.replace(/\/*$/, '/')
}

const folderOfPartition = ({ storage }: Partition): string | undefined =>
  storage.location === undefined ? undefined : folderOf(storage.location)

const holdsAll = (folder: string, partitions: readonly Partition[]): boolean =>
  partitions.every((partition) => folderOfPartition(partition)?.startsWith(folder) ?? true)

/** The deepest folder of one bucket that all locations lie in; undefined where that would be the bucket itself. */
const commonFolder = (partitions: readonly Partition[]): string | undefined => {
  let common: readonly string[] | undefined
  for (const partition of partitions) {
    const levels = folderOfPartition(partition)?.split('/').slice(0, -1)
    if (!levels) continue
    const known = common ?? levels
    const end = known.findIndex((level, index) => level !== levels[index])
    common = end < 0 ? known : known.slice(0, end)
  }
  return common && common.length > 1 ? `s3://${common.join('/')}/` : undefined
}

/** The entries of a folder; undefined when they take more pages than that, or when only its parts may be listed. */
const listCommon = async (
  { pages, first, stop }: ListingAhead,
  maxPages: number,
): Promise<{ readonly entries: readonly S3Entry[] | undefined; readonly requests: number }> => {
  const entries: S3Entry[] = []
  let requests = 1
  try {
    for (let page = await first; page && !page.done; page = await pages.next(), requests++) {
      if (requests > maxPages) {
        stop()
        return { entries: undefined, requests }
      }
      entries.push(...page.value.filter(isData))
    }
    return { entries: (await first) && entries, requests: Math.max(1, requests - 1) }
  } catch (error) {
    if (isDenied(error)) return { entries: undefined, requests }
    throw error
  }
}

/** Each entry to all partitions whose folders it lies in. */
const assign = (partitions: readonly Partition[], entries: readonly S3Entry[]): readonly Listed[] => {
  const listed = partitions.map((partition) => ({ partition, entries: [] as S3Entry[] }))
  const byFolder = new Map<string, S3Entry[][]>()
  for (const { partition, entries } of listed) {
    const folder = folderOfPartition(partition)
    if (folder !== undefined) byFolder.set(folder, [...(byFolder.get(folder) ?? []), entries])
  }
  for (const entry of entries) {
    const path = `${entry.container}/${entry.key}`
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      for (const found of byFolder.get(path.slice(0, end + 1)) ?? []) found.push(entry)
  }
  return listed
}
