import { randomBytes } from 'node:crypto'
import { invalidArgument, S3Error } from './errors.ts'
import type { S3Request } from './service.ts'
import type { Bucket, ObjectVersion } from './store/model.ts'

/** A new version id: unguessable, and without order, as S3's. */
export const newVersionId = (): string => randomBytes(24).toString('base64url').replaceAll('-', '.')

/** Id that the next version of an object in this bucket gets. */
export const nextVersionId = (bucket: Bucket): string =>
  bucket.settings.versioning === 'Enabled' ? newVersionId() : 'null'

/** S3 keeps times in whole seconds. */
export const wholeSeconds = (now: number): number => Math.floor(now / 1000) * 1000

/** The newest version, unless that is a delete marker. */
export function currentVersion(bucket: Bucket, key: string): ObjectVersion | undefined {
  const newest = bucket.objects.get(key)?.[0]
  return newest?.deleteMarker ? undefined : newest
}

/** `x-amz-version-id`, in buckets that know versions. */
export const versionHeaders = (bucket: Bucket, version: Pick<ObjectVersion, 'versionId'>) =>
  bucket.settings.versioning === undefined ? undefined : { 'x-amz-version-id': version.versionId }

/** The `versionId` parameter; InvalidArgument where it can't be one. */
export function readVersionId(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  if (value === '') throw invalidArgument('versionId', value, 'Version id cannot be the empty string')
  if (!/^[\w.]{1,1024}$/.test(value)) {
    throw invalidArgument('versionId', value, 'Invalid version id specified')
  }
  return value
}

export interface WantedVersion {
  key: string
  versionId: string | undefined
}

/**
 * The version that a read asks for. A missing key is NoSuchKey only for those who may list the bucket; others get
 * AccessDenied, so that they can't find out which keys exist.
 */
export function findVersion(request: S3Request, bucket: Bucket, wanted: WantedVersion): ObjectVersion {
  const { key, versionId } = wanted
  const versions = bucket.objects.get(key) ?? []
  if (versionId !== undefined) {
    const version = versions.find((entry) => entry.versionId === versionId)
    if (!version) {
      request.authorize('s3:ListBucketVersions', { bucket })
      throw new S3Error('NoSuchVersion', { details: { Key: key, VersionId: versionId } })
    }
    if (!version.deleteMarker) return version
    throw new S3Error('MethodNotAllowed', {
      details: { Method: request.method, ResourceType: 'DeleteMarker' },
      headers: {
        allow: 'DELETE',
        'x-amz-delete-marker': 'true',
        'x-amz-version-id': version.versionId,
        'last-modified': new Date(version.lastModified).toUTCString(),
      },
    })
  }
  const [newest] = versions
  if (newest && !newest.deleteMarker) return newest
  request.authorize('s3:ListBucket', { bucket })
  throw new S3Error('NoSuchKey', {
    details: { Key: key },
    ...(newest && { headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': newest.versionId } }),
  })
}
