import type { FileEntry } from '@penstock/core'
import type { S3File } from '../s3/access.ts'
import { downloadObject } from './download.ts'
import { fileMatches } from './matches.ts'
import type { TransferContext } from './part.ts'
import { readObject } from './read.ts'

/** Access to the bytes of an object, as it was listed. */
export const remoteFile = (context: TransferContext, entry: FileEntry): S3File =>
  Object.freeze({
    entry,
    url: `s3://${entry.container}/${entry.key}`,
    read: (range, options = {}) => readObject(context, entry, range, options),
    download: (path, options = {}) => downloadObject(context, entry, path, options),
    matches: (path, options) => fileMatches(context.client, entry, path, options),
  } satisfies S3File)
