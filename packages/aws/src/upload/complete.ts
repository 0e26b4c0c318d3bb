import { ConnectorError } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import { plainETag, versionOf } from '../s3/head.ts'
import type { S3Written, WriteConditions } from '../s3/write-access.ts'
import { escapeXml, resultFields, xmlBody } from '../s3/xml.ts'
import { conditionHeaders } from './headers.ts'
import { base64OfCrc, type OpenUpload, type SentPart, wholeCrc } from './multipart.ts'
import { findWritten } from './written.ts'

/** S3 may take minutes to put thousands of parts together; until then it sends spaces, if anything. */
const patience = 10

/**
 * Two tries without an answer take 600 s at the default of 30 s for others: S3 itself answers at once and sends spaces
 * while it works, and a store that needed longer than that twice is no longer working on it. Without this bound a store
 * that never answers would hold a run for 10 times 300 s.
 */
const mostSilences = 2

const document = (parts: readonly SentPart[]) =>
  xmlBody(
    'CompleteMultipartUpload',
    parts
      .map(({ number, etag, crc }) => {
        const checksum = crc === undefined ? '' : `<ChecksumCRC64NVME>${base64OfCrc(crc)}</ChecksumCRC64NVME>`
        return `<Part><PartNumber>${number}</PartNumber><ETag>"${escapeXml(etag)}"</ETag>${checksum}</Part>`
      })
      .join(''),
  )

const unknownOutcome = (key: string, cause: ConnectorError): ConnectorError =>
  new ConnectorError('network', `It is not known whether ${key} was written: the answer got lost.`, {
    code: 'UnknownOutcome',
    hint: 'Look at the object before you write it again.',
    place: cause.place ?? {},
    cause,
  })

/**
 * CompleteMultipartUpload. S3 verifies each part and the whole against the checksums that were computed here. Where an
 * answer got lost, the object is looked up: what is there with these bytes was written.
 */
export const completeUpload = async (
  client: S3Client,
  upload: OpenUpload,
  parts: readonly SentPart[],
  options: WriteConditions & { readonly signal: AbortSignal },
): Promise<S3Written> => {
  const { key, uploadId } = upload
  const { signal } = options
  const context = client.context('CompleteMultipartUpload', 's3:PutObject', key)
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const crc = wholeCrc(parts)
  const checksum = crc === undefined ? {} : { crc64nvme: base64OfCrc(crc) }
  const headers = {
    ...upload.headers,
    ...(crc === undefined
      ? {}
      : {
          'x-amz-checksum-crc64nvme': base64OfCrc(crc),
          'x-amz-checksum-type': 'FULL_OBJECT',
          'x-amz-mp-object-size': String(size),
        }),
    ...conditionHeaders(options),
  }
  const body = document(parts)
  let lostAnswer = false

  const attempt = (): Promise<S3Written> =>
    client.attempt(
      { method: 'POST', query: { uploadId }, headers, body, patience, signal },
      context,
      async (response) => {
        const { ETag } = await resultFields(response, 'CompleteMultipartUploadResult')
        return {
          key,
          etag: plainETag(ETag),
          ...versionOf(response.headers['x-amz-version-id']),
          size,
          ...checksum,
        }
      },
    )

  const lookUp = (): Promise<S3Written | undefined> =>
    findWritten(client, key, {
      size,
      crc,
      partETags: parts.map((part) => part.etag),
      headers: upload.headers,
      signal,
    })

  try {
    return await client.retrying(context, { signal, mostSilences }, async () => {
      try {
        return await attempt()
      } catch (error) {
        const { code, kind } = error as ConnectorError
        const gone = code === 'NoSuchUpload' || kind === 'conflict'
        const written = lostAnswer && gone ? await lookUp() : undefined
        if (written) return written
        // An error within a 200, or a 5xx, may have taken effect as well.
        lostAnswer ||= kind === 'network'
        throw error
      }
    })
  } catch (error) {
    if (!lostAnswer || !ConnectorError.isInstance(error) || error.kind !== 'network') throw error
    const written = await lookUp()
    if (written) return written
    throw unknownOutcome(key, error)
  }
}
