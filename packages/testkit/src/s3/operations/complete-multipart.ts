import { createHash } from 'node:crypto'
import { headerText } from '../body/payload.ts'
import { combineCrcs, isCombinable } from '../checksums/combine.ts'
import { checksumHeader, type Hasher } from '../checksums/hashers.ts'
import { S3Error } from '../errors.ts'
import { type Handler, type S3Request, xmlReply } from '../service.ts'
import { encryptionHeaders } from '../settings.ts'
import type { Bucket, Checksum, ObjectVersion, OpenUpload, Part } from '../store/model.ts'
import { nextVersionId, versionHeaders } from '../versions.ts'
import { childText, element, parseXml, s3Document, type XmlNode } from '../xml.ts'
import { findUpload } from './multipart.ts'
import { checksumElement, checksumElements } from './object-settings.ts'
import { guardKey } from './write-object.ts'

/** Ten thousand parts with all their checksums, in bytes. */
const maximumDocument = 8 * 1024 * 1024
/** All parts but the last have at least this many bytes: 5 MiB. */
const minimumPart = 5 * 1024 * 1024

interface ListedPart {
  number: number
  etag: string
  checksums: Map<string, string>
}

/** CompleteMultipartUpload. The same call again, after a lost answer, gives the same answer. */
export const completeMultipartUpload: Handler = async (request, bucket) => {
  const { key, query, payload, service } = request
  const { name } = bucket.settings
  request.authorize('s3:PutObject', { bucket, key })
  const listed = readParts(await payload.readAll(maximumDocument))
  const completed = bucket.completed.get(query.get('uploadId') ?? '')
  if (completed?.key === key) return completionReply(request, bucket, completed, undefined)

  const algorithm = findUpload(request, bucket).checksumAlgorithm ?? 'CRC64NVME'
  const hasher = await service.hashers(algorithm)
  // From here on nothing is waited for, so that no part can change between its check and the commit.
  const upload = findUpload(request, bucket)
  guardKey(request, bucket)
  const parts = listed.map((part) => matchPart(upload, part))
  requirePartSizes(parts)
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  requireObjectSize(request, size)
  const checksum = objectChecksum(upload, parts, hasher)
  requireObjectChecksum(request, checksum)
  const version: ObjectVersion = {
    ...upload.settings,
    versionId: nextVersionId(bucket),
    deleteMarker: false,
    // S3 dates a multipart object by the start of its upload.
    lastModified: upload.initiated,
    etag: compositeEtag(parts),
    size,
    segments: parts.flatMap(({ segments }) => segments),
    checksum,
    parts: parts.map((part) => ({ number: part.number, size: part.size, checksum: part.checksum })),
    owner: upload.owner,
  }
  const done = { id: upload.id, key, etag: version.etag, versionId: version.versionId }
  service.store.commit(
    { type: 'version', bucket: name, key, version },
    { type: 'upload-completed', bucket: name, completed: done },
    { type: 'upload-removed', bucket: name, uploadId: upload.id },
  )
  return completionReply(request, bucket, done, version)
}

function readParts(body: Buffer): ListedPart[] {
  if (body.length === 0) {
    throw new S3Error('InvalidRequest', { message: 'You must specify at least one part' })
  }
  const nodes = parseXml(body, 'CompleteMultipartUpload').children.get('Part') ?? []
  if (nodes.length === 0 || nodes.length > 10_000) throw new S3Error('MalformedXML')
  const parts = nodes.map(readPart)
  for (const [index, part] of parts.entries()) {
    const previous = parts[index - 1]
    if (previous && part.number <= previous.number) throw new S3Error('InvalidPartOrder')
  }
  return parts
}

