import type { S3Client } from '../s3/client.ts'

/** Memory of parts that S3 has, to be used again. */
interface SpareMemory {
  take(length: number): Buffer
  giveBack(buffer: Buffer): void
}

/** Bytes that are kept for later parts, at most. */
const spareBytes = 64 << 20

const createSpareMemory = (): SpareMemory => {
  const spare: Buffer[] = []
  let kept = 0
  return Object.freeze({
    take: (length: number) => {
      const found = spare.findIndex((buffer) => buffer.length >= length)
      const [buffer] = found === -1 ? [] : spare.splice(found, 1)
      if (!buffer) return Buffer.allocUnsafeSlow(length)
      kept -= buffer.length
      return buffer
    },
    giveBack: (buffer: Buffer) => {
      if (kept + buffer.length > spareBytes) return
      kept += buffer.length
      spare.push(buffer)
    },
  })
}

const memories = new WeakMap<S3Client, SpareMemory>()

/**
 * What all uploads of a connection share: fresh memory for each part would cost more than hashing it, and keep the
 * garbage collector busy.
 */
export const spareMemoryOf = (client: S3Client): SpareMemory => {
  const memory = memories.get(client) ?? createSpareMemory()
  memories.set(client, memory)
  return memory
}
