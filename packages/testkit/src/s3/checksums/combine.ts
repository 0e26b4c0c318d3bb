/** What a CRC is made of; polynomials in their reflected form, without the highest term. */
interface Crc {
  bits: bigint
  polynomial: bigint
}

const crcs = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} satisfies Record<string, Crc>

export type CombinableAlgorithm = keyof typeof crcs

export const isCombinable = (algorithm: string): algorithm is CombinableAlgorithm => algorithm in crcs

/** One piece of a whole: its CRC in Base64 and its length in bytes. */
export interface CrcPiece {
  value: string
  size: number
}

/**
 * The CRC of several pieces put together, from the CRCs of the pieces alone, in Base64. Appending `n` bytes multiplies
 * by x^(8n) modulo the polynomial; the method is that of zlib's crc32_combine.
 */
export function combineCrcs(algorithm: CombinableAlgorithm, pieces: readonly CrcPiece[]): string {
  const crc = crcs[algorithm]
  // Parts mostly have the same size.
  const shifts = new Map<number, bigint>()
  let whole = 0n
  for (const { value, size } of pieces) {
    let shift = shifts.get(size)
    if (shift === undefined) {
      shift = powerOfX(BigInt(size) * 8n, crc)
      shifts.set(size, shift)
    }
    whole = multiply(shift, whole, crc) ^ BigInt(`0x${Buffer.from(value, 'base64').toString('hex')}`)
  }
  return Buffer.from(whole.toString(16).padStart(Number(crc.bits) / 4, '0'), 'hex').toString('base64')
}

/** Product of two polynomials modulo the CRC's; the highest bit is x^0. */
function multiply(a: bigint, b: bigint, { bits, polynomial }: Crc): bigint {
  let product = 0n
  let factor = b
  for (let mask = 1n << (bits - 1n); mask > 0n; mask >>= 1n) {
    if (a & mask) product ^= factor
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
  }
  return product
}

/** x^n modulo the polynomial, by squaring. */
function powerOfX(n: bigint, crc: Crc): bigint {
  let result = 1n << (crc.bits - 1n)
  let square = 1n << (crc.bits - 2n)
  for (let left = n; left > 0n; left >>= 1n) {
    if (left & 1n) result = multiply(square, result, crc)
    square = multiply(square, square, crc)
  }
  return result
}
