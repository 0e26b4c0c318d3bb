import type { S3Access, S3Entry, S3Page } from '@penstock/aws'
import type { TableSummary } from '@penstock/core'
import { accessOf } from './access.ts'
import type { S3Context } from './config.ts'
import { isExportNote, isMarker, plainKey, requireInside } from './keys.ts'
import { emptyFolder, type FolderCount, folderSummary, objectSummary } from './summary.ts'

/** Keys that are counted of one folder, and of all folders of a level together. */
export interface CountLimits {
  readonly folder: number
  readonly level: number
}

const defaultLimits: CountLimits = { folder: 10_000, level: 100_000 }

/**
 * Objects and folders at the level of a prefix, each with the selection that extracts it. `shop/` is what lies in that
 * folder, `sh` what begins with these letters.
 */
export async function* listLevel(
  context: S3Context,
  options: { prefix?: string },
  limits: CountLimits = defaultLimits,
): AsyncGenerator<TableSummary> {
  const { config, signal } = context
  const given = plainKey(options.prefix ?? '', config.bucket).replace(/^\/$/, '')
  const prefix = config.prefix?.startsWith(given) ? config.prefix : given
  requireInside(prefix, config)
  let folder: FolderCount | undefined
  for await (const item of walkLevel(accessOf(context), prefix, limits, signal)) {
    if (item.folder !== undefined && isExportNote(item.folder)) continue
    if (folder && folder.prefix !== item.folder) {
      yield folderSummary(folder, limits.folder)
      folder = undefined
    }
    if (item.folder === undefined) {
      if (item.entry && !isMarker(item.entry)) yield objectSummary(item.entry)
      continue
    }
    folder ??= emptyFolder(item.folder)
    if (!item.entry) folder.more = true
    else folder.add(item.entry)
  }
  if (folder) yield folderSummary(folder, limits.folder)
}

/** An object at the level, an object in one of its folders, or, without `entry`, the rest of such a folder. */
interface LevelItem {
  readonly folder: string | undefined
  readonly entry: S3Entry | undefined
}

/**
 * One recursive listing in key order, which tells all folders at once. A folder beyond its limit is skipped; once the
 * level's limit is reached, folders are listed without what is in them.
 */
async function* walkLevel(
  access: S3Access,
  prefix: string,
  limits: CountLimits,
  signal: AbortSignal,
): AsyncGenerator<LevelItem> {
  const level = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  let counted = 0
  let startAfter: string | undefined
  for (;;) {
    const rollUp = counted >= limits.level
    let goOnAfter: string | undefined
    let current: string | undefined
    let inCurrent = 0
    let lastKey: string | undefined
    const pages = access.list({ prefix, startAfter, signal, ...(rollUp && { delimiter: '/' }) })
    for await (const page of pages) {
      for (const { key, entry } of inOrder(page)) {
        const folder = folderAt(key, level)
        if (folder !== current) {
          current = folder
          inCurrent = 0
          if (!rollUp && counted >= limits.level) {
            goOnAfter = lastKey
            break
          }
        }
        lastKey = key
        if (folder !== undefined && entry && !isMarker(entry)) {
          if (inCurrent === limits.folder && lastKeyOf(folder) !== startAfter) {
            yield { folder, entry: undefined }
            goOnAfter = lastKeyOf(folder)
            break
          }
          inCurrent++
          counted++
        }
        yield { folder, entry }
      }
      if (goOnAfter !== undefined) break
    }
    if (goOnAfter === undefined) return
    startAfter = goOnAfter
  }
}

/** The folder of a key right below a level; undefined for an object at the level itself. */
const folderAt = (key: string, level: string): string | undefined => {
  const slash = key.indexOf('/', level.length)
  return slash === -1 ? undefined : key.slice(0, slash + 1)
}

/** The highest character of all: no key of a folder comes after it. */
const lastKeyOf = (folder: string): string => `${folder}\u{10FFFF}`

/** Entries and folders of a page by UTF-8 bytes, as they would come without a delimiter. */
const inOrder = ({ entries, prefixes }: S3Page): readonly { key: string; entry: S3Entry | undefined }[] => {
  const objects = entries.map((entry) => ({ key: entry.key, entry: entry as S3Entry | undefined }))
  if (prefixes.length === 0) return objects
  const folders = prefixes.map((key) => ({ key, entry: undefined }))
  return [...objects, ...folders]
    .map((item) => ({ item, bytes: Buffer.from(item.key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ item }) => item)
}
