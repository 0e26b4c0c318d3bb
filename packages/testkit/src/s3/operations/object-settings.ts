import { headerText } from '../body/payload.ts'
import { checksumAlgorithms } from '../checksums/hashers.ts'
import { invalidArgument, S3Error } from '../errors.ts'
import { emptyReply, type Handler, type S3Request, xmlReply } from '../service.ts'
import { readAcl } from '../settings.ts'
import type { Bucket, Checksum, ObjectVersion } from '../store/model.ts'
import { findVersion, readVersionId, versionHeaders } from '../versions.ts'
import { element, optionalElement, s3Document } from '../xml.ts'
import { aclXml, readAclDocument, readTagsDocument, tagsXml } from './settings-xml.ts'

/** Finds the version that a request on a subresource is about, once the caller may do that. */
function target(
  request: S3Request,
  bucket: Bucket,
  actions: { current: string; version: string },
): ObjectVersion {
  const { key, query } = request
  const versionId = readVersionId(query.get('versionId'))
  request.authorize(versionId === undefined ? actions.current : actions.version, { bucket, key })
  return findVersion(request, bucket, { key, versionId })
}

function update({ service, key }: S3Request, bucket: Bucket, version: ObjectVersion): void {
  service.store.commit({ type: 'version-updated', bucket: bucket.settings.name, key, version })
}

/** The version again after the body was read: it may have gone meanwhile. */
function stillThere(request: S3Request, bucket: Bucket, version: ObjectVersion): ObjectVersion {
  const { key } = request
  const found = bucket.objects.get(key)?.find(({ versionId }) => versionId === version.versionId)
  if (!found) throw new S3Error('NoSuchKey', { details: { Key: key } })
  return found
}

export const getObjectTagging: Handler = (request, bucket) => {
  const version = target(request, bucket, {
    current: 's3:GetObjectTagging',
    version: 's3:GetObjectVersionTagging',
  })
  return xmlReply(tagsXml(version.tags), 200, versionHeaders(bucket, version))
}

export const putObjectTagging: Handler = async (request, bucket) => {
  const version = target(request, bucket, {
    current: 's3:PutObjectTagging',
    version: 's3:PutObjectVersionTagging',
  })
  const tags = await readTagsDocument(request.payload, 10)
  update(request, bucket, { ...stillThere(request, bucket, version), tags })
  return emptyReply(200, versionHeaders(bucket, version))
}

export const deleteObjectTagging: Handler = (request, bucket) => {
  const version = target(request, bucket, {
    current: 's3:DeleteObjectTagging',
    version: 's3:DeleteObjectVersionTagging',
  })
  update(request, bucket, { ...version, tags: [] })
  return emptyReply(204, versionHeaders(bucket, version))
}

export const getObjectAcl: Handler = (request, bucket) => {
  const version = target(request, bucket, { current: 's3:GetObjectAcl', version: 's3:GetObjectVersionAcl' })
  return xmlReply(aclXml(version.acl, version.owner, bucket.settings.account))
}

export const putObjectAcl: Handler = async (request, bucket) => {
  const version = target(request, bucket, { current: 's3:PutObjectAcl', version: 's3:PutObjectVersionAcl' })
  const acl = readAcl(request.headers) ?? (await readAclDocument(request.payload))
  update(request, bucket, { ...stillThere(request, bucket, version), acl })
  return emptyReply(200, versionHeaders(bucket, version))
}

const attributeNames = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'])

/** GetObjectAttributes. */
export const getObjectAttributes: Handler = (request, bucket) => {
  const { key, query, headers } = request
  const versionId = readVersionId(query.get('versionId'))
  const suffix = versionId === undefined ? '' : 'Version'
  request.authorize(`s3:GetObject${suffix}`, { bucket, key })
  request.authorize(`s3:GetObject${suffix}Attributes`, { bucket, key })
  const names = (headerText(headers, 'x-amz-object-attributes') ?? '').split(',').map((name) => name.trim())
  const unknown = names.find((name) => !attributeNames.has(name))
  if (unknown !== undefined) {
    throw invalidArgument('x-amz-object-attributes', unknown, 'Invalid attribute name specified.')
  }
  const version = findVersion(request, bucket, { key, versionId })
  const { checksum } = version
  const elements = [
    names.includes('ETag') ? element('ETag', version.etag) : '',
    names.includes('Checksum') && checksum
      ? `<Checksum>${checksumElement(checksum)}${element('ChecksumType', checksum.type)}</Checksum>`
      : '',
    names.includes('ObjectParts') ? partsXml(request, version) : '',
    names.includes('StorageClass') ? element('StorageClass', version.storageClass) : '',
    names.includes('ObjectSize') ? element('ObjectSize', version.size) : '',
  ]
  return xmlReply(s3Document('GetObjectAttributesResponse', elements.join('')), 200, {
    'last-modified': new Date(version.lastModified).toUTCString(),
    ...versionHeaders(bucket, version),
  })
}

/** `<ChecksumCRC32>...` */
export function checksumElement({ algorithm, value }: Pick<Checksum, 'algorithm' | 'value'>): string {
  return element(`Checksum${algorithm}`, value)
}

/** Names of checksum elements and their algorithms. */
export const checksumElements = checksumAlgorithms.map(
  (algorithm) => [`Checksum${algorithm}`, algorithm] as const,
)

function partsXml({ headers }: S3Request, { parts, checksum }: ObjectVersion): string {
  if (!parts) return ''
  const limit = pageNumber(headerText(headers, 'x-amz-max-parts'), 1000)
  const marker = pageNumber(headerText(headers, 'x-amz-part-number-marker'), 0)
  const after = parts.filter(({ number }) => number > marker)
  const page = after.slice(0, limit)
  const truncated = after.length > page.length
  // S3 tells the single parts only where each has a checksum of its own that counts.
  const shown = checksum?.type === 'COMPOSITE' ? page : []
  return `<ObjectParts>${element('PartsCount', parts.length)}${element('PartNumberMarker', marker)}${optionalElement('NextPartNumberMarker', page.at(-1)?.number)}${element('MaxParts', limit)}${element('IsTruncated', truncated)}${shown
    .map(
      ({ number, size, checksum: own }) =>
        `<Part>${element('PartNumber', number)}${element('Size', size)}${own ? checksumElement(own) : ''}</Part>`,
    )
    .join('')}</ObjectParts>`
}

function pageNumber(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  if (!/^\d{1,9}$/.test(text)) throw new S3Error('InvalidArgument')
  return Math.min(Number(text), 10_000)
}
