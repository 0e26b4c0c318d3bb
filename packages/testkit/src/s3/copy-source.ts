import { decodePercent, textOfBytes } from '../sigv4/encode.ts'
import { headerText } from './body/payload.ts'
import { maximumPut } from './body/receive.ts'
import { checkReadConditions } from './conditions.ts'
import { invalidArgument, S3Error } from './errors.ts'
import { requireVersion } from './operations/read-object.ts'
import type { S3Request } from './service.ts'
import type { Bucket, ObjectVersion } from './store/model.ts'
import { readVersionId, versionHeaders } from './versions.ts'

export interface CopySource {
  bucket: Bucket
  key: string
  version: ObjectVersion
  /** `x-amz-copy-source-version-id`, where the source's bucket has versions. */
  headers: Record<string, string>
}

/** Finds what `x-amz-copy-source` names, with the permission to read it and the conditions on it. */
export function findCopySource(request: S3Request): CopySource {
  const { headers, service } = request
  const { bucketName, key, versionId } = parseCopySource(headerText(headers, 'x-amz-copy-source') ?? '')
  const bucket = service.store.buckets.get(bucketName)
  if (!bucket) throw new S3Error('NoSuchBucket', { details: { BucketName: bucketName } })
  const expectedOwner = headerText(headers, 'x-amz-source-expected-bucket-owner')
  if (expectedOwner !== undefined && expectedOwner !== bucket.settings.account)
    throw new S3Error('AccessDenied')
  const version = requireVersion(request, bucket, { key, versionId })
  const customerKey = headerText(headers, 'x-amz-copy-source-server-side-encryption-customer-key-md5')
  if (version.encryption.customerKeyMd5 !== undefined && customerKey !== version.encryption.customerKeyMd5) {
    throw new S3Error('InvalidRequest', {
      message:
        'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    })
  }
  if (checkReadConditions(headers, version, 'x-amz-copy-source-') === 'not-modified') {
    throw new S3Error('PreconditionFailed', { details: { Condition: 'x-amz-copy-source-If-None-Match' } })
  }
  const id = versionHeaders(bucket, version)?.['x-amz-version-id']
  return { bucket, key, version, headers: id === undefined ? {} : { 'x-amz-copy-source-version-id': id } }
}

/** `bucket/key`, with or without a slash in front, percent-encoded, perhaps with `?versionId=`. */
function parseCopySource(text: string): { bucketName: string; key: string; versionId: string | undefined } {
  const mark = text.indexOf('?versionId=')
  const versionId = readVersionId(mark < 0 ? undefined : text.slice(mark + '?versionId='.length))
  // As in a form, a plus sign is a space here.
  const bytes = decodePercent((mark < 0 ? text : text.slice(0, mark)).replaceAll('+', ' '))
  const path = bytes === undefined ? undefined : textOfBytes(bytes)?.replace(/^\//, '')
  const slash = path?.indexOf('/') ?? -1
  if (path === undefined || slash < 1 || slash === path.length - 1) {
    throw invalidArgument(
      'x-amz-copy-source',
      text,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    )
  }
  return { bucketName: path.slice(0, slash), key: path.slice(slash + 1), versionId }
}

/** Bytes of the source that UploadPartCopy takes: all, or `bytes=first-last`. */
export function copySourceRange(request: S3Request, size: number): { start: number; length: number } {
  const text = headerText(request.headers, 'x-amz-copy-source-range')
  if (text === undefined) {
    requireCopySize(size)
    return { start: 0, length: size }
  }
  const match = /^bytes=(\d+)-(\d+)$/.exec(text)
  const start = Number(match?.[1])
  const end = Number(match?.[2])
  if (!match || end < start) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      text,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    )
  }
  if (end >= size) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      text,
      `Range specified is not valid for source object of size: ${size}`,
    )
  }
  requireCopySize(end - start + 1)
  return { start, length: end - start + 1 }
}

export function requireCopySize(size: number): void {
  if (size <= maximumPut) return
  throw new S3Error('InvalidRequest', {
    message: `The specified copy source is larger than the maximum allowable size for a copy source: ${maximumPut}`,
  })
}
