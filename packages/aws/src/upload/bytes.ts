import { createHash } from 'node:crypto'
import { type Crc, crcToBase64, createCrc } from '../checksum/crc.ts'
import type { S3Body } from '../s3/transport.ts'

/**
 * Bytes go to the socket in slices of this size: each one that was taken shows progress, and starts the limit for the
 * answer again. Larger ones would let a slow line look dead.
 */
export const sliceBytes = 256 * 1024

/** Checksums of bytes to be sent. */
export interface Digest {
  /** CRC-64/NVME; only where the connection verifies. */
  readonly crc?: bigint
  /** Headers by which S3 verifies what it gets. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Computes what S3 shall verify: the CRC-64/NVME that it keeps anyway, and that parts can be combined to (2.6 GiB/s a
 * core; a CRC32 costs less than half of it, but 32 bits are little for an object of terabytes). For stores that know
 * no checksums: Content-MD5, which all know.
 */
export interface Digester {
  update(bytes: Uint8Array): void
  finish(): Digest
}

export const createDigester = (verify: boolean): Digester => {
  if (!verify) {
    const md5 = createHash('md5')
    return {
      update: (bytes) => void md5.update(bytes),
      finish: () => ({ headers: { 'content-md5': md5.digest('base64') } }),
    }
  }
  const crc: Crc = createCrc('crc64nvme')
  return {
    update: crc.update,
    finish: () => {
      const value = crc.digest()
      return { crc: value, headers: { 'x-amz-checksum-crc64nvme': crcToBase64('crc64nvme', value) } }
    },
  }
}

/** Bytes that are ready to be sent, as often as it takes. */
export interface Payload {
  readonly length: number
  readonly digest: Digest
  open(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Its memory may be used for other bytes: called once S3 has them. */
  readonly release?: () => void
}

function* slices(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks)
    for (let start = 0; start < chunk.length; start += sliceBytes)
      yield chunk.length <= sliceBytes ? chunk : chunk.subarray(start, start + sliceBytes)
}

/** Bytes in memory. */
export const memoryPayload = (chunks: readonly Uint8Array[], verify: boolean): Payload => {
  const digester = createDigester(verify)
  let length = 0
  for (const chunk of chunks) {
    digester.update(chunk)
    length += chunk.length
  }
  const digest = digester.finish()
  if (length > sliceBytes) return { length, digest, open: () => slices(chunks) }
  const whole = chunks.length === 1 ? chunks : [Buffer.concat(chunks)]
  return { length, digest, open: () => whole }
}

/** A body that counts what is taken of it, and takes the count back when it is opened again. */
export const countedBody = (
  { length, open }: Payload,
  onBytes: ((bytes: number) => void) | undefined,
): { readonly body: S3Body; readonly takeBack: () => void } => {
  let sent = 0
  const takeBack = (): void => {
    if (sent > 0) onBytes?.(-sent)
    sent = 0
  }
  const count = (chunk: Uint8Array): Uint8Array => {
    sent += chunk.length
    onBytes?.(chunk.length)
    return chunk
  }
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of open()) yield count(chunk)
  }
  const reopen = (): Uint8Array | AsyncIterable<Uint8Array> => {
    takeBack()
    if (length > sliceBytes) return counted()
    const [only] = open() as Iterable<Uint8Array>
    return only === undefined ? new Uint8Array() : count(only)
  }
  return { body: { length, open: reopen }, takeBack }
}
