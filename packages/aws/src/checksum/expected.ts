import type { CrcName } from './crc.ts'

/** Hashes that need the bytes in order. */
export type SequentialName = 'md5' | 'sha1' | 'sha256'

/** What the whole object has to hash to. */
export type ExpectedChecksum =
  | { readonly kind: 'crc'; readonly algorithm: CrcName; readonly base64: string }
  | { readonly kind: 'sequential'; readonly algorithm: SequentialName; readonly base64: string }

/** Cheapest first. */
const crcs: readonly CrcName[] = ['crc32', 'crc32c', 'crc64nvme']
const digests = ['sha1', 'sha256'] as const

/**
 * The checksum to verify a whole object with, from the headers of an answer that was asked with
 * `x-amz-checksum-mode: ENABLED` and had no range; undefined where none is known.
 *
 * The checksum of the whole object comes first. A composite one (`-N`: a hash of the hashes of parts) says nothing
 * about the whole. Else the ETag: it is the MD5 of the bytes, unless the object came in parts (`-N`) or is encrypted
 * with a KMS key or the customer's key.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export const expectedChecksum = (
  headers: Readonly<Record<string, string>>,
  etag: string,
): ExpectedChecksum | undefined => {
  if (headers['x-amz-checksum-type'] !== 'COMPOSITE') {
    const value = (name: string): string | undefined => {
      const base64 = headers[`x-amz-checksum-${name}`]
      return base64 === undefined || /-\d+$/.test(base64) ? undefined : base64
    }
    for (const algorithm of crcs) {
      const base64 = value(algorithm)
      if (base64 !== undefined) return { kind: 'crc', algorithm, base64 }
    }
    for (const algorithm of digests) {
      const base64 = value(algorithm)
      if (base64 !== undefined) return { kind: 'sequential', algorithm, base64 }
    }
  }
  return etagIsMd5(headers, etag)
    ? { kind: 'sequential', algorithm: 'md5', base64: Buffer.from(etag, 'hex').toString('base64') }
    : undefined
}

const etagIsMd5 = (headers: Readonly<Record<string, string>>, etag: string): boolean =>
  /^[0-9a-f]{32}$/.test(etag) &&
  !(headers['x-amz-server-side-encryption'] ?? '').startsWith('aws:kms') &&
  headers['x-amz-server-side-encryption-customer-algorithm'] === undefined
