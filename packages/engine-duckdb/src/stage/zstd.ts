import { finished, Readable } from 'node:stream'
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib'

/*
 * Zstandard as tools write it: one frame after the other, some to be skipped (RFC 8878, section 3.1). Node's decoder
 * ends with the first frame and passes over what follows without a word.
 */

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const descriptorAt = 4
const blockHeaderBytes = 3

/** Walks over the structure of frames; their content is passed over unseen. */
const createFrameWalk = () => {
  let header: number[] = []
  let state: 'magic' | 'descriptor' | 'block' | 'length' | 'content' = 'magic'
  /** Bytes until the next header, or until the end of the frame where the last block was met. */
  let skip = 0
  let isLast = false
  let hasChecksum = false
  const read = (count: number) => header.slice(-count).reduceRight((sum, byte) => sum * 256 + byte, 0)
  const next = (to: typeof state, bytes: number) => {
    state = to
    skip = bytes
  }
  const take = (byte: number): void => {
    header.push(byte)
    if (state === 'magic' && header.length === 4) {
      const magic = read(4)
      if (magic === frameMagic) state = 'descriptor'
      else if (magic - (magic % 16) === skippableMagic) state = 'length'
      else throw new Error('what follows a frame is no frame')
    } else if (state === 'length' && header.length === 8) {
      isLast = true
      next('content', read(4))
    } else if (state === 'descriptor') {
      const flags = header[descriptorAt] ?? 0
      const isSingle = (flags & 0x20) !== 0
      hasChecksum = (flags & 4) !== 0
      const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0
      next('block', (isSingle ? 0 : 1) + ([0, 1, 2, 4][flags & 3] ?? 0) + sizeBytes)
      header = []
    } else if (state === 'block' && header.length === blockHeaderBytes) {
      const block = read(blockHeaderBytes)
      isLast = (block & 1) !== 0
      // A block of one repeated byte holds that byte alone.
      const content = ((block >> 1) & 3) === 1 ? 1 : block >> 3
      next(isLast ? 'content' : 'block', content + (isLast && hasChecksum ? 4 : 0))
      header = []
    }
  }
  /** Where in the chunk the frame ends, beginning at `from`; undefined when it goes on after the chunk. */
  return (chunk: Buffer, from: number): number | undefined => {
    for (let at = from; ; ) {
      const passed = Math.min(skip, chunk.length - at)
      skip -= passed
      at += passed
      if (skip === 0 && isLast) {
        header = []
        state = 'magic'
        isLast = false
        return at
      }
      if (at >= chunk.length) return undefined
      take(chunk[at++] ?? 0)
    }
  }
}

/** The decompressed bytes of all frames. Fails where a frame is cut off or corrupt. */
export async function* unzstd(stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = stored[Symbol.asyncIterator]()
  const walk = createFrameWalk()
  let rest: Buffer | undefined
  const nextChunk = async (): Promise<Buffer | undefined> => {
    for (;;) {
      const chunk = rest ?? ((await chunks.next()).value as Buffer | undefined)
      rest = undefined
      if (chunk === undefined || chunk.length > 0) return chunk
    }
  }
  async function* frame(first: Buffer): AsyncGenerator<Buffer> {
    for (let chunk: Buffer | undefined = first; chunk; chunk = await nextChunk()) {
      const end = walk(chunk, 0)
      yield end === undefined ? chunk : chunk.subarray(0, end)
      if (end === undefined) continue
      rest = chunk.subarray(end)
      return
    }
  }
  try {
    for (let chunk = await nextChunk(); chunk; chunk = await nextChunk()) {
      const compressed = Readable.from(frame(chunk))
      const plain = createZstdDecompress({ chunkSize: 1 << 18 })
      finished(compressed, (error) => error && plain.destroy(error))
      yield* compressed.pipe(plain) as AsyncIterable<Buffer>
    }
  } finally {
    await chunks.return?.()
  }
}

/** The same for bytes in memory. Throws a RangeError for more than `maxOutputLength` bytes. */
export const unzstdSync = (stored: Buffer, maxOutputLength: number): Buffer => {
  const parts: Buffer[] = []
  let room = maxOutputLength
  for (let at = 0; at < stored.length; ) {
    const { buffer, engine } = decode(stored.subarray(at), room)
    parts.push(buffer)
    at += engine.bytesWritten
    room -= buffer.length
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

/** With `info` it tells how far it came, which the types do not know. */
const decode = (stored: Buffer, maxOutputLength: number) =>
  zstdDecompressSync(stored, { info: true, maxOutputLength: Math.max(1, maxOutputLength) }) as unknown as {
    readonly buffer: Buffer
    readonly engine: { readonly bytesWritten: number }
  }
