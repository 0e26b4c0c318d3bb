import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { createCRC32, createCRC64 } from 'hash-wasm'
import { expect, test } from 'vitest'
import { assemble } from '../../scripts/assemble.ts'
import { type CrcName, combineCrc, crcParameters, crcToBase64, createCrc } from './crc.ts'
import { powerOfBytes } from './crc-engine.ts'
import { crcWasm } from './crc-wasm.ts'

const names: readonly CrcName[] = ['crc32', 'crc32c', 'crc64nvme']

/** Check values of the catalogue of parametrised CRC algorithms, of the text 123456789. */
test.each([
  ['crc32', 0xcbf43926n, 'y/Q5Jg=='],
  ['crc32c', 0xe3069283n, '4waSgw=='],
  ['crc64nvme', 0xae8b14860a799888n, 'rosUhgp5mIg='],
] as const)('%s of 123456789 is the check value', (name, value, base64) => {
  const crc = createCrc(name)
  crc.update(Buffer.from('12345'))
  crc.update(Buffer.from('6789'))
  expect(crc.digest()).toBe(value)
  expect(crcToBase64(name, value)).toBe(base64)
})

test.each(names)('%s of a whole follows from those of its parts', (name) => {
  const of = (bytes: Uint8Array): bigint => {
    const crc = createCrc(name)
    crc.update(bytes)
    return crc.digest()
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (a, b) => {
      expect(combineCrc(name, of(a), of(b), b.length)).toBe(of(Buffer.concat([a, b])))
    }),
    { numRuns: 60 },
  )
})

test('lengths beyond 32 bits combine: half of the zeros twice is all of them', () => {
  const a = BigInt(crc32(Buffer.from('a')))
  /** CRC of 2^exponent zero bytes, by doubling. */
  const zeros = (exponent: number): bigint => {
    let crc = BigInt(crc32(Buffer.alloc(1)))
    for (let done = 0; done < exponent; done++) crc = combineCrc('crc32', crc, crc, 2 ** done)
    return crc
  }
  const half = combineCrc('crc32', a, zeros(33), 2 ** 33)
  expect(combineCrc('crc32', half, zeros(33), 2 ** 33)).toBe(combineCrc('crc32', a, zeros(34), 2 ** 34))
})

test('the module in the sources is what crc.wat assembles to', async () => {
  const text = await readFile(new URL('crc.wat', import.meta.url), 'utf8')
  expect((await assemble(text)).toString('base64')).toBe(crcWasm)
})

test.each(['crc32c', 'crc64nvme'] as const)('the distances of %s are those of a multiple', (name) => {
  const { distances } = crcParameters[name]
  const used = distances.filter((distance) => distance > 0)
  const [longest] = distances
  const terms = [0, ...used].map((distance) => powerOfBytes(longest - distance, crcParameters[name]))
  expect(terms.reduce((sum, term) => sum ^ term)).toBe(0n)
  expect(Math.max(...used)).toBe(longest)
  expect(Math.min(...used)).toBeGreaterThanOrEqual(64)
})

test('any bytes in any pieces have the CRC that another implementation gives them', async () => {
  const references = {
    crc32: await createCRC32(),
    crc32c: await createCRC32(0x82f63b78),
    crc64nvme: await createCRC64('9a6c9329ac4bc9b5'),
  }
  const bytes = randomBytes(700_000)
  const cut = fc.nat({ max: bytes.length })
  for (const name of names) {
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 6 }), (cuts) => {
        const crc = createCrc(name)
        const sorted = cuts.sort((a, b) => a - b)
        for (const [index, end] of sorted.entries()) crc.update(bytes.subarray(sorted[index - 1] ?? 0, end))
        const reference = references[name].init().update(bytes.subarray(0, sorted.at(-1)))
        expect(crc.digest()).toBe(BigInt(`0x${reference.digest('hex')}`))
      }),
      { numRuns: 60 },
    )
  }
})
