import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm'
import type { ChecksumAlgorithm } from '../store/model.ts'

export const checksumAlgorithms: readonly ChecksumAlgorithm[] = [
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
]

/** Bytes of a checksum. */
export const checksumSize: Record<ChecksumAlgorithm, number> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
}

/** `x-amz-checksum-crc32` */
export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`

export interface Hasher {
  update(chunk: Buffer): void
  /** Ends the hasher; it must not be used afterwards. */
  digest(): Buffer
}

export type Hashers = (algorithm: ChecksumAlgorithm) => Hasher | Promise<Hasher>

/**
 * Gives hashers for S3's checksums. CRC32 and the SHAs are native in Node, the other two are WebAssembly, whose
 * instances are kept and used again, since making one costs more than hashing a small object.
 */
export function createHashers(): Hashers {
  const idle: Record<'CRC32C' | 'CRC64NVME', IHasher[]> = { CRC32C: [], CRC64NVME: [] }

  const wasmHasher = (algorithm: 'CRC32C' | 'CRC64NVME', hasher: IHasher): Hasher => {
    hasher.init()
    return {
      update: (chunk) => {
        hasher.update(chunk)
      },
      digest() {
        const digest = Buffer.from(hasher.digest('binary'))
        idle[algorithm].push(hasher)
        return digest
      },
    }
  }

  return (algorithm) => {
    if (algorithm === 'CRC32') return crc32Hasher()
    if (algorithm === 'SHA1' || algorithm === 'SHA256') {
      const hash = createHash(algorithm.toLowerCase())
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() }
    }
    const kept = idle[algorithm].pop()
    if (kept) return wasmHasher(algorithm, kept)
    // Reflected polynomials: Castagnoli's, and that of the NVM Express specification.
    const made = algorithm === 'CRC32C' ? createCRC32(0x82f63b78) : createCRC64('9a6c9329ac4bc9b5')
    return made.then((hasher) => wasmHasher(algorithm, hasher))
  }
}

function crc32Hasher(): Hasher {
  let value = 0
  return {
    update(chunk) {
      value = crc32(chunk, value)
    },
    digest() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value >>> 0)
      return bytes
    },
  }
}