function readPart(node: XmlNode): ListedPart {
  const number = childText(node, 'PartNumber')?.trim() ?? ''
  const etag = childText(node, 'ETag')?.trim()
  if (!/^\d{1,5}$/.test(number) || etag === undefined) throw new S3Error('MalformedXML')
  const checksums = new Map<string, string>()
  for (const [name, algorithm] of checksumElements) {
    const value = childText(node, name)?.trim()
    if (value) checksums.set(algorithm, value)
  }
  return { number: Number(number), etag: etag.replace(/^"|"$/g, ''), checksums }
}

function matchPart(upload: OpenUpload, listed: ListedPart): Part {
  const part = upload.parts.get(listed.number)
  const { checksumAlgorithm: algorithm } = upload
  const given = algorithm && listed.checksums.get(algorithm)
  if (!part || part.etag !== listed.etag || (given !== undefined && given !== part.checksum.value)) {
    throw new S3Error('InvalidPart', {
      details: { UploadId: upload.id, PartNumber: listed.number, ETag: listed.etag },
    })
  }
  if (algorithm && upload.checksumType === 'COMPOSITE' && given === undefined) {
    throw new S3Error('InvalidRequest', {
      message: `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${listed.number} in the request.`,
    })
  }
  return part
}

function requirePartSizes(parts: readonly Part[]): void {
  for (const part of parts.slice(0, -1)) {
    if (part.size >= minimumPart) continue
    throw new S3Error('EntityTooSmall', {
      details: {
        ProposedSize: part.size,
        MinSizeAllowed: minimumPart,
        PartNumber: part.number,
        ETag: part.etag,
      },
    })
  }
}

function requireObjectSize({ headers }: S3Request, size: number): void {
  const expected = headerText(headers, 'x-amz-mp-object-size')
  if (expected === undefined || Number(expected) === size) return
  throw new S3Error('InvalidRequest', {
    message: `The provided 'x-amz-mp-object-size' header value ${expected} does not match what was computed: ${size}`,
  })
}

/** MD5 of the parts' MD5s, and their number. */
function compositeEtag(parts: readonly Part[]): string {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part.etag, 'hex')
  return `${hash.digest('hex')}-${parts.length}`
}

function objectChecksum(upload: OpenUpload, parts: readonly Part[], hasher: Hasher): Checksum {
  const { checksumAlgorithm: algorithm = 'CRC64NVME', checksumType: type = 'FULL_OBJECT' } = upload
  if (type === 'FULL_OBJECT' && isCombinable(algorithm)) {
    const pieces = parts.map(({ checksum, size }) => ({ value: checksum.value, size }))
    return { algorithm, value: combineCrcs(algorithm, pieces), type }
  }
  for (const { checksum } of parts) hasher.update(Buffer.from(checksum.value, 'base64'))
  const value = `${hasher.digest().toString('base64')}-${parts.length}`
  return { algorithm, value, type: 'COMPOSITE' }
}

function requireObjectChecksum({ headers }: S3Request, checksum: Checksum): void {
  const given = headerText(headers, checksumHeader(checksum.algorithm))
  if (given === undefined || given === checksum.value) return
  throw new S3Error('BadDigest', {
    message: `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
  })
}

function completionReply(
  request: S3Request,
  bucket: Bucket,
  done: { etag: string; versionId: string },
  made: ObjectVersion | undefined,
) {
  const { key } = request
  const { name } = bucket.settings
  const version = made ?? bucket.objects.get(key)?.find((entry) => entry.versionId === done.versionId)
  const checksum = version?.etag === done.etag ? version.checksum : undefined
  const result = [
    element('Location', `http://${request.headers.host ?? 's3.amazonaws.com'}/${name}/${encodeURI(key)}`),
    element('Bucket', name),
    element('Key', key),
    element('ETag', `"${done.etag}"`),
    ...(checksum ? [checksumElement(checksum), element('ChecksumType', checksum.type)] : []),
  ]
  return xmlReply(s3Document('CompleteMultipartUploadResult', result.join('')), 200, {
    ...versionHeaders(bucket, done),
    ...(version && encryptionHeaders(version.encryption)),
  })
}
