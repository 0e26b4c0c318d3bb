import { describe, expect, test } from 'vitest'
import { deriveSigningKey, scopeText } from '../../sigv4/canonical.ts'
import { S3Error } from '../errors.ts'
import { type ChunkedOptions, decodeChunked } from './chunked.ts'

/** The example of the S3 API reference: 65,536 and 1,024 times the letter a. */
const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
const signing = (signature: string): NonNullable<ChunkedOptions['signing']> => ({
  signature,
  signingKey: deriveSigningKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', scope),
  amzDate: '20130524T000000Z',
  scopeText: scopeText(scope),
})
const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'
const trailerSeed = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'

const example = [
  '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n',
  `${'a'.repeat(65_536)}\r\n`,
  '400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n',
  `${'a'.repeat(1024)}\r\n`,
  '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
].join('')

const trailerExample = [
  '10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n',
  `${'a'.repeat(65_536)}\r\n`,
  '400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n',
  `${'a'.repeat(1024)}\r\n`,
  '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n',
  'x-amz-checksum-crc32c:sOO8/Q==\r\n',
  'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
].join('')

interface Decoded {
  size: number
  trailers: Record<string, string>
}

/** Decodes a body that arrives in pieces of `step` bytes; gives the code of the error otherwise. */
async function decode(
  text: string,
  options: Partial<ChunkedOptions>,
  step = 1000,
): Promise<Decoded | string> {
  async function* pieces() {
    const bytes = Buffer.from(text, 'latin1')
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
  }
  const trailers = new Map<string, string>()
  let size = 0
  try {
    for await (const chunk of decodeChunked(pieces(), { announced: [], ...options }, trailers))
      size += chunk.length
  } catch (error) {
    if (error instanceof S3Error) return error.code
    throw error
  }
  return { size, trailers: Object.fromEntries(trailers) }
}

const announced = ['x-amz-checksum-crc32c']
const unsigned = (chunks: string[], trailer = '') =>
  `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n${trailer}\r\n`

describe('signed chunks', () => {
  test.each([1, 7, 1000, 70_000])(
    'the documented example decodes, arriving in pieces of %i',
    async (step) => {
      expect(await decode(example, { signing: signing(seed) }, step)).toEqual({ size: 66_560, trailers: {} })
    },
  )

  test('the documented example with a signed trailer decodes', async () => {
    const decoded = await decode(trailerExample, { signing: signing(trailerSeed), announced })
    expect(decoded).toEqual({ size: 66_560, trailers: { 'x-amz-checksum-crc32c': 'sOO8/Q==' } })
  })

  test.each([
    ['a byte of the data', example.replace('aaa', 'aab')],
    ['the signature of a chunk', example.replace('0055627c', '0055627d')],
    ['which chunks there are', example.replace(/400;chunk[\s\S]*(?=0;chunk-signature=b6)/, '')],
    ['the end', example.replace(/0;chunk-signature=b6.*/s, '0;chunk-signature='.padEnd(82, 'a'))],
  ])('nothing may be changed: %s', async (_, text) => {
    expect(await decode(text, { signing: signing(seed) })).toMatch(/SignatureDoesNotMatch|IncompleteBody/)
  })

  test('the trailer may not be changed, nor left out', async () => {
    const options = { signing: signing(trailerSeed), announced }
    expect(await decode(trailerExample.replace('sOO8', 'sOO9'), options)).toBe('SignatureDoesNotMatch')
    expect(await decode(trailerExample.replace(/x-amz-trailer-sig.*\r\n\r\n/, '\r\n'), options)).toBe(
      'MalformedTrailerError',
    )
  })
})

describe('unsigned chunks', () => {
  const big = 'x'.repeat(10_000)

  test('decode, with their trailer', async () => {
    const text = unsigned([big, 'tail'], 'x-amz-checksum-crc32c:AAAAAA==\r\n')
    expect(await decode(text, { announced }, 3)).toEqual({
      size: 10_004,
      trailers: { 'x-amz-checksum-crc32c': 'AAAAAA==' },
    })
    expect(await decode(unsigned([]), {})).toEqual({ size: 0, trailers: {} })
  })

  test.each([
    ['no final chunk', '4\r\nabcd\r\n', [], 'IncompleteBody'],
    ['data cut short', '2710\r\nabcd', [], 'IncompleteBody'],
    ['data longer than its size', '4\r\nabcdef\r\n0\r\n\r\n', [], 'IncompleteBody'],
    ['a size that is no number', 'zz\r\nabcd\r\n0\r\n\r\n', [], 'IncompleteBody'],
    ['a line without end', 'a'.repeat(10_000), [], 'InvalidRequest'],
    ['a small chunk before another', unsigned(['small', 'x']), [], 'InvalidChunkSizeError'],
    ['a trailer that was not announced', unsigned(['x'], 'x-amz-meta-a:b\r\n'), [], 'MalformedTrailerError'],
    ['an announced trailer that is missing', unsigned(['x']), announced, 'MalformedTrailerError'],
    ['a trailer without a name', unsigned(['x'], 'nothing\r\n'), announced, 'MalformedTrailerError'],
  ])('%s is refused', async (_, text, names, code) => {
    expect(await decode(text, { announced: names })).toBe(code)
  })
})
