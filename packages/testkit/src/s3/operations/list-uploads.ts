import { utf8Bytes } from '../../sigv4/encode.ts'
import { commonPrefixXml, listingText } from '../listing.ts'
import { integerParameter, urlEncoding } from '../query.ts'
import { canonicalUserId, type Handler, isoTime, xmlReply } from '../service.ts'
import type { Bucket, OpenUpload } from '../store/model.ts'
import { element, optionalElement, s3Document } from '../xml.ts'
import { findUpload } from './multipart.ts'
import { checksumElement } from './object-settings.ts'

/** ListParts. */
export const listParts: Handler = (request, bucket) => {
  const { key, query } = request
  request.authorize('s3:ListMultipartUploadParts', { bucket, key })
  const upload = findUpload(request, bucket)
  const limit = integerParameter(query, 'max-parts', { fallback: 1000, minimum: 0, maximum: 1000 })
  const marker = integerParameter(query, 'part-number-marker', { fallback: 0, minimum: 0, maximum: 10_000 })
  const rest = [...upload.parts.values()]
    .filter(({ number }) => number > marker)
    .sort((a, b) => a.number - b.number)
  const page = rest.slice(0, limit)
  const { owner, initiator, settings, checksumAlgorithm, checksumType } = upload
  return xmlReply(
    s3Document(
      'ListPartsResult',
      [
        element('Bucket', bucket.settings.name),
        element('Key', key),
        element('UploadId', upload.id),
        `<Initiator>${element('ID', initiator || canonicalUserId(owner))}</Initiator>`,
        `<Owner>${element('ID', canonicalUserId(owner))}</Owner>`,
        element('StorageClass', settings.storageClass),
        element('PartNumberMarker', marker),
        optionalElement('NextPartNumberMarker', page.at(-1)?.number),
        element('MaxParts', limit),
        element('IsTruncated', rest.length > page.length),
        optionalElement('ChecksumAlgorithm', checksumAlgorithm),
        optionalElement('ChecksumType', checksumType),
        ...page.map(
          (part) =>
            `<Part>${element('PartNumber', part.number)}${element('LastModified', isoTime(part.lastModified))}${element('ETag', `"${part.etag}"`)}${element('Size', part.size)}${checksumAlgorithm ? checksumElement(part.checksum) : ''}</Part>`,
        ),
      ].join(''),
    ),
  )
}

type Item = OpenUpload | { commonPrefix: string }

interface UploadsQuery {
  prefix: string
  delimiter: string
  keyMarker: string
  uploadIdMarker: string
}

/** Uploads by key (in UTF-8 bytes), then by time. */
function matchingUploads(bucket: Bucket, query: UploadsQuery): Item[] {
  const { prefix, delimiter, keyMarker, uploadIdMarker } = query
  const marker = utf8Bytes(keyMarker)
  const sorted = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .map((upload) => ({ upload, bytes: utf8Bytes(upload.key) }))
    .sort(
      (a, b) =>
        compare(a.bytes, b.bytes) ||
        a.upload.initiated - b.upload.initiated ||
        compare(a.upload.id, b.upload.id),
    )
  const items: Item[] = []
  const seen = new Set<string>()
  let passed = uploadIdMarker === ''
  for (const { upload, bytes } of sorted) {
    const end = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length)
    if (end >= 0) {
      const commonPrefix = upload.key.slice(0, end + delimiter.length)
      if (!seen.has(commonPrefix) && utf8Bytes(commonPrefix) > marker) items.push({ commonPrefix })
      seen.add(commonPrefix)
    } else if (bytes > marker || keyMarker === '') {
      items.push(upload)
    } else if (bytes === marker && uploadIdMarker !== '') {
      // Uploads of the marked key that come behind the marked one.
      if (passed) items.push(upload)
      passed ||= upload.id === uploadIdMarker
    }
  }
  return items
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** ListMultipartUploads. */
export const listMultipartUploads: Handler = (request, bucket) => {
  request.authorize('s3:ListBucketMultipartUploads', { bucket })
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  // Without a key the other marker has no meaning.
  const uploadIdMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '')
  const limit = integerParameter(query, 'max-uploads', { fallback: 1000, minimum: 1, maximum: 1000 })
  const text = listingText(urlEncoding(query))
  const items = matchingUploads(bucket, { prefix, delimiter, keyMarker, uploadIdMarker })
  const page = items.slice(0, limit)
  const last = items.length > page.length ? page.at(-1) : undefined
  return xmlReply(
    s3Document(
      'ListMultipartUploadsResult',
      [
        element('Bucket', bucket.settings.name),
        element('KeyMarker', text.encode(keyMarker)),
        element('UploadIdMarker', uploadIdMarker),
        ...(last ? nextMarkers(last, text.encode) : []),
        element('Prefix', text.encode(prefix)),
        optionalElement('Delimiter', delimiter === '' ? undefined : text.encode(delimiter)),
        optionalElement('EncodingType', text.urlEncoded ? 'url' : undefined),
        element('MaxUploads', limit),
        element('IsTruncated', last !== undefined),
        ...page.map((item) =>
          'commonPrefix' in item ? commonPrefixXml(item.commonPrefix, text) : uploadXml(item, text.encode),
        ),
      ].join(''),
    ),
  )
}

function nextMarkers(last: Item, encode: (text: string) => string): string[] {
  if ('commonPrefix' in last) return [element('NextKeyMarker', encode(last.commonPrefix))]
  return [element('NextKeyMarker', encode(last.key)), element('NextUploadIdMarker', last.id)]
}

function uploadXml(upload: OpenUpload, encode: (text: string) => string): string {
  const { key, id, owner, initiator, settings, initiated, checksumAlgorithm, checksumType } = upload
  return `<Upload>${element('Key', encode(key))}${element('UploadId', id)}<Initiator>${element('ID', initiator || canonicalUserId(owner))}</Initiator><Owner>${element('ID', canonicalUserId(owner))}</Owner>${element('StorageClass', settings.storageClass)}${element('Initiated', isoTime(initiated))}${optionalElement('ChecksumAlgorithm', checksumAlgorithm)}${optionalElement('ChecksumType', checksumType)}</Upload>`
}
