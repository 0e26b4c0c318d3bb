import type { HeadOptions, S3Head } from './access.ts'
import type { S3Client } from './client.ts'

const metadataPrefix = 'x-amz-meta-'

/** ETag without quotes, and without the mark of a weak one. */
export const plainETag = (value: string | undefined): string =>
  (value ?? '').replace(/^W\//, '').replace(/^"|"$/g, '')

/** HeadObject. A missing object is `not-found`; without s3:ListBucket AWS answers 403 to it. */
export const headObject = async (
  client: S3Client,
  key: string,
  options: HeadOptions = {},
): Promise<S3Head> => {
  const signal = client.signals(options.signal)
  const { versionId, checksum } = options
  const action = versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'
  const context = client.context('HeadObject', action, key)
  const query = versionId === undefined ? {} : { versionId }
  const sent = checksum ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
  return client.retrying(context, { signal }, () =>
    client.attempt({ method: 'HEAD', query, headers: sent, signal }, context, async ({ headers, body }) => {
      await body.dump()
      return readHead(client.bucket, key, headers)
    }),
  )
}

/** What the headers of an answer tell about an object. */
export const readHead = (bucket: string, key: string, headers: Readonly<Record<string, string>>): S3Head => {
  const modified = Date.parse(headers['last-modified'] ?? '')
  const storageClass = headers['x-amz-storage-class']
  const tags = headers['x-amz-tagging-count']
  const named = {
    contentType: headers['content-type'],
    contentEncoding: headers['content-encoding'],
    contentDisposition: headers['content-disposition'],
    contentLanguage: headers['content-language'],
    cacheControl: headers['cache-control'],
    expires: headers.expires,
    encryption: headers['x-amz-server-side-encryption'],
    kmsKeyId: headers['x-amz-server-side-encryption-aws-kms-key-id'],
    checksum: checksumOf(headers),
  }
  return {
    entry: {
      container: bucket,
      key,
      version: plainETag(headers.etag),
      ...versionOf(headers['x-amz-version-id']),
      size: Number(headers['content-length'] ?? 0),
      modified: Number.isNaN(modified) ? 0 : modified,
      ...(storageClass === undefined || storageClass === 'STANDARD' ? {} : { storageClass }),
    },
    ...(Object.fromEntries(
      Object.entries(named).filter(([, value]) => value !== undefined),
    ) as Partial<S3Head>),
    ...(tags === undefined ? {} : { tags: Number(tags) }),
    ...(headers['x-amz-restore']?.includes('ongoing-request="false"') ? { restored: true } : {}),
    metadata: Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => name.startsWith(metadataPrefix))
        .map(([name, value]) => [name.slice(metadataPrefix.length), value]),
    ),
  }
}

const checksumHeader = /^x-amz-checksum-(?!type$|algorithm$)(.+)$/

const checksumOf = (headers: Readonly<Record<string, string>>): string | undefined => {
  for (const [name, value] of Object.entries(headers)) {
    const algorithm = checksumHeader.exec(name)?.[1]
    if (algorithm !== undefined) return `${algorithm.toUpperCase()}:${value}`
  }
  return undefined
}

/** `null` is the version id of an object that was written before versioning. */
export const versionOf = (id: string | undefined): { versionId?: string } =>
  id === undefined || id === 'null' ? {} : { versionId: id }
