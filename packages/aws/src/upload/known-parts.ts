import { ConnectorError } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import { listParts } from '../s3/list-uploads.ts'
import type { UploadOptions } from '../s3/write-access.ts'
import { objectHeaders, repeatedHeaders } from './headers.ts'
import type { SentPart } from './multipart.ts'

export interface KnownParts {
  readonly parts: ReadonlyMap<number, SentPart>
  readonly headers: Readonly<Record<string, string>>
}

/** Parts that S3 has of an upload that was cut off; undefined when there is no such upload any more. */
export const knownParts = async (
  client: S3Client,
  key: string,
  uploadId: string,
  options: UploadOptions,
): Promise<KnownParts | undefined> => {
  const headers = repeatedHeaders(objectHeaders(options))
  const parts = new Map<number, SentPart>()
  try {
    for await (const page of listParts(client, key, uploadId, { signal: options.signal }))
      for (const { number, etag, size, crc64nvme } of page)
        parts.set(number, {
          number,
          etag,
          size,
          ...(crc64nvme === undefined
            ? {}
            : { crc: BigInt(`0x${Buffer.from(crc64nvme, 'base64').toString('hex')}`) }),
        })
    return { parts, headers }
  } catch (error) {
    if (ConnectorError.isInstance(error) && error.code === 'NoSuchUpload') return undefined
    throw error
  }
}
