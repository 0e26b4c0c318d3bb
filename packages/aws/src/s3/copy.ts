import { type ByteRange, ConnectorError, type FileEntry } from '@penstock/core'
import { encodeKey, encodeUri } from '../signing/encode.ts'
import { completeUpload } from '../upload/complete.ts'
import { conditionHeaders, objectHeaders } from '../upload/headers.ts'
import { abortUpload, createUpload, type OpenUpload, type SentPart } from '../upload/multipart.ts'
import { maxPartBytes, parallelParts } from '../upload/plan-parts.ts'
import type { S3Head } from './access.ts'
import type { S3Client } from './client.ts'
import { plainETag, versionOf } from './head.ts'
import type { ObjectOptions, S3CopyOptions, S3Written } from './write-access.ts'
import { resultFields } from './xml.ts'

const MiB = 1 << 20

/** S3 copies within itself: what counts is that many parts are under way, not how small they are. */
const copyPartBytes = 512 * MiB
/** S3 answers when it is through with the bytes. */
const patience = 20
/** 1,200 s at the default: a store that has not copied a part twice by then will not. */
const mostSilences = 2

const sourceHeaders = (source: FileEntry): Record<string, string> => ({
  'x-amz-copy-source': `/${source.container}/${encodeKey(source.key)}${
    source.versionId === undefined ? '' : `?versionId=${encodeUri(source.versionId)}`
  }`,
  ...(source.version === '' ? {} : { 'x-amz-copy-source-if-match': `"${source.version}"` }),
})

/**
 * Copies one version of an object with what S3 keeps with it: metadata, content headers, tags and storage class, unless
 * the options say otherwise. Encryption and rights are those of the target.
 */
export const copyObject = async (
  client: S3Client,
  source: FileEntry,
  key: string,
  options: S3CopyOptions = {},
): Promise<S3Written> => {
  const own = { ...sameClass(source), ...defined(options) }
  return source.size > (options.partsAbove ?? maxPartBytes)
    ? copyInParts(client, source, key, own)
    : copyAtOnce(client, source, key, own)
}

/** Classes that a copy of an object can be written to. Of an archive it leaves: there it could not be read. */
const classes = new Set([
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
])

const sameClass = ({ storageClass }: FileEntry & { readonly storageClass?: string }): ObjectOptions =>
  storageClass !== undefined && classes.has(storageClass) ? { storageClass } : {}

const defined = (options: S3CopyOptions): S3CopyOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const replacesMetadata = (options: ObjectOptions): boolean =>
  options.contentType !== undefined ||
  options.contentEncoding !== undefined ||
  options.contentDisposition !== undefined ||
  options.contentLanguage !== undefined ||
  options.cacheControl !== undefined ||
  options.metadata !== undefined

const copyAtOnce = async (
  client: S3Client,
  source: FileEntry,
  key: string,
  options: S3CopyOptions,
): Promise<S3Written> => {
  const signal = client.signals(options.signal)
  const context = { ...client.context('CopyObject', 's3:PutObject', key), source }
  const replaces = replacesMetadata(options)
  // S3 replaces all of it or nothing.
  const kept = replaces && options.head ? carriedOver(await options.head()) : {}
  const headers = {
    ...objectHeaders({ ...kept, ...options }),
    ...(replaces ? { 'x-amz-metadata-directive': 'REPLACE' } : {}),
    ...(options.tags ? { 'x-amz-tagging-directive': 'REPLACE' } : {}),
    ...sourceHeaders(source),
    ...conditionHeaders(options),
  }
  return client.retrying(context, { signal, mostSilences }, () =>
    client.attempt({ method: 'PUT', headers, patience, signal }, context, async (response) => {
      const { ETag } = await resultFields(response, 'CopyObjectResult')
      options.onBytes?.(source.size)
      return {
        key,
        etag: plainETag(ETag),
        ...versionOf(response.headers['x-amz-version-id']),
        size: source.size,
      }
    }),
  )
}

/** Metadata and content headers of the source, where S3 does not take them over. */
const carriedOver = (head: S3Head): ObjectOptions => ({
  contentType: head.contentType,
  contentEncoding: head.contentEncoding,
  contentDisposition: head.contentDisposition,
  contentLanguage: head.contentLanguage,
  cacheControl: head.cacheControl,
  metadata: head.metadata,
  ...(head.expires === undefined ? {} : { headers: { expires: head.expires } }),
})

const copyInParts = async (
  client: S3Client,
  source: FileEntry,
  key: string,
  options: S3CopyOptions,
): Promise<S3Written> => {
  const stop = new AbortController()
  const signal = AbortSignal.any([client.signals(options.signal), stop.signal])
  const head = await options.head?.()
  const tags = options.tags === undefined && head?.tags ? await options.sourceTags?.() : undefined
  const kept = { ...(head ? carriedOver(head) : {}), ...(tags ? { tags } : {}) }
  const upload = await createUpload(client, key, { ...kept, ...options }, signal)
  try {
    const ranges = copyRanges(source.size)
    const parts: SentPart[] = []
    let next = 0
    const lane = async (): Promise<void> => {
      for (let index = next++; index < ranges.length; index = next++) {
        const range = ranges[index] as ByteRange
        parts.push(await copyPart(client, source, upload, index + 1, range, signal))
        options.onBytes?.(range.end - range.start)
      }
    }
    await Promise.all(
      Array.from({ length: parallelParts }, () => lane().catch((error: unknown) => stop.abort(error))),
    )
    if (stop.signal.aborted) throw stop.signal.reason
    parts.sort((a, b) => a.number - b.number)
    return await completeUpload(client, upload, parts, { ...options, signal })
  } catch (error) {
    await abortUpload(client, upload, AbortSignal.timeout(10_000)).catch(() => {})
    throw error
  }
}

const copyRanges = (size: number): readonly ByteRange[] => {
  const step = Math.max(copyPartBytes, Math.ceil(size / 9000 / MiB) * MiB)
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => ({
    start: index * step,
    end: Math.min(size, (index + 1) * step),
  }))
}

const copyPart = (
  client: S3Client,
  source: FileEntry,
  upload: OpenUpload,
  number: number,
  { start, end }: ByteRange,
  signal: AbortSignal,
): Promise<SentPart> => {
  const context = { ...client.context('UploadPartCopy', 's3:PutObject', upload.key), source }
  const query = { partNumber: String(number), uploadId: upload.uploadId }
  const headers = {
    ...upload.headers,
    ...sourceHeaders(source),
    'x-amz-copy-source-range': `bytes=${start}-${end - 1}`,
  }
  return client.retrying(context, { signal, mostSilences }, () =>
    client.attempt({ method: 'PUT', query, headers, patience, signal }, context, async (response) => {
      const { ETag, ChecksumCRC64NVME: crc } = await resultFields(response, 'CopyPartResult')
      if (ETag === undefined)
        throw new ConnectorError('network', 'The store copied a part and did not name it.', {
          code: 'NoETag',
        })
      return {
        number,
        etag: plainETag(ETag),
        size: end - start,
        ...(crc === undefined ? {} : { crc: BigInt(`0x${Buffer.from(crc, 'base64').toString('hex')}`) }),
      }
    }),
  )
}
