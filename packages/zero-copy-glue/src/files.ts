import { type AwsAuthentication, openS3, type S3Access, type S3Entry } from '@penstock/aws'
import type { RangedFile } from '@penstock/core'
import type { FileReader } from '@penstock/iceberg'
import type { ZeroCopyContext } from './config.ts'
import { parseLocation } from './location.ts'

/** Access to the files of tables, in whichever buckets they are. */
export interface TableFiles extends FileReader {
  /** Objects below a location, in pages. */
  list(location: string, options: { readonly signal: AbortSignal }): AsyncIterable<readonly S3Entry[]>
  /** An object of a listing: read at the version that was listed. */
  listed(entry: S3Entry): RangedFile
}

/** Opens the files with some credentials. Sockets are closed when this use of the connection ends. */
export const openFiles = (
  context: ZeroCopyContext,
  auth: AwsAuthentication,
  retry: { readonly attempts?: number } = {},
): TableFiles => {
  const { config, signal, clock, concurrency, defer } = context
  const buckets = new Map<string, S3Access>()

  const accessOf = (bucket: string): S3Access => {
    const open = buckets.get(bucket)
    if (open) return open
    const { endpoint, forcePathStyle, allowInsecure, stsEndpoint, maxAttempts } = config
    const access = openS3({
      config: {
        region: config.s3Region ?? config.region,
        bucket,
        endpoint,
        forcePathStyle,
        allowInsecure,
        stsEndpoint,
      },
      auth,
      access: 'read-only',
      signal,
      clock,
      ...(concurrency === undefined ? {} : { concurrency }),
      retry: { ...(maxAttempts === undefined ? {} : { attempts: maxAttempts }), ...retry },
    })
    buckets.set(bucket, access)
    defer(() => access.close())
    return access
  }

  return Object.freeze({
    read: (path, options) => {
      const { bucket, key } = parseLocation(path)
      return accessOf(bucket).fetch(key, options)
    },
    open: (path, size) => {
      const { bucket, key } = parseLocation(path)
      // Files of Iceberg never change, so there is no version to compare with, and no request to learn of one.
      const entry = { container: bucket, key, version: '', size, modified: 0 }
      const file = accessOf(bucket).file(entry)
      // Its name is that of its bytes, at this store.
      const version = `immutable at ${config.endpoint ?? 'aws'}`
      return { url: file.url, size, version, read: file.read }
    },
    async *list(location, options) {
      const { bucket, key } = parseLocation(location)
      const prefix = key === '' || key.endsWith('/') ? key : `${key}/`
      for await (const { entries } of accessOf(bucket).list({ prefix, ...options })) yield entries
    },
    listed: (entry) => {
      const file = accessOf(entry.container).file(entry)
      return { url: file.url, size: entry.size, version: entry.version, read: file.read }
    },
  } satisfies TableFiles)
}
