import { createCipheriv } from 'node:crypto'
import { constants as zlib, zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { unzstd, unzstdSync } from './zstd.ts'

const text = 'id,x\n1,first\n'.repeat(3_000)
const random = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(140_000))
const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')])
const frames = [
  zstdCompressSync(text),
  skippable,
  zstdCompressSync(''),
  zstdCompressSync(random, { params: { [zlib.ZSTD_c_checksumFlag]: 1 } }),
  zstdCompressSync('last'),
]
const stored = Buffer.concat(frames)
const plain = Buffer.concat([Buffer.from(text), random, Buffer.from('last')])

const inChunks = async function* (bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const decoded = async (bytes: Buffer, size: number) =>
  Buffer.concat(await Array.fromAsync(unzstd(inChunks(bytes, size))))

test.each([61, 1000, 1 << 20])('all frames are decoded, in chunks of %i bytes', async (size) => {
  expect((await decoded(stored, size)).equals(plain)).toBe(true)
})

test('all frames are decoded from memory, up to a bound', () => {
  expect(unzstdSync(stored, plain.length).equals(plain)).toBe(true)
  expect(() => unzstdSync(stored, plain.length - 1)).toThrow(RangeError)
})

test('a cut, a flipped bit and what is no frame are failures', async () => {
  const flipped = Buffer.from(stored)
  flipped[stored.length - 50_000] = (stored[stored.length - 50_000] ?? 0) ^ 1
  const bad = [
    stored.subarray(0, -1),
    stored.subarray(0, 100),
    flipped,
    Buffer.concat([stored, Buffer.from('more')]),
  ]
  for (const bytes of bad) {
    await expect(decoded(bytes, 1000)).rejects.toThrow(Error)
    expect(() => unzstdSync(bytes, 1 << 24)).toThrow(Error)
  }
})
