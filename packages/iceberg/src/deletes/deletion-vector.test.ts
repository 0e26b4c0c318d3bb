import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDeletionVector } from './deletion-vector.ts'

/** A vector of these positions, one roaring container of each kind that fits. */
const vectorOf = (positions: readonly bigint[], runs = false): Uint8Array => {
  const byHigh = new Map<bigint, Map<number, number[]>>()
  for (const position of positions) {
    const containers = byHigh.get(position >> 32n) ?? new Map<number, number[]>()
    byHigh.set(position >> 32n, containers)
    const low = Number(position & 0xffffffffn)
    const key = Math.floor(low / 65536)
    containers.set(key, [...(containers.get(key) ?? []), low % 65536])
  }
  const bytes: number[] = []
  const u16 = (value: number) => bytes.push(value & 255, value >> 8)
  const u32 = (value: number) =>
    bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24)
  u32(byHigh.size)
  u32(0)
  for (const [high, containers] of byHigh) {
    u32(Number(high))
    if (runs) {
      u16(12347)
      u16(containers.size - 1)
      for (let index = 0; index < Math.ceil(containers.size / 8); index++) bytes.push(255)
    } else {
      u32(12346)
      u32(containers.size)
    }
    for (const [key, values] of containers) {
      u16(key)
      u16(values.length - 1)
    }
    if (!runs || containers.size >= 4) for (let index = 0; index < containers.size; index++) u32(0)
    for (const values of containers.values()) {
      if (runs) {
        u16(values.length)
        for (const value of values) {
          u16(value)
          u16(0)
        }
      } else if (values.length <= 4096) values.forEach(u16)
      else {
        const bitmap = new Uint8Array(8192)
        for (const value of values) bitmap[value >> 3] = (bitmap[value >> 3] ?? 0) | (1 << (value & 7))
        bytes.push(...bitmap)
      }
    }
  }
  const blob = new Uint8Array(4 + 4 + bytes.length + 4)
  const view = new DataView(blob.buffer)
  view.setUint32(0, bytes.length + 4)
  blob.set([0xd1, 0xd3, 0x39, 0x64], 4)
  blob.set(bytes, 8)
  view.setUint32(blob.length - 4, crc32(blob.subarray(4, -4)))
  return blob
}

const positionsOf = (blob: Uint8Array): bigint[] => [...parseDeletionVector(blob, 's3://b/v.puffin')]

describe('a deletion vector', () => {
  test('gives back the positions that are in it', () => {
    const position = fc.oneof(fc.bigInt(0n, 300_000n), fc.bigInt(0n, 2n ** 34n))
    fc.assert(
      fc.property(fc.uniqueArray(position, { maxLength: 200 }), fc.boolean(), (list, runs) => {
        const sorted = list.toSorted((a, b) => (a < b ? -1 : 1))
        expect(positionsOf(vectorOf(sorted, runs))).toEqual(sorted)
      }),
      { numRuns: 200 },
    )
  })

  test('of a bitmap container gives back the positions that are in it', () => {
    const even = Array.from({ length: 5000 }, (_, index) => BigInt(index * 2 + 70_000))
    expect(positionsOf(vectorOf(even))).toEqual(even)
  })

  const good = vectorOf([1n, 5n])
  const changed = (at: number, byte: number) =>
    Uint8Array.from(good, (old, index) => (index === at ? byte : old))
  test.each([
    ['cut off', good.subarray(0, 5), 'cut off'],
    ['of another length', good.subarray(0, -1), 'another length'],
    ['with wrong magic', changed(4, 0), 'wrong magic'],
    ['with a changed byte', changed(good.length - 6, 9), 'wrong checksum'],
    ['with a changed checksum', changed(good.length - 1, (good.at(-1) ?? 0) ^ 1), 'wrong checksum'],
  ])('%s is an error that names the file', (_, blob, message) => {
    expect(() => positionsOf(blob)).toThrow(message)
    expect(() => positionsOf(blob)).toThrow('s3://b/v.puffin')
  })

  test('whose bitmap is damaged under a right checksum is an error, too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        const blob = new Uint8Array(noise.length + 12)
        const view = new DataView(blob.buffer)
        view.setUint32(0, noise.length + 4)
        blob.set([0xd1, 0xd3, 0x39, 0x64], 4)
        blob.set(noise, 8)
        view.setUint32(blob.length - 4, crc32(blob.subarray(4, -4)))
        try {
          const positions = positionsOf(blob)
          expect(positions.every((value, index) => index === 0 || value > (positions[index - 1] ?? 0n))).toBe(
            true,
          )
        } catch (error) {
          expect(error).toHaveProperty('kind', 'data')
        }
      }),
    )
  })
})
