import type { S3Entry } from '@penstock/aws'
import { ConnectorError, type FileEntry } from '@penstock/core'
import { quoted } from './keys.ts'

/** The entries of one table out of a listing of many tables. */
export interface TableGroup {
  readonly name: string
  /** Prefix that all of its keys share. */
  readonly prefix: string
  /** Undefined when all tables together have more entries than are kept in memory: the table lists for itself then. */
  readonly entries: readonly S3Entry[] | undefined
}

interface GroupOptions {
  readonly nameOf: (key: string) => string
  /** Makes the check that the entries of one table pass, in order. */
  readonly createCheck: () => (entry: FileEntry) => void
  /** Entries of each table. */
  readonly maxObjects: number | undefined
  /** Entries that are kept at most, of all tables together. */
  readonly keep?: number | undefined
}

/** About 50 MB of entries. */
const defaultKeep = 200_000

interface Group {
  readonly name: string
  readonly firstKey: string
  lastKey: string
  entries: S3Entry[]
  count: number
  readonly check: (entry: FileEntry) => void
}

/** Sorts one listing into tables by the name that each key gives, in the order of their first keys. */
export const groupEntries = async (
  pages: AsyncIterable<readonly S3Entry[]>,
  options: GroupOptions,
): Promise<TableGroup[]> => {
  const { maxObjects = Number.POSITIVE_INFINITY, keep = defaultKeep } = options
  const groups = new Map<string, Group>()
  let kept = 0
  for await (const page of pages) {
    for (const entry of page) {
      const group = groupOf(groups, options, entry)
      if (group.count >= maxObjects) continue
      group.check(entry)
      group.lastKey = entry.key
      group.count++
      kept++
      if (kept <= keep) group.entries.push(entry)
      else if (kept === keep + 1) for (const other of groups.values()) other.entries = []
    }
  }
  return [...groups.values()].map(({ name, firstKey, lastKey, entries }) => ({
    name,
    prefix: commonPrefix(firstKey, lastKey),
    entries: kept <= keep ? entries : undefined,
  }))
}

const groupOf = (groups: Map<string, Group>, options: GroupOptions, { key }: S3Entry): Group => {
  const name = options.nameOf(key)
  // SQL compares names without case: `Orders` and `orders` would be one table.
  const existing = groups.get(name.toLowerCase())
  if (!existing) {
    const group = { name, firstKey: key, lastKey: key, entries: [], count: 0, check: options.createCheck() }
    groups.set(name.toLowerCase(), group)
    return group
  }
  if (existing.name === name) return existing
  throw new ConnectorError(
    'config',
    `${quoted(existing.firstKey)} and ${quoted(key)} give table names that differ by case alone: "${existing.name}" and "${name}".`,
    {
      code: 'SameTableName',
      hint: 'Leave one of them out with --exclude, or extract them apart.',
      place: { object: key },
    },
  )
}

/** Keys between two keys, in order, share what the two share. */
const commonPrefix = (first: string, last: string): string => {
  let length = 0
  while (length < first.length && first[length] === last[length]) length++
  // Half of a character can't be sent.
  if (/[\uD800-\uDBFF]/.test(first[length - 1] ?? '')) length--
  return first.slice(0, length)
}
