import type { S3Head } from './access.ts'
import type { S3Client } from './client.ts'

const metadataPrefix = 'x-amz-meta-'

/** ETag without quotes, and without the mark of a weak one. */
export const plainETag = (value: string | undefined): string =>
  (value ?? '').replace(/^W\//, '').replace(/^"|"$/g, '')

/** HeadObject. A missing object is `not-found`; without s3:ListBucket AWS answers 403 to it. */
export const headObject = async (
  client: S3Client,
  key: string,
  options: { signal?: AbortSignal } = {},
): Promise<S3Head> => {
  const signal = client.signals(options.signal)
  const context = client.context('HeadObject', 's3:GetObject', key)
  return client.retrying(context, { signal }, () =>
    client.attempt({ method: 'HEAD', signal }, context, async ({ headers, body }) => {
      await body.dump()
      const modified = Date.parse(headers['last-modified'] ?? '')
      const { 'content-type': contentType, 'content-encoding': contentEncoding } = headers
      const storageClass = headers['x-amz-storage-class']
      return {
        entry: {
          container: client.bucket,
          key,
          version: plainETag(headers.etag),
          ...versionOf(headers['x-amz-version-id']),
          size: Number(headers['content-length'] ?? 0),
          modified: Number.isNaN(modified) ? 0 : modified,
          ...(storageClass === undefined || storageClass === 'STANDARD' ? {} : { storageClass }),
        },
        ...(contentType === undefined ? {} : { contentType }),
        ...(contentEncoding === undefined ? {} : { contentEncoding }),
        ...(headers['x-amz-restore']?.includes('ongoing-request="false"') ? { restored: true } : {}),
        metadata: Object.fromEntries(
          Object.entries(headers)
            .filter(([name]) => name.startsWith(metadataPrefix))
            .map(([name, value]) => [name.slice(metadataPrefix.length), value]),
        ),
      }
    }),
  )
}

/** `null` is the version id of an object that was written before versioning. */
const versionOf = (id: string | undefined): { versionId?: string } =>
  id === undefined || id === 'null' ? {} : { versionId: id }
