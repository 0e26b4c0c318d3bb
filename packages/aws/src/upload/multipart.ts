import { combineCrc, crcToBase64 } from '../checksum/crc.ts'
import type { S3Client } from '../s3/client.ts'
import { plainETag } from '../s3/head.ts'
import type { ObjectOptions } from '../s3/write-access.ts'
import { resultFields } from '../s3/xml.ts'
import { countedBody, type Payload } from './bytes.ts'
import { objectHeaders, repeatedHeaders } from './headers.ts'

/** A part that S3 has. */
export interface SentPart {
  readonly number: number
  readonly etag: string
  readonly size: number
  readonly crc?: bigint | undefined
}

/** An upload in parts that was begun. */
export interface OpenUpload {
  readonly key: string
  readonly uploadId: string
  /** Headers to repeat with each part. */
  readonly headers: Readonly<Record<string, string>>
}

/** Headers by which S3 keeps a checksum of the whole object, made from those of the parts. */
const checksumChoice = { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'FULL_OBJECT' }

/** CreateMultipartUpload. */
export const createUpload = async (
  client: S3Client,
  key: string,
  options: ObjectOptions,
  signal: AbortSignal,
): Promise<OpenUpload> => {
  const context = client.context('CreateMultipartUpload', 's3:PutObject', key)
  const own = objectHeaders(options)
  const headers = { ...own, ...(client.verify ? checksumChoice : {}) }
  const { UploadId = '' } = await client.retrying(context, { signal }, () =>
    client.attempt({ method: 'POST', query: { uploads: '' }, headers, signal }, context, (response) =>
      resultFields(response, 'InitiateMultipartUploadResult'),
    ),
  )
  return { key, uploadId: UploadId, headers: repeatedHeaders(own) }
}

export interface SendPartOptions {
  readonly signal: AbortSignal
  readonly onBytes?: ((bytes: number) => void) | undefined
  readonly onRetry?: Parameters<S3Client['retrying']>[1]['onRetry']
  readonly beforeTry?: () => Promise<void>
}

/** UploadPart, with its checksum. */
export const sendPart = async (
  client: S3Client,
  upload: OpenUpload,
  number: number,
  payload: Payload,
  { signal, onBytes, onRetry, beforeTry }: SendPartOptions,
): Promise<SentPart> => {
  const context = client.context('UploadPart', 's3:PutObject', upload.key)
  const headers = { ...upload.headers, ...payload.digest.headers }
  const query = { partNumber: String(number), uploadId: upload.uploadId }
  const { body, takeBack } = countedBody(payload, onBytes)
  try {
    return await client.retrying(context, { signal, onRetry }, async () => {
      await beforeTry?.()
      return client.attempt({ method: 'PUT', query, headers, body, signal }, context, async (response) => {
        await response.body.dump()
        const etag = plainETag(response.headers.etag)
        return { number, etag, size: payload.length, crc: payload.digest.crc }
      })
    })
  } catch (error) {
    takeBack()
    throw error
  }
}

/** CRC-64/NVME of all parts together; undefined where one has none. */
export const wholeCrc = (parts: readonly SentPart[]): bigint | undefined => {
  let whole = 0n
  for (const { crc, size } of parts) {
    if (crc === undefined) return undefined
    whole = combineCrc('crc64nvme', whole, crc, size)
  }
  return whole
}

export const base64OfCrc = (crc: bigint): string => crcToBase64('crc64nvme', crc)

/** AbortMultipartUpload. Nothing happens when the upload is gone. */
export const abortUpload = async (
  client: S3Client,
  upload: Pick<OpenUpload, 'key' | 'uploadId'>,
  signal: AbortSignal,
): Promise<void> => {
  const context = client.context('AbortMultipartUpload', 's3:AbortMultipartUpload', upload.key)
  const query = { uploadId: upload.uploadId }
  await client
    .retrying(context, { signal }, () =>
      client.attempt({ method: 'DELETE', query, signal }, context, ({ body }) => body.dump()),
    )
    .catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'NoSuchUpload') throw error
    })
}
