import { randomBytes } from 'node:crypto'
import { copyBody } from '../body/copied.ts'
import { headerText } from '../body/payload.ts'
import { type ReceivedBody, receiveBody } from '../body/receive.ts'
import { isCombinable } from '../checksums/combine.ts'
import { expectedChecksum, parseChecksumAlgorithm } from '../checksums/expected.ts'
import { copySourceRange, findCopySource } from '../copy-source.ts'
import { invalidArgument, S3Error } from '../errors.ts'
import { emptyReply, type Handler, isoTime, type S3Request, xmlReply } from '../service.ts'
import { encryptionHeaders, readSettings } from '../settings.ts'
import type { Bucket, Checksum, ChecksumAlgorithm, OpenUpload, Part, Upload } from '../store/model.ts'
import { wholeSeconds } from '../versions.ts'
import { element, s3Document } from '../xml.ts'
import { checksumElement } from './object-settings.ts'
import { checksumHeaders } from './read-object.ts'
import { authorizeWrite, etagOf, refuseUnsupported } from './write-object.ts'

/** CreateMultipartUpload. */
export const createMultipartUpload: Handler = (request, bucket) => {
  const { key, headers, principal, now } = request
  authorizeWrite(request, bucket)
  refuseUnsupported(request)
  const checksum = readChecksumChoice(request)
  const upload: Upload = {
    id: randomBytes(48).toString('base64url').replaceAll('-', '.'),
    key,
    initiated: wholeSeconds(now),
    initiator: principal.arn,
    owner: principal.account || bucket.settings.account,
    settings: readSettings(headers),
    ...(checksum && { checksumAlgorithm: checksum.algorithm, checksumType: checksum.type }),
  }
  request.service.store.commit({ type: 'upload', bucket: bucket.settings.name, upload })
  const result = [
    element('Bucket', bucket.settings.name),
    element('Key', key),
    element('UploadId', upload.id),
  ]
  return xmlReply(s3Document('InitiateMultipartUploadResult', result.join('')), 200, {
    ...encryptionHeaders(upload.settings.encryption),
    ...(checksum && {
      'x-amz-checksum-algorithm': checksum.algorithm,
      'x-amz-checksum-type': checksum.type,
    }),
  })
}

/** Which checksums which type of upload can have: CRC-64 covers whole objects only, the SHAs only parts. */
function readChecksumChoice({ headers }: S3Request): Pick<Checksum, 'algorithm' | 'type'> | undefined {
  const algorithm = parseChecksumAlgorithm(headerText(headers, 'x-amz-checksum-algorithm'))
  const type = headerText(headers, 'x-amz-checksum-type')?.toUpperCase()
  if (type !== undefined && type !== 'COMPOSITE' && type !== 'FULL_OBJECT') {
    throw new S3Error('InvalidRequest', { message: 'Value for x-amz-checksum-type header is invalid.' })
  }
  if (!algorithm) {
    if (type === undefined) return undefined
    throw new S3Error('InvalidRequest', {
      message: 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    })
  }
  const chosen = type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')
  const possible = chosen === 'COMPOSITE' ? algorithm !== 'CRC64NVME' : isCombinable(algorithm)
  if (!possible) {
    throw new S3Error('InvalidRequest', {
      message: `The ${chosen} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    })
  }
  return { algorithm, type: chosen }
}

/** The upload that a request names; one of another key does not count. */
export function findUpload({ query, key }: S3Request, bucket: Bucket): OpenUpload {
  const id = query.get('uploadId') ?? ''
  const upload = bucket.uploads.get(id)
  if (upload?.key !== key) throw new S3Error('NoSuchUpload', { details: { UploadId: id } })
  return upload
}

function readPartNumber({ query }: S3Request): number {
  const text = query.get('partNumber') ?? ''
  const number = Number(text)
  if (!/^\d{1,6}$/.test(text) || number < 1 || number > 10_000) {
    throw invalidArgument('partNumber', text, 'Part number must be an integer between 1 and 10000, inclusive')
  }
  return number
}

/** The checksum that is kept of each part, so that the object's can be made from them. */
const partAlgorithm = ({ checksumAlgorithm }: Upload): ChecksumAlgorithm => checksumAlgorithm ?? 'CRC64NVME'

/** UploadPart. */
export const uploadPart: Handler = async (request, bucket) => {
  request.authorize('s3:PutObject', { bucket, key: request.key })
  const number = readPartNumber(request)
  const upload = findUpload(request, bucket)
  const given = expectedChecksum(request)?.algorithm
  if (given && upload.checksumAlgorithm && given !== upload.checksumAlgorithm) {
    throw new S3Error('InvalidRequest', {
      message: `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksumAlgorithm.toLowerCase()}, actual checksum Type: ${given.toLowerCase()}`,
    })
  }
  const body = await receiveBody(request, partAlgorithm(upload))
  const part = commitPart(request, bucket, upload, { number, body })
  const { type: _, ...checksum } = body.answered
  return emptyReply(200, {
    etag: `"${part.etag}"`,
    ...encryptionHeaders(upload.settings.encryption),
    ...partChecksumHeaders({ ...checksum, type: 'FULL_OBJECT' }),
  })
}

/** A part has a checksum, but no type of checksum. */
function partChecksumHeaders(checksum: Checksum): Record<string, string> {
  const { 'x-amz-checksum-type': _, ...headers } = checksumHeaders(checksum)
  return headers
}

/** UploadPartCopy. */
export const uploadPartCopy: Handler = async (request, bucket) => {
  const { key, service } = request
  request.authorize('s3:PutObject', { bucket, key })
  const number = readPartNumber(request)
  const source = findCopySource(request)
  const upload = findUpload(request, bucket)
  const range = copySourceRange(request, source.version.size)
  const { body, release } = await copyBody(
    service,
    { segments: source.version.segments, ...range },
    partAlgorithm(upload),
  )
  try {
    const part = commitPart(request, bucket, upload, { number, body })
    const result = [
      element('LastModified', isoTime(part.lastModified)),
      element('ETag', `"${part.etag}"`),
      checksumElement(part.checksum),
    ]
    return xmlReply(s3Document('CopyPartResult', result.join('')), 200, {
      ...source.headers,
      ...encryptionHeaders(upload.settings.encryption),
    })
  } finally {
    release()
  }
}

function commitPart(
  { service: { store }, now }: S3Request,
  bucket: Bucket,
  upload: OpenUpload,
  { number, body }: { number: number; body: ReceivedBody },
): Part {
  const { name } = bucket.settings
  // It may have been aborted, or completed, while the body came.
  if (store.buckets.get(name) !== bucket || bucket.uploads.get(upload.id) !== upload) {
    for (const { blob } of body.segments) store.discard(blob)
    throw new S3Error('NoSuchUpload', { details: { UploadId: upload.id } })
  }
  const part: Part = {
    number,
    etag: etagOf(body.md5, upload.settings.encryption),
    size: body.size,
    lastModified: wholeSeconds(now),
    segments: body.segments,
    checksum: body.checksum,
  }
  store.commit({ type: 'part', bucket: name, uploadId: upload.id, part })
  return part
}

/** AbortMultipartUpload. */
export const abortMultipartUpload: Handler = (request, bucket) => {
  request.authorize('s3:AbortMultipartUpload', { bucket, key: request.key })
  const upload = findUpload(request, bucket)
  request.service.store.commit({
    type: 'upload-removed',
    bucket: bucket.settings.name,
    uploadId: upload.id,
  })
  return emptyReply(204)
}
