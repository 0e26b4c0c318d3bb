import { randomBytes } from 'node:crypto'
import { type ReceivedBody, receiveBody } from '../body/receive.ts'
import { checkWriteConditions } from '../conditions.ts'
import { S3Error } from '../errors.ts'
import { emptyReply, type Handler, type S3Request } from '../service.ts'
import { encryptionHeaders, readSettings } from '../settings.ts'
import type { Bucket, Encryption, ObjectSettings, ObjectVersion } from '../store/model.ts'
import { currentVersion, nextVersionId, versionHeaders, wholeSeconds } from '../versions.ts'
import { checksumHeaders } from './read-object.ts'

/** PutObject. */
export const putObject: Handler = async (request, bucket) => {
  const { headers } = request
  authorizeWrite(request, bucket)
  refuseUnsupported(request)
  const settings = readSettings(headers)
  const guard = guardKey(request, bucket)
  const body = await receiveBody(request)
  const version = newVersion(request, bucket, settings, body)
  commitVersion(request, bucket, version, guard)
  return emptyReply(200, {
    etag: `"${version.etag}"`,
    ...versionHeaders(bucket, version),
    ...encryptionHeaders(version.encryption),
    ...checksumHeaders(body.answered),
  })
}

/** Permission to write an object, and for what its headers ask besides. */
export function authorizeWrite(request: S3Request, bucket: Bucket): void {
  const { headers, key } = request
  request.authorize('s3:PutObject', { bucket, key })
  if (headers['x-amz-tagging'] !== undefined) request.authorize('s3:PutObjectTagging', { bucket, key })
  if (headers['x-amz-acl'] !== undefined) request.authorize('s3:PutObjectAcl', { bucket, key })
}

/** Says no to what would change the meaning of the request if it were passed over. */
export function refuseUnsupported({ headers }: S3Request): void {
  if (headers['x-amz-write-offset-bytes'] !== undefined) {
    throw new S3Error('NotImplemented', { details: { Header: 'x-amz-write-offset-bytes' } })
  }
  if (Object.keys(headers).some((name) => name.startsWith('x-amz-object-lock-'))) {
    throw new S3Error('InvalidRequest', { message: 'Bucket is missing Object Lock Configuration' })
  }
}

/** Checks the write's conditions now and gives the check to make again just before the commit. */
export function guardKey({ headers, key }: S3Request, bucket: Bucket): () => void {
  const before = bucket.objects.get(key)?.[0]
  const conditional = checkWriteConditions(headers, key, currentVersion(bucket, key))
  return () => {
    if (conditional && bucket.objects.get(key)?.[0] !== before) {
      const condition = headers['if-match'] === undefined ? 'If-None-Match' : 'If-Match'
      throw new S3Error('ConditionalRequestConflict', { details: { Condition: condition, Key: key } })
    }
  }
}

export function newVersion(
  { now, principal }: Pick<S3Request, 'now' | 'principal'>,
  bucket: Bucket,
  settings: ObjectSettings,
  body: ReceivedBody,
): ObjectVersion {
  return {
    ...settings,
    versionId: nextVersionId(bucket),
    deleteMarker: false,
    lastModified: wholeSeconds(now),
    etag: etagOf(body.md5, settings.encryption),
    size: body.size,
    segments: body.segments,
    checksum: body.checksum,
    owner: principal.account || bucket.settings.account,
  }
}

/** The ETag of what is encrypted with a key of the customer's or of KMS is no MD5: nobody may rely on it. */
export const etagOf = (md5: string, { algorithm }: Encryption): string =>
  algorithm === 'AES256' ? md5 : randomBytes(16).toString('hex')

/** Makes a finished version the newest one. Its body goes away again when that is not possible any more. */
export function commitVersion(
  { service: { store }, key }: S3Request,
  bucket: Bucket,
  version: ObjectVersion,
  guard: () => void,
): void {
  try {
    if (store.buckets.get(bucket.settings.name) !== bucket) {
      throw new S3Error('NoSuchBucket', { details: { BucketName: bucket.settings.name } })
    }
    guard()
    store.commit({ type: 'version', bucket: bucket.settings.name, key, version })
  } catch (error) {
    for (const { blob } of version.segments) store.discard(blob)
    throw error
  }
}
