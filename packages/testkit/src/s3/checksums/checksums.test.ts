import { expect, test } from 'vitest'
import type { ChecksumAlgorithm } from '../store/model.ts'
import { combineCrcs, isCombinable } from './combine.ts'
import { checksumAlgorithms, createHashers } from './hashers.ts'

const hashers = createHashers()

async function checksum(algorithm: ChecksumAlgorithm, ...chunks: Buffer[]): Promise<Buffer> {
  const hasher = await hashers(algorithm)
  for (const chunk of chunks) hasher.update(chunk)
  return hasher.digest()
}

/** Check values of the catalogue of parametrised CRC algorithms; those of the SHAs from FIPS 180. */
test.each<[ChecksumAlgorithm, string, string]>([
  ['CRC32', '123456789', 'cbf43926'],
  ['CRC32C', '123456789', 'e3069283'],
  ['CRC64NVME', '123456789', 'ae8b14860a799888'],
  ['SHA1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['SHA256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
])('%s has its published check value', async (algorithm, text, expected) => {
  expect((await checksum(algorithm, Buffer.from(text))).toString('hex')).toBe(expected)
})

test.each(checksumAlgorithms)(
  '%s does not depend on how the bytes arrive, nor on what runs beside it',
  async (algorithm) => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 251))
    const whole = await checksum(algorithm, bytes)
    const [first, second] = await Promise.all([
      checksum(algorithm, bytes.subarray(0, 1), bytes.subarray(1, 70_001), bytes.subarray(70_001)),
      checksum(algorithm, Buffer.alloc(3), bytes),
    ])
    expect(first).toEqual(whole)
    expect(second).not.toEqual(whole)
  },
)

test.each(checksumAlgorithms.filter(isCombinable))(
  '%s of a whole follows from those of its parts',
  async (algorithm) => {
    const parts = [5000, 1, 0, 65_536, 65_536, 3].map((size, index) => Buffer.alloc(size, index + 1))
    const pieces = await Promise.all(
      parts.map(async (part) => ({
        value: (await checksum(algorithm, part)).toString('base64'),
        size: part.length,
      })),
    )
    const whole = await checksum(algorithm, Buffer.concat(parts))
    expect(combineCrcs(algorithm, pieces)).toBe(whole.toString('base64'))
  },
)
