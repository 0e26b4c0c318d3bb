import { invalidArgument } from '../errors.ts'
import { commonPrefixXml, type ListingText, listingText, walkGroups } from '../listing.ts'
import { integerParameter, urlEncoding } from '../query.ts'
import { canonicalUserId, type Handler, isoTime, xmlReply } from '../service.ts'
import type { Bucket, ObjectVersion } from '../store/model.ts'
import { element, optionalElement, s3Document } from '../xml.ts'

type Item = { key: string; version: ObjectVersion; latest: boolean } | { commonPrefix: string }

interface VersionsQuery {
  prefix: string
  delimiter: string
  keyMarker: string
  /** Versions of `keyMarker` after this one come first. */
  versionIdMarker: string | undefined
}

/** Visits keys in order, the versions of each from the newest, until `visit` says false; then returns true. */
function walkVersions(bucket: Bucket, query: VersionsQuery, visit: (item: Item) => boolean): boolean {
  const { prefix, delimiter, keyMarker, versionIdMarker } = query
  const visitVersions = (key: string, versions: readonly ObjectVersion[], from: number): boolean =>
    versions.every((version, index) => index < from || visit({ key, version, latest: index === 0 }))
  if (versionIdMarker !== undefined && keyMarker.startsWith(prefix)) {
    const versions = bucket.objects.get(keyMarker) ?? []
    const marked = versions.findIndex(({ versionId }) => versionId === versionIdMarker)
    if (marked >= 0 && !visitVersions(keyMarker, versions, marked + 1)) return true
  }
  return walkGroups(
    bucket,
    { prefix, delimiter, after: keyMarker },
    () => true,
    (found) =>
      found.versions === undefined
        ? visit({ commonPrefix: found.commonPrefix })
        : visitVersions(found.key, found.versions, 0),
  )
}

/** ListObjectVersions. */
export const listObjectVersions: Handler = (request, bucket) => {
  request.authorize('s3:ListBucketVersions', { bucket })
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const versionIdMarker = query.get('version-id-marker') || undefined
  if (versionIdMarker !== undefined && keyMarker === '') {
    throw invalidArgument(
      'version-id-marker',
      versionIdMarker,
      'A version-id marker cannot be specified without a key marker.',
    )
  }
  const limit = integerParameter(query, 'max-keys', { fallback: 1000, minimum: 0, maximum: 1000 })
  const text = listingText(urlEncoding(query))
  const items: Item[] = []
  const truncated =
    limit > 0 &&
    walkVersions(bucket, { prefix, delimiter, keyMarker, versionIdMarker }, (item) => {
      if (items.length === limit) return false
      items.push(item)
      return true
    })
  const last = truncated ? items.at(-1) : undefined
  return xmlReply(
    s3Document(
      'ListVersionsResult',
      [
        element('Name', bucket.settings.name),
        element('Prefix', text.encode(prefix)),
        element('KeyMarker', text.encode(keyMarker)),
        element('VersionIdMarker', versionIdMarker ?? ''),
        ...(last ? nextMarkers(last, text) : []),
        element('MaxKeys', limit),
        optionalElement('Delimiter', delimiter === '' ? undefined : text.encode(delimiter)),
        optionalElement('EncodingType', text.urlEncoded ? 'url' : undefined),
        element('IsTruncated', truncated),
        ...items.map((item) =>
          'commonPrefix' in item ? commonPrefixXml(item.commonPrefix, text) : versionXml(item, text),
        ),
      ].join(''),
    ),
  )
}

function nextMarkers(last: Item, { encode }: ListingText): string[] {
  if ('commonPrefix' in last) return [element('NextKeyMarker', encode(last.commonPrefix))]
  return [element('NextKeyMarker', encode(last.key)), element('NextVersionIdMarker', last.version.versionId)]
}

function versionXml(
  { key, version, latest }: Exclude<Item, { commonPrefix: string }>,
  { encode }: ListingText,
) {
  const head = `${element('Key', encode(key))}${element('VersionId', version.versionId)}${element('IsLatest', latest)}${element('LastModified', isoTime(version.lastModified))}`
  const owner = `<Owner>${element('ID', canonicalUserId(version.owner))}</Owner>`
  if (version.deleteMarker) return `<DeleteMarker>${head}${owner}</DeleteMarker>`
  const { checksum } = version
  return `<Version>${head}${element('ETag', `"${version.etag}"`)}${optionalElement('ChecksumAlgorithm', checksum?.algorithm)}${optionalElement('ChecksumType', checksum?.type)}${element('Size', version.size)}${owner}${element('StorageClass', version.storageClass)}</Version>`
}
