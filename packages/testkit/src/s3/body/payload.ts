import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Verified } from '../../sigv4/verify.ts'
import { S3Error } from '../errors.ts'
import { decodeChunked } from './chunked.ts'

/** The body of a request, decoded and checked against what the signature says of it. */
export interface Payload {
  /** Bytes that the client announced, after decoding; undefined where it did not. */
  readonly length: number | undefined
  /** Headers behind an `aws-chunked` body; complete when `read` has ended. */
  readonly trailers: ReadonlyMap<string, string>
  /** Names that `x-amz-trailer` announced. */
  readonly announcedTrailers: readonly string[]
  /** The bytes, once. Throws S3Error when they are not those that were signed or announced. */
  read(): AsyncGenerator<Buffer>
  /** All bytes of a small body; MaxMessageLengthExceeded beyond `limit` bytes. */
  readAll(limit: number): Promise<Buffer>
}

export function createPayload(
  source: AsyncIterable<Buffer>,
  headers: IncomingHttpHeaders,
  verified: Verified | undefined,
): Payload {
  const mode = verified?.payloadHash ?? headerText(headers, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'
  const chunked = mode.startsWith('STREAMING-')
  const announcedTrailers = chunked
    ? (headerText(headers, 'x-amz-trailer') ?? '')
        .split(',')
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== '')
    : []
  const trailers = new Map<string, string>()
  const length = readLength(headerText(headers, chunked ? 'x-amz-decoded-content-length' : 'content-length'))

  async function* read(): AsyncGenerator<Buffer> {
    const signing = mode.startsWith('STREAMING-AWS4-HMAC-SHA256') ? verified : undefined
    const options = { announced: announcedTrailers, ...(signing && { signing }) }
    const bytes = chunked ? decodeChunked(source, options, trailers) : source
    const hash = verified && /^[0-9a-f]{64}$/.test(mode) ? createHash('sha256') : undefined
    let count = 0
    for await (const chunk of bytes) {
      count += chunk.length
      hash?.update(chunk)
      yield chunk
    }
    if (length !== undefined && count !== length) throw new S3Error('IncompleteBody')
    const computed = hash?.digest('hex')
    if (computed !== undefined && computed !== mode) {
      throw new S3Error('XAmzContentSHA256Mismatch', {
        details: { ClientComputedContentSHA256: mode, S3ComputedContentSHA256: computed },
      })
    }
  }

  return {
    length,
    trailers,
    announcedTrailers,
    read,
    async readAll(limit) {
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of read()) {
        size += chunk.length
        if (size > limit) throw new S3Error('MaxMessageLengthExceeded')
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}

function readLength(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new S3Error('InvalidArgument', { message: 'Invalid length.' })
  return Number(text)
}

/** One header as text; a repeated one is joined by commas, as Node does for most. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
