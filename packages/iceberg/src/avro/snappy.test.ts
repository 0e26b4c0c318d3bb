import { describe, expect, test } from 'vitest'
import { decompressSnappy } from './snappy.ts'

const literal = (text: string) => [(text.length - 1) << 2, ...Buffer.from(text)]
const decompress = (...bytes: number[]) =>
  Buffer.from(decompressSnappy(Uint8Array.from(bytes), 1000)).toString()

describe('a Snappy block', () => {
  test('of a literal and copies of all three kinds', () => {
    // A copy of 4 bytes from 4 before; of 3 from 6 before, with 2 and with 4 bytes of offset.
    const text = decompress(14, ...literal('abcd'), 1, 4, (2 << 2) | 2, 6, 0, (2 << 2) | 3, 6, 0, 0, 0)
    expect(text).toBe('abcdabcdcdabcd')
  })

  test('whose copy overlaps what it writes repeats it', () => {
    expect(decompress(9, ...literal('a'), (4 << 2) | 1, 1)).toBe('aaaaaaaaa')
  })

  test('of a literal with a length of two bytes', () => {
    const text = 'x'.repeat(300)
    expect(decompress(0xac, 2, 61 << 2, 43, 1, ...Buffer.from(text))).toBe(text)
  })

  test.each([
    ['that is empty', []],
    ['that ends early', [5, ...literal('abc')]],
    ['with a literal past the end', [5, 60, 1, 2]],
    ['with a copy from before the start', [8, ...literal('ab'), 1, 9]],
    ['that is longer than it says', [2, ...literal('abc')]],
    ['that says it is huge', [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('%s is an error', (_, bytes) => {
    expect(() => decompress(...bytes)).toThrow(RangeError)
  })
})
