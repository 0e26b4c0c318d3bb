import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { DownloadOptions, S3Access } from '@penstock/aws'
import type { FileEntry } from '@penstock/core'

/** Up to this size a download is too short to be worth going on with. */
const resumableBytes = 8 << 20

/** Where a download grows: hidden, next to its target, and another one for each version of the object. */
const partPath = (target: string, { container, key, version }: FileEntry): string => {
  const id = createHash('sha256')
    .update(JSON.stringify([container, key, version]))
    .digest('hex')
    .slice(0, 12)
  return join(dirname(target), `.${basename(target).slice(0, 200)}.penstock-${id}`)
}

/**
 * Downloads an object to its place: next to it first, then renamed, so that the file there is the old or the new one
 * at any moment. Large ones go on where a former try was cut off. The file gets the time of the object.
 */
export const saveObject = async (
  access: S3Access,
  entry: FileEntry,
  target: string,
  options: DownloadOptions = {},
): Promise<void> => {
  const part = partPath(target, entry)
  const place = { path: target, modified: entry.modified }
  await access.file(entry).download(part, { ...options, resume: entry.size > resumableBytes, place })
}
