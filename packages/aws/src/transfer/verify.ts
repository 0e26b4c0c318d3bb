import { createHash, type Hash } from 'node:crypto'
import { ConnectorError, type FileEntry } from '@penstock/core'
import { crcToBase64, createCrc } from '../checksum/crc.ts'
import { type ExpectedChecksum, expectedChecksum } from '../checksum/expected.ts'
import type { S3Client } from '../s3/client.ts'
import { versionHeaders } from './fetch-range.ts'

/**
 * Asks for the checksum of an object that is fetched in ranges: an answer to a ranged GET has none. One HeadObject
 * (permission: s3:GetObject, as for the ranges), under way while the first ranges are. A store that refuses it has
 * no checksum: the user is told, and the ranges are checked by their length and the object's version alone. What keeps
 * failing after retries is thrown: an object that should have been verified is not taken unverified. Of an object that
 * changed the ranges tell.
 */
export const fetchChecksum = async (
  client: S3Client,
  entry: FileEntry,
  signal: AbortSignal,
): Promise<ExpectedChecksum | undefined> => {
  const context = client.context('HeadObject', 's3:GetObject', entry.key)
  const headers = { ...versionHeaders(entry), 'x-amz-checksum-mode': 'ENABLED' }
  // The first one has its place before the ranges; one that comes again would wait for them, as they wait for it.
  let urgent = false
  try {
    return await client.retrying(context, { signal }, () => {
      const request = { method: 'HEAD', headers, urgent, signal } as const
      urgent = true
      return client.attempt(request, context, async (response) => {
        await response.body.dump()
        return expectedChecksum(response.headers, entry.version)
      })
    })
  } catch (error) {
    if (!ConnectorError.isInstance(error) || isTemporary.has(error.kind)) throw error
    if (error.kind !== 'conflict' && error.kind !== 'not-found')
      client.notice(
        `The store refuses HeadObject (${error.code ?? error.kind}), so objects over 8 MiB are checked by length and version, and not by a checksum.`,
      )
    return undefined
  }
}

const isTemporary: ReadonlySet<ConnectorError['kind']> = new Set([
  'network',
  'throttled',
  'cancelled',
  'internal',
])

export const mismatch = (entry: FileEntry, expected: ExpectedChecksum): ConnectorError =>
  new ConnectorError(
    'data',
    `Object ${entry.key} arrived with other bytes than were stored: its ${expected.algorithm.toUpperCase()} differs, twice.`,
    {
      code: 'ChecksumMismatch',
      hint:
        expected.algorithm === 'md5'
          ? "Something on the way changes the bytes. If the ETags of this store are no MD5 sums, set checksums to 'when-required'."
          : 'Something on the way changes the bytes: a proxy, or the memory or disk of a machine. Try another way, and read the object with another tool.',
      place: { object: `s3://${entry.container}/${entry.key}` },
    },
  )

/** Hash of bytes that come in order. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** Ends it: the hash in base64. */
  digest(): string
}

export const runningHash = (expected: ExpectedChecksum): RunningHash => {
  if (expected.kind === 'sequential') {
    const hash: Hash = createHash(expected.algorithm)
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') }
  }
  const crc = createCrc(expected.algorithm)
  return { update: crc.update, digest: () => crcToBase64(expected.algorithm, crc.digest()) }
}
