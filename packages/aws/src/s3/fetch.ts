import { ConnectorError } from '@penstock/core'
import { expectedChecksum } from '../checksum/expected.ts'
import { mismatch, runningHash } from '../transfer/verify.ts'
import type { FetchOptions } from './access.ts'
import type { S3Client } from './client.ts'
import { readHead } from './head.ts'

/**
 * All bytes of an object of unknown size, by one request and without asking for its size first. They are verified
 * against the checksum or ETag; wrong ones are fetched once more, then it is a `data` error. Throws `not-found` when
 * there is no such object, `resource` when it is larger than allowed.
 */
export const fetchObject = async (
  client: S3Client,
  key: string,
  { signal: given, maxBytes = 1 << 30, onEntry }: FetchOptions = {},
): Promise<Uint8Array> => {
  const signal = client.signals(given)
  const context = client.context('GetObject', 's3:GetObject', key)
  const headers: Record<string, string> = client.verify ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
  for (let again = false; ; again = true) {
    const wrong = await client.retrying(context, { signal }, () =>
      client.attempt({ method: 'GET', headers, signal }, context, async (response) => {
        const { entry } = readHead(client.bucket, key, response.headers)
        if (entry.size > maxBytes) throw tooLarge(entry.size, maxBytes, client.bucket, key)
        const expected = client.verify ? expectedChecksum(response.headers, entry.version) : undefined
        const hash = expected && runningHash(expected)
        const chunks: Uint8Array[] = []
        let size = 0
        for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
          chunks.push(chunk)
          size += chunk.length
          client.counters.bytes += chunk.length
          hash?.update(chunk)
          if (size > maxBytes) throw tooLarge(size, maxBytes, client.bucket, key)
        }
        if (expected && hash && hash.digest() !== expected.base64) return { error: mismatch(entry, expected) }
        onEntry?.(entry)
        return Buffer.concat(chunks)
      }),
    )
    if (wrong instanceof Uint8Array) return wrong
    if (again) throw wrong.error
  }
}

const tooLarge = (size: number, limit: number, bucket: string, key: string): ConnectorError =>
  new ConnectorError('resource', `Object ${key} has ${size} bytes; at most ${limit} are read into memory.`, {
    code: 'ObjectTooLarge',
    place: { object: `s3://${bucket}/${key}` },
  })
