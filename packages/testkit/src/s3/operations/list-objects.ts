import {
  commonPrefixXml,
  type ListedItem,
  type ListedPage,
  type ListingText,
  listingText,
  listPage,
  readToken,
  writeToken,
} from '../listing.ts'
import { integerParameter, urlEncoding } from '../query.ts'
import { canonicalUserId, type Handler, isoTime, xmlReply } from '../service.ts'
import { element, optionalElement, s3Document } from '../xml.ts'

const pageSize = { fallback: 1000, minimum: 0, maximum: 1000 }

/** ListObjectsV2: `list-type=2`. */
export const listObjectsV2: Handler = (request, bucket) => {
  request.authorize('s3:ListBucket', { bucket })
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const startAfter = query.get('start-after')
  const token = readToken(query)
  const limit = integerParameter(query, 'max-keys', pageSize)
  const text = listingText(urlEncoding(query))
  const withOwner = query.get('fetch-owner') === 'true'
  const page = listPage(bucket, { prefix, delimiter, after: token ?? startAfter ?? '', limit })
  return xmlReply(
    s3Document(
      'ListBucketResult',
      [
        element('Name', bucket.settings.name),
        element('Prefix', text.encode(prefix)),
        optionalElement('ContinuationToken', query.get('continuation-token')),
        optionalElement('NextContinuationToken', page.last === undefined ? undefined : writeToken(page.last)),
        optionalElement('StartAfter', startAfter === undefined ? undefined : text.encode(startAfter)),
        element('KeyCount', page.items.length),
        ...commonElements(page, { limit, delimiter, text }),
        ...itemsXml(page.items, text, withOwner),
      ].join(''),
    ),
  )
}

/** ListObjects, the first version. */
export const listObjects: Handler = (request, bucket) => {
  request.authorize('s3:ListBucket', { bucket })
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const marker = query.get('marker') ?? ''
  const limit = integerParameter(query, 'max-keys', pageSize)
  const text = listingText(urlEncoding(query))
  const page = listPage(bucket, { prefix, delimiter, after: marker, limit })
  // Without a delimiter clients go on from the last key themselves.
  const nextMarker = delimiter === '' ? undefined : page.last
  return xmlReply(
    s3Document(
      'ListBucketResult',
      [
        element('Name', bucket.settings.name),
        element('Prefix', text.encode(prefix)),
        element('Marker', text.encode(marker)),
        optionalElement('NextMarker', nextMarker === undefined ? undefined : text.encode(nextMarker)),
        ...commonElements(page, { limit, delimiter, text }),
        ...itemsXml(page.items, text, true),
      ].join(''),
    ),
  )
}

interface Shape {
  limit: number
  delimiter: string
  text: ListingText
}

const commonElements = ({ truncated }: ListedPage, { limit, delimiter, text }: Shape): string[] => [
  element('MaxKeys', limit),
  optionalElement('Delimiter', delimiter === '' ? undefined : text.encode(delimiter)),
  optionalElement('EncodingType', text.urlEncoded ? 'url' : undefined),
  element('IsTruncated', truncated),
]

/** Writes whole seconds as `isoTime` does; many of a page fall on one day, whose text is made once. */
function timeWriter(): (time: number) => string {
  const dayMs = 86_400_000
  let day = Number.NaN
  let dayText = ''
  const two = (value: number): string => (value < 10 ? `0${value}` : String(value))
  return (time) => {
    const current = Math.floor(time / dayMs)
    if (current !== day) {
      day = current
      dayText = isoTime(current * dayMs).slice(0, 11)
    }
    const seconds = Math.floor((time - current * dayMs) / 1000)
    const minutes = Math.floor(seconds / 60)
    return `${dayText}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.000Z`
  }
}

function itemsXml(items: readonly ListedItem[], text: ListingText, withOwner: boolean): string[] {
  const owners = new Map<string, string>()
  const ownerXml = (account: string): string => {
    let xml = owners.get(account)
    if (xml === undefined) {
      xml = `<Owner>${element('ID', canonicalUserId(account))}</Owner>`
      owners.set(account, xml)
    }
    return xml
  }
  const secondsText = timeWriter()
  const contents: string[] = []
  const prefixes: string[] = []
  for (const item of items) {
    if ('commonPrefix' in item) {
      prefixes.push(commonPrefixXml(item.commonPrefix, text))
      continue
    }
    const { version } = item
    const checksum = version.checksum
      ? `<ChecksumAlgorithm>${version.checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${version.checksum.type}</ChecksumType>`
      : ''
    contents.push(
      `<Contents>${element('Key', text.encode(item.key))}<LastModified>${secondsText(version.lastModified)}</LastModified><ETag>&quot;${version.etag}&quot;</ETag>${checksum}<Size>${version.size}</Size>${withOwner ? ownerXml(version.owner) : ''}<StorageClass>${version.storageClass}</StorageClass></Contents>`,
    )
  }
  return [...contents, ...prefixes]
}
