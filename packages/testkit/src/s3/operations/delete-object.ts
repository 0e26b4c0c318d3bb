import { createHash } from 'node:crypto'
import { headerText } from '../body/payload.ts'
import { readContentMd5 } from '../body/receive.ts'
import { expectedChecksum, requireSameChecksum } from '../checksums/expected.ts'
import { etagMatches } from '../conditions.ts'
import { S3Error } from '../errors.ts'
import { emptyReply, type Handler, type S3Request, xmlReply } from '../service.ts'
import type { Bucket, Change, ObjectVersion } from '../store/model.ts'
import { currentVersion, newVersionId, readVersionId, wholeSeconds } from '../versions.ts'
import { childText, element, optionalElement, parseXml, s3Document, type XmlNode } from '../xml.ts'

/** Two megabytes hold 1,000 of the longest keys. */
const maximumDocument = 2 * 1024 * 1024
const maximumKeys = 1000

interface Wanted {
  key: string
  versionId: string | undefined
}

interface Deleted {
  /** Id of the version that went away, or of the delete marker that was made. */
  versionId?: string
  deleteMarker: boolean
}

/** DeleteObject. Deleting what is not there succeeds. */
export const deleteObject: Handler = (request, bucket) => {
  const { key, query, headers } = request
  const versionId = readVersionId(query.get('versionId'))
  authorizeDelete(request, bucket, { key, versionId })
  const ifMatch = headerText(headers, 'if-match')
  if (ifMatch !== undefined) {
    const current = currentVersion(bucket, key)
    if (!current) throw new S3Error('NoSuchKey', { details: { Key: key } })
    if (!etagMatches(ifMatch, current.etag)) {
      throw new S3Error('PreconditionFailed', { details: { Condition: 'If-Match' } })
    }
  }
  const deleted = deleteVersion(request, bucket, { key, versionId })
  return emptyReply(204, {
    ...(deleted.versionId !== undefined && { 'x-amz-version-id': deleted.versionId }),
    ...(deleted.deleteMarker && { 'x-amz-delete-marker': 'true' }),
  })
}

function authorizeDelete(request: S3Request, bucket: Bucket, { key, versionId }: Wanted): void {
  request.authorize(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', { bucket, key })
}

function deleteVersion(request: S3Request, bucket: Bucket, { key, versionId }: Wanted): Deleted {
  const { store } = request.service
  const { name, versioning } = bucket.settings
  const versions = bucket.objects.get(key) ?? []
  if (versionId !== undefined) {
    const version = versions.find((entry) => entry.versionId === versionId)
    if (version) store.commit({ type: 'version-removed', bucket: name, key, versionId })
    return { versionId, deleteMarker: version?.deleteMarker === true }
  }
  if (versioning === undefined) {
    if (versions.length > 0) store.commit({ type: 'version-removed', bucket: name, key, versionId: 'null' })
    return { deleteMarker: false }
  }
  const marker = deleteMarker(request, versioning === 'Enabled' ? newVersionId() : 'null')
  const change: Change = { type: 'version', bucket: name, key, version: marker }
  store.commit(change)
  return { versionId: marker.versionId, deleteMarker: true }
}

const deleteMarker = ({ now, principal }: S3Request, versionId: string): ObjectVersion => ({
  versionId,
  deleteMarker: true,
  lastModified: wholeSeconds(now),
  etag: '',
  size: 0,
  segments: [],
  owner: principal.account,
  headers: {},
  metadata: {},
  storageClass: 'STANDARD',
  encryption: { algorithm: 'AES256' },
  tags: [],
  acl: 'private',
})

/** DeleteObjects: up to 1,000 keys, each with its own permission and its own outcome. */
export const deleteObjects: Handler = async (request, bucket) => {
  const { headers, payload, service } = request
  const md5 = readContentMd5(headerText(headers, 'content-md5'))
  const expected = expectedChecksum(request)
  const body = await payload.readAll(maximumDocument)
  if (!md5 && !expected) {
    throw new S3Error('InvalidRequest', {
      message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    })
  }
  if (md5 && !createHash('md5').update(body).digest().equals(md5)) throw new S3Error('BadDigest')
  if (expected) {
    const hasher = await service.hashers(expected.algorithm)
    hasher.update(body)
    requireSameChecksum(expected.algorithm, expected.value(payload), hasher.digest().toString('base64'))
  }
  const document = parseXml(body, 'Delete')
  const objects = document.children.get('Object') ?? []
  if (objects.length === 0 || objects.length > maximumKeys) throw new S3Error('MalformedXML')
  const quiet = childText(document, 'Quiet')?.trim() === 'true'
  const results = objects.map((object) => deleteOne(request, bucket, object, quiet))
  return xmlReply(s3Document('DeleteResult', results.join('')))
}

function deleteOne(request: S3Request, bucket: Bucket, object: XmlNode, quiet: boolean): string {
  const key = childText(object, 'Key')
  const versionText = childText(object, 'VersionId')
  if (key === undefined || key === '') throw new S3Error('MalformedXML')
  try {
    const versionId = readVersionId(versionText === '' ? undefined : versionText)
    authorizeDelete(request, bucket, { key, versionId })
    const etag = childText(object, 'ETag')
    const current = currentVersion(bucket, key)
    if (etag !== undefined && !(current && etagMatches(etag, current.etag))) {
      throw new S3Error(current ? 'PreconditionFailed' : 'NoSuchKey')
    }
    const deleted = deleteVersion(request, bucket, { key, versionId })
    if (quiet) return ''
    const marker = deleted.deleteMarker
    return `<Deleted>${element('Key', key)}${optionalElement('VersionId', versionId)}${
      marker
        ? element('DeleteMarker', true) + optionalElement('DeleteMarkerVersionId', deleted.versionId)
        : ''
    }</Deleted>`
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    return `<Error>${element('Key', key)}${optionalElement('VersionId', versionText)}${element('Code', error.code)}${element('Message', error.message)}</Error>`
  }
}
