import { isArchived, type S3Entry } from '@penstock/aws'
import { detectFormat, fileStem, type TableSummary } from '@penstock/core'
import { describeFormat, formatName } from './format.ts'
import { isMarker, lastSegment } from './keys.ts'

/** What an object can be extracted as. */
export const objectSummary = (entry: S3Entry): TableSummary => {
  const format = detectFormat(entry.key)
  const remarks = [
    ...(isArchived(entry) ? [`archived (${entry.storageClass}): restore it first`] : []),
    ...(format ? [] : ['file type not known from its name: say it with --format']),
  ]
  return {
    name: fileStem(entry.key),
    ...(remarks.length > 0 && { description: remarks.join('; ') }),
    selection: { object: entry.key },
    ...(format && { format: describeFormat(format) }),
    objects: 1,
    bytes: entry.size,
  }
}

/** A folder while it is counted. */
export interface FolderCount {
  readonly prefix: string
  objects: number
  bytes: number
  archived: number
  unknown: number
  /** True when there is more in it than was counted. */
  more: boolean
  /** Formats by their types, with compressions: csv -> csv, csv.gz. */
  readonly formats: Map<string, Set<string>>
  add(entry: S3Entry): void
}

export const emptyFolder = (prefix: string): FolderCount => ({
  prefix,
  objects: 0,
  bytes: 0,
  archived: 0,
  unknown: 0,
  more: false,
  formats: new Map(),
  add(entry) {
    if (isMarker(entry)) return
    this.objects++
    this.bytes += entry.size
    if (isArchived(entry)) this.archived++
    const format = detectFormat(entry.key)
    if (!format) {
      this.unknown++
      return
    }
    const type = formatName(format)
    const known = this.formats.get(type)
    if (known) known.add(describeFormat(format))
    else this.formats.set(type, new Set([describeFormat(format)]))
  },
})

/** What a folder can be extracted as. Counts that are not complete are told in words, not as numbers. */
export const folderSummary = (folder: FolderCount, limit: number): TableSummary => {
  const { prefix, objects, bytes, more } = folder
  const remarks = remarksOf(folder, limit)
  const types = [...folder.formats.keys()].sort()
  const variants = [...(folder.formats.get(types[0] ?? '') ?? [])]
  const format = types.length > 1 ? 'mixed' : variants.length === 1 ? variants[0] : types[0]
  return {
    name: lastSegment(prefix),
    ...(remarks.length > 0 && { description: remarks.join('; ') }),
    ...((objects > 0 || more) && { selection: { folder: prefix } }),
    ...(format !== undefined && { format }),
    ...(!more && { objects, bytes }),
  }
}

const remarksOf = ({ objects, archived, unknown, more, formats }: FolderCount, limit: number): string[] => {
  const remarks: string[] = []
  if (more) remarks.push(objects >= limit ? `${limit.toLocaleString('en')}+ objects` : 'not counted')
  else if (objects === 0) remarks.push('no objects')
  if (formats.size > 1)
    remarks.push(`file types ${[...formats.keys()].sort().join(', ')}: choose one with --glob or --exclude`)
  if (unknown > 0)
    remarks.push(
      `${unknown === objects ? 'type' : `type of ${unknown}`} not known from the name: say --format, or leave out with --exclude`,
    )
  if (archived > 0) remarks.push(`${archived} archived`)
  return remarks
}
