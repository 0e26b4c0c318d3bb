import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { FileEntry } from '@penstock/core'
import type { S3Client } from '../s3/client.ts'
import { fetchChecksum, runningHash } from './verify.ts'

/** Whether a local file has the bytes of an object; undefined where the object has no checksum of the whole. */
export const fileMatches = async (
  client: S3Client,
  entry: FileEntry,
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean | undefined> => {
  const signal = client.signals(options.signal)
  if ((await stat(path)).size !== entry.size) return false
  const expected = await fetchChecksum(client, entry, signal)
  if (!expected) return undefined
  const hash = runningHash(expected)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk)
  return hash.digest() === expected.base64
}
