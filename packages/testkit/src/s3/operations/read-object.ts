import type { Reply } from '../../types.ts'
import { headerText } from '../body/payload.ts'
import { checksumHeader } from '../checksums/hashers.ts'
import { checkReadConditions } from '../conditions.ts'
import { S3Error } from '../errors.ts'
import { integerParameter } from '../query.ts'
import { type ByteRange, resolveRange } from '../range.ts'
import { emptyReply, type Handler, type S3Request } from '../service.ts'
import { checkCustomerKey, encodeWord, encryptionHeaders } from '../settings.ts'
import type { Bucket, Checksum, ObjectVersion } from '../store/model.ts'
import { findVersion, readVersionId, versionHeaders } from '../versions.ts'

/** Parameter of GetObject -> header that it sets. */
const overrides: Record<string, string> = {
  'response-content-type': 'content-type',
  'response-content-language': 'content-language',
  'response-expires': 'expires',
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
}

/** GetObject and HeadObject. */
export const readObject: Handler = (request, bucket) => {
  const { headers, query, key } = request
  const versionId = readVersionId(query.get('versionId'))
  request.authorize(versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', { bucket, key })
  const version = findVersion(request, bucket, { key, versionId })
  checkCustomerKey(headers, version.encryption)

  const common = {
    etag: `"${version.etag}"`,
    'last-modified': new Date(version.lastModified).toUTCString(),
    ...versionHeaders(bucket, version),
  }
  if (checkReadConditions(headers, version) === 'not-modified') return emptyReply(304, common)

  const part = selectPart(request, version)
  const range = part?.range ?? resolveRange(headerText(headers, 'range'), version.size)
  const checksum = part ? part.checksum : range ? undefined : version.checksum
  const { start, length } = range ?? { start: 0, length: version.size }
  const reply: Reply = {
    status: range ? 206 : 200,
    headers: {
      ...version.headers,
      ...overriddenHeaders(request),
      ...common,
      'accept-ranges': 'bytes',
      'content-length': String(length),
      ...(range && { 'content-range': `bytes ${start}-${start + length - 1}/${version.size}` }),
      ...objectHeaders(version),
      ...(part?.count !== undefined && { 'x-amz-mp-parts-count': String(part.count) }),
      ...(wantsChecksum(request) && checksum && checksumHeaders(checksum)),
    },
  }
  if (version.tags.length > 0 && request.allows('s3:GetObjectTagging', { bucket, key })) {
    reply.headers['x-amz-tagging-count'] = String(version.tags.length)
  }
  if (request.method === 'HEAD') return reply
  return { ...reply, body: request.service.store.read(version.segments, start, length) }
}

interface SelectedPart {
  range: ByteRange | undefined
  /** Absent for objects that were not uploaded in parts. */
  count?: number
  checksum: Checksum | undefined
}

/** The bytes that `partNumber` stands for; an object of one PUT has one part. */
function selectPart({ query, headers }: S3Request, version: ObjectVersion): SelectedPart | undefined {
  if (!query.has('partNumber')) return undefined
  const number = integerParameter(query, 'partNumber', { fallback: 1, minimum: 1, maximum: 10_000 })
  if (headers.range !== undefined) {
    throw new S3Error('InvalidRequest', {
      message: 'Cannot specify both Range header and partNumber query parameter',
    })
  }
  const parts = version.parts ?? [{ number: 1, size: version.size, checksum: version.checksum }]
  const index = parts.findIndex((entry) => entry.number === number)
  const part = parts[index]
  if (!part) {
    throw new S3Error('InvalidPartNumber', {
      details: { ActualPartCount: parts.length, PartNumberRequested: number },
    })
  }
  const start = parts.slice(0, index).reduce((sum, { size }) => sum + size, 0)
  return {
    range: part.size === 0 ? undefined : { start, length: part.size },
    ...(version.parts && { count: version.parts.length }),
    checksum: part.checksum,
  }
}

function overriddenHeaders({ query, principal }: S3Request): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [parameter, header] of Object.entries(overrides)) {
    const value = query.get(parameter)
    if (value === undefined) continue
    if (principal.type === 'anonymous') {
      throw new S3Error('InvalidRequest', {
        message: 'Request specific response headers cannot be used for anonymous GET requests.',
      })
    }
    headers[header] = encodeWord(value)
  }
  return headers
}

const wantsChecksum = ({ headers }: S3Request): boolean =>
  headerText(headers, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'

export const checksumHeaders = ({ algorithm, value, type }: Checksum): Record<string, string> => ({
  [checksumHeader(algorithm)]: value,
  'x-amz-checksum-type': type,
})

function objectHeaders(version: ObjectVersion): Record<string, string> {
  const headers = encryptionHeaders(version.encryption)
  for (const [name, value] of Object.entries(version.metadata))
    headers[`x-amz-meta-${name}`] = encodeWord(value)
  if (version.storageClass !== 'STANDARD') headers['x-amz-storage-class'] = version.storageClass
  if (version.websiteRedirect !== undefined) {
    headers['x-amz-website-redirect-location'] = version.websiteRedirect
  }
  return headers
}

/** Reads a version for its own sake, as a copy does: with the permission, or NoSuchKey. */
export function requireVersion(
  request: S3Request,
  bucket: Bucket,
  wanted: { key: string; versionId: string | undefined },
): ObjectVersion {
  const action = wanted.versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'
  request.authorize(action, { bucket, key: wanted.key })
  return findVersion(request, bucket, wanted)
}
