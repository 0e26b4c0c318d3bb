import { createHash } from 'node:crypto'
import { expectedChecksum, requireSameChecksum } from '../checksums/expected.ts'
import type { Hasher } from '../checksums/hashers.ts'
import { S3Error } from '../errors.ts'
import type { S3Request } from '../service.ts'
import type { Checksum, ChecksumAlgorithm, Segment } from '../store/model.ts'
import { headerText } from './payload.ts'

/** The largest body of one PUT, in bytes: 5 GiB. */
export const maximumPut = 5 * 1024 ** 3

/** A body that is stored but belongs to nothing yet. */
export interface ReceivedBody {
  segments: Segment[]
  size: number
  /** Hex. */
  md5: string
  /** The one that is kept. */
  checksum: Checksum
  /** The one that the client is told: its own, where it sent one. */
  answered: Checksum
}

/**
 * Stores the body of a PUT while it arrives and holds it against every checksum that came with it (Content-MD5,
 * x-amz-checksum-* in front or behind, the signature's SHA-256). Kept is a checksum by `keep`, else the client's own,
 * else the CRC-64/NVME that S3 computes by itself. When anything is wrong, nothing stays behind.
 */
export async function receiveBody(request: S3Request, keep?: ChecksumAlgorithm): Promise<ReceivedBody> {
  const { headers, payload, service } = request
  requireLength(request)
  const expectedMd5 = readContentMd5(headerText(headers, 'content-md5'))
  const expected = expectedChecksum(request)
  const algorithm = keep ?? expected?.algorithm ?? 'CRC64NVME'
  const hasher = await service.hashers(algorithm)
  const second =
    expected && expected.algorithm !== algorithm ? await service.hashers(expected.algorithm) : undefined
  const md5 = createHash('md5')
  const writer = service.store.writer()
  let size = 0
  try {
    for await (const chunk of payload.read()) {
      size += chunk.length
      if (size > maximumPut) throw tooLarge(size)
      md5.update(chunk)
      hasher.update(chunk)
      second?.update(chunk)
      const written = writer.write(chunk)
      if (written) await written
    }
    const digest = md5.digest()
    if (expectedMd5 !== undefined && !expectedMd5.equals(digest)) {
      throw new S3Error('BadDigest', {
        details: {
          ExpectedDigest: expectedMd5.toString('base64'),
          CalculatedDigest: digest.toString('base64'),
        },
      })
    }
    const checksum = full(algorithm, hasher)
    const answered = expected && second ? full(expected.algorithm, second) : checksum
    if (expected) requireSameChecksum(expected.algorithm, expected.value(payload), answered.value)
    const segments = size === 0 ? [] : [{ blob: await writer.finish(), start: 0, length: size }]
    return { segments, size, md5: digest.toString('hex'), checksum, answered }
  } catch (error) {
    await writer.abort()
    throw error
  }
}

const full = (algorithm: ChecksumAlgorithm, hasher: Hasher): Checksum => ({
  algorithm,
  value: hasher.digest().toString('base64'),
  type: 'FULL_OBJECT',
})

function requireLength({ headers, payload }: S3Request): void {
  if (payload.length === undefined) {
    if (headers['transfer-encoding'] === undefined) throw new S3Error('MissingContentLength')
    throw new S3Error('NotImplemented', { details: { Header: 'Transfer-Encoding' } })
  }
  if (payload.length > maximumPut) throw tooLarge(payload.length)
}

const tooLarge = (size: number) =>
  new S3Error('EntityTooLarge', { details: { ProposedSize: size, MaxSizeAllowed: maximumPut } })

/** Sixteen bytes in Base64, or InvalidDigest. */
export function readContentMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 16 || bytes.toString('base64') !== text.trim()) {
    throw new S3Error('InvalidDigest', { details: { 'Content-MD5': text } })
  }
  return bytes
}
