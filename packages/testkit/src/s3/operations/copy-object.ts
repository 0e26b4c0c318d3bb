import { copyBody } from '../body/copied.ts'
import { headerText } from '../body/payload.ts'
import { parseChecksumAlgorithm } from '../checksums/expected.ts'
import { type CopySource, findCopySource, requireCopySize } from '../copy-source.ts'
import { invalidArgument, S3Error } from '../errors.ts'
import { type Handler, isoTime, type S3Request, xmlReply } from '../service.ts'
import { encryptionHeaders, readSettings } from '../settings.ts'
import type { Bucket, ObjectSettings } from '../store/model.ts'
import { versionHeaders } from '../versions.ts'
import { element, s3Document } from '../xml.ts'
import { checksumElement } from './object-settings.ts'
import { authorizeWrite, commitVersion, guardKey, newVersion, refuseUnsupported } from './write-object.ts'

/** CopyObject. */
export const copyObject: Handler = async (request, bucket) => {
  const { headers, service } = request
  authorizeWrite(request, bucket)
  refuseUnsupported(request)
  const source = findCopySource(request)
  requireCopySize(source.version.size)
  const settings = copySettings(request, bucket, source)
  refuseNullCopy(request, bucket, source)
  const guard = guardKey(request, bucket)

  const { version } = source
  const asked = parseChecksumAlgorithm(headerText(headers, 'x-amz-checksum-algorithm'))
  // A composite checksum belongs to the parts; a copy has none, and so gets one of the whole.
  const algorithm = asked ?? version.checksum?.algorithm ?? 'CRC64NVME'
  const plain = version.encryption.algorithm === 'AES256' && version.parts === undefined
  const { body, release } = await copyBody(
    service,
    {
      segments: version.segments,
      start: 0,
      length: version.size,
      ...(plain && { md5: version.etag }),
      ...(version.checksum && { checksum: version.checksum }),
    },
    algorithm,
  )
  try {
    const copy = newVersion(request, bucket, settings, body)
    commitVersion(request, bucket, copy, guard)
    const result = [
      element('LastModified', isoTime(copy.lastModified)),
      element('ETag', `"${copy.etag}"`),
      checksumElement(body.checksum),
      element('ChecksumType', body.checksum.type),
    ]
    return xmlReply(s3Document('CopyObjectResult', result.join('')), 200, {
      ...versionHeaders(bucket, copy),
      ...source.headers,
      ...encryptionHeaders(copy.encryption),
    })
  } finally {
    release()
  }
}

function copySettings(request: S3Request, target: Bucket, source: CopySource): ObjectSettings {
  const { headers, key } = request
  const { version } = source
  const given = readSettings(headers)
  const replaceMetadata = directive(request, 'x-amz-metadata-directive') === 'REPLACE'
  const replaceTags = directive(request, 'x-amz-tagging-directive') === 'REPLACE'
  if (!replaceTags && version.tags.length > 0) {
    request.authorize('s3:GetObjectTagging', { bucket: source.bucket, key: source.key })
    request.authorize('s3:PutObjectTagging', { bucket: target, key })
  }
  return {
    ...given,
    ...(!replaceMetadata && { headers: version.headers, metadata: version.metadata }),
    tags: replaceTags ? given.tags : version.tags,
  }
}

function directive({ headers }: S3Request, name: string): 'COPY' | 'REPLACE' {
  const value = headerText(headers, name) ?? 'COPY'
  if (value !== 'COPY' && value !== 'REPLACE') throw invalidArgument(name, value, `Unknown ${name}.`)
  return value
}

/** Copying an object onto itself has to change something about it. */
function refuseNullCopy(request: S3Request, bucket: Bucket, source: CopySource): void {
  const { headers, key } = request
  const same = source.bucket === bucket && source.key === key
  const current = bucket.objects.get(key)?.[0] === source.version
  const changes =
    directive(request, 'x-amz-metadata-directive') === 'REPLACE' ||
    [
      'x-amz-storage-class',
      'x-amz-website-redirect-location',
      'x-amz-server-side-encryption',
      'x-amz-server-side-encryption-customer-algorithm',
    ].some((name) => headers[name] !== undefined)
  if (!same || !current || changes) return
  throw new S3Error('InvalidRequest', {
    message:
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  })
}
