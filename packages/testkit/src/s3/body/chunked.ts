import { createHash, type Hash } from 'node:crypto'
import { emptySha256, sign } from '../../sigv4/canonical.ts'
import { equalInConstantTime, type Verified } from '../../sigv4/verify.ts'
import { S3Error } from '../errors.ts'

/** All chunks but the last have at least this many bytes. */
const minimumChunk = 8192
/** A line that gives the size of a chunk, or a trailer, is not longer than this. */
const maximumLine = 4096

export interface ChunkedOptions {
  /** Set when chunks are signed: what the chain of signatures begins with. */
  signing?: Pick<Verified, 'signature' | 'signingKey' | 'amzDate' | 'scopeText'>
  /** Trailing headers that the request announced, in lower case. */
  announced: readonly string[]
}

/**
 * Decodes `aws-chunked` bodies: sizes in hex, data, a final chunk of no bytes, then trailing headers. Verifies the
 * signature of every chunk and of the trailer where they are signed. Trailers go into `trailers`.
 * Source: Amazon S3 API reference, "Signature calculations: transferring payload in multiple chunks".
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  options: ChunkedOptions,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const chain = options.signing && signatureChain(options.signing)
  let line: Buffer = Buffer.alloc(0)
  const trailerLines: string[] = []
  let state: 'size' | 'data' | 'data-end' | 'trailer' = 'size'
  let left = 0
  let small = false

  for await (const chunk of source) {
    let at = 0
    while (at < chunk.length) {
      if (state === 'data') {
        const data = chunk.subarray(at, at + left)
        at += data.length
        left -= data.length
        chain?.update(data)
        if (left === 0) state = 'data-end'
        yield data
        continue
      }
      const end = chunk.indexOf(0x0a, at)
      const piece = chunk.subarray(at, end < 0 ? chunk.length : end)
      line = line.length === 0 ? piece : Buffer.concat([line, piece])
      if (line.length > maximumLine) throw new S3Error('InvalidRequest', { message: 'Malformed chunk.' })
      if (end < 0) {
        // The chunk's memory may not outlive this turn.
        line = Buffer.from(line)
        break
      }
      at = end + 1
      const text = line.toString('latin1').replace(/\r$/, '')
      line = Buffer.alloc(0)
      if (state === 'data-end') {
        if (text !== '') throw new S3Error('IncompleteBody')
        chain?.endChunk()
        state = 'size'
      } else if (state === 'trailer') {
        if (text !== '') trailerLines.push(text)
      } else {
        left = chunkSize(text, chain)
        if (small && left > 0) throw new S3Error('InvalidChunkSizeError')
        small = left < minimumChunk
        if (left === 0) chain?.endChunk()
        state = left === 0 ? 'trailer' : 'data'
      }
    }
  }
  if (state !== 'trailer') throw new S3Error('IncompleteBody')
  readTrailers(trailerLines, options, chain, trailers)
}

function chunkSize(line: string, chain: SignatureChain | undefined): number {
  const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?\s*$/.exec(line)
  if (!match) throw new S3Error('IncompleteBody')
  if (chain) {
    if (!match[2]) throw new S3Error('IncompleteBody')
    chain.beginChunk(match[2])
  }
  return Number.parseInt(match[1] as string, 16)
}

interface SignatureChain {
  beginChunk(signature: string): void
  update(data: Buffer): void
  endChunk(): void
  checkTrailer(signature: string, text: string): void
}

/** Each chunk's signature covers the one before it, so that none can be left out or moved. */
function signatureChain(signing: NonNullable<ChunkedOptions['signing']>): SignatureChain {
  const { amzDate, scopeText, signingKey } = signing
  let previous = signing.signature
  let given = ''
  let hash: Hash = createHash('sha256')
  const check = (algorithm: string, hashes: string, signature: string) => {
    const text = `${algorithm}\n${amzDate}\n${scopeText}\n${previous}\n${hashes}`
    if (!equalInConstantTime(sign(signingKey, text), signature)) throw new S3Error('SignatureDoesNotMatch')
    previous = signature
  }
  return {
    beginChunk(signature) {
      given = signature
      hash = createHash('sha256')
    },
    update(data) {
      hash.update(data)
    },
    endChunk() {
      check('AWS4-HMAC-SHA256-PAYLOAD', `${emptySha256}\n${hash.digest('hex')}`, given)
    },
    checkTrailer(signature, text) {
      const digest = createHash('sha256').update(text, 'latin1').digest('hex')
      check('AWS4-HMAC-SHA256-TRAILER', digest, signature)
    },
  }
}

function readTrailers(
  lines: readonly string[],
  { announced }: ChunkedOptions,
  chain: SignatureChain | undefined,
  trailers: Map<string, string>,
): void {
  let signature: string | undefined
  let signedText = ''
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (colon < 1) throw new S3Error('MalformedTrailerError')
    if (name === 'x-amz-trailer-signature') {
      signature = value
      continue
    }
    if (!announced.includes(name)) throw new S3Error('MalformedTrailerError')
    trailers.set(name, value)
    signedText += `${name}:${value}\n`
  }
  for (const name of announced) if (!trailers.has(name)) throw new S3Error('MalformedTrailerError')
  if (!chain || announced.length === 0) return
  if (signature === undefined) throw new S3Error('MalformedTrailerError')
  chain.checkTrailer(signature, signedText)
}
