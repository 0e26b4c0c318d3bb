import { createHash } from 'node:crypto'
import { crcToBase64 } from '../checksum/crc.ts'
import type { S3Client } from '../s3/client.ts'
import { plainETag, versionOf } from '../s3/head.ts'
import type { S3Written } from '../s3/write-access.ts'

/** What an object has to be like that one has written oneself. */
export interface WrittenProof {
  readonly size: number
  readonly crc?: bigint | undefined
  /** Base64. */
  readonly md5?: string | undefined
  /** ETags of all parts, for an object in parts. */
  readonly partETags?: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** ETag of an object in parts whose own ETags are MD5 sums. */
const compositeETag = (parts: readonly string[]): string => {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part, 'hex')
  return `${hash.digest('hex')}-${parts.length}`
}

/**
 * Looks whether a write whose answer got lost has taken effect: the object is there, as long as what was sent, and
 * has its checksum or its ETag. Undefined when it is another one, or can't be looked at.
 */
export const findWritten = async (
  client: S3Client,
  key: string,
  proof: WrittenProof,
): Promise<S3Written | undefined> => {
  const context = client.context('HeadObject', 's3:GetObject', key)
  const headers = { ...proof.headers, 'x-amz-checksum-mode': 'ENABLED' }
  const { signal } = proof
  const found = await client
    .retrying(context, { signal }, () =>
      client.attempt({ method: 'HEAD', headers, signal }, context, async (response) => {
        await response.body.dump()
        return response.headers
      }),
    )
    .catch(() => undefined)
  if (!found || Number(found['content-length']) !== proof.size) return undefined
  const etag = plainETag(found.etag)
  const checksum = proof.crc === undefined ? undefined : crcToBase64('crc64nvme', proof.crc)
  const same =
    (checksum !== undefined && found['x-amz-checksum-crc64nvme'] === checksum) ||
    (proof.md5 !== undefined && Buffer.from(proof.md5, 'base64').toString('hex') === etag) ||
    (proof.partETags !== undefined && compositeETag(proof.partETags) === etag)
  if (!same) return undefined
  return {
    key,
    etag,
    ...versionOf(found['x-amz-version-id']),
    size: proof.size,
    ...(checksum === undefined ? {} : { crc64nvme: checksum }),
  }
}
