import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeKey, encodeQuery, encodeUri } from './encode.ts'
import { emptyPayloadHash, type RequestToSign, signRequest } from './sign.ts'

/** The example keys of AWS's documentation. */
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

const request = (
  fields: Partial<Omit<RequestToSign, 'query'>> & { query?: Record<string, string> },
): RequestToSign => ({
  method: 'GET',
  path: '/',
  headers: { host: 'examplebucket.s3.amazonaws.com' },
  payloadHash: emptyPayloadHash,
  credentials,
  region: 'us-east-1',
  service: 's3',
  date: new Date('2013-05-24T00:00:00Z'),
  ...fields,
  query: encodeQuery(fields.query ?? {}),
})

const signatureOf = (toSign: RequestToSign): string | undefined =>
  /Signature=([0-9a-f]{64})$/.exec(signRequest(toSign).authorization ?? '')?.[1]

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
test.each([
  [
    'GET of a range',
    request({ path: '/test.txt', headers: { host: 'examplebucket.s3.amazonaws.com', range: 'bytes=0-9' } }),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'GET of a sub-resource',
    request({ query: { lifecycle: '' } }),
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET of a list',
    request({ query: { prefix: 'J', 'max-keys': '2' } }),
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
  [
    'PUT of an object',
    request({
      method: 'PUT',
      path: encodeKey('/test$file.text'),
      headers: {
        host: 'examplebucket.s3.amazonaws.com',
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      payloadHash: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    }),
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
])('%s has the signature of the documentation', (_, toSign, signature) => {
  expect(signatureOf(toSign)).toBe(signature)
})

/** get-vanilla of AWS's Signature Version 4 test suite: a service without x-amz-content-sha256. */
test('get-vanilla of the test suite has its signature', () => {
  const toSign = request({
    headers: { host: 'example.amazonaws.com' },
    credentials: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    },
    service: 'service',
    date: new Date('2015-08-30T12:36:00Z'),
  })
  expect(signatureOf(toSign)).toBe('5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31')
  expect(signRequest(toSign)).not.toHaveProperty('x-amz-content-sha256')
})

class Sha256 {
  private readonly hash
  constructor(secret?: string | Uint8Array) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(data: string | Uint8Array): void {
    this.hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest()
  }
  reset(): void {}
}

test("any request has the signature that the SDK's signer gives it", async () => {
  const headerValue = fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '  ', '"', '1', '/') })
  const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((value) => value.isWellFormed())
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.dictionary(
        text.filter((name) => name !== '' && name !== '__proto__'),
        text,
        { maxKeys: 4 },
      ),
      headerValue,
      fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      async (key, query, header, token) => {
        const keys = { ...credentials, ...(token === undefined ? {} : { sessionToken: token }) }
        const path = `/lake/${encodeKey(key)}`
        const headers = { host: 'store.example:9000', 'if-match': header }
        const signer = new SignatureV4({
          credentials: keys,
          region: 'eu-west-1',
          service: 's3',
          sha256: Sha256 as never,
          uriEscapePath: false,
          applyChecksum: true,
        })
        const date = new Date('2026-01-02T03:04:05.678Z')
        const reference = await signer.sign(
          {
            method: 'GET',
            protocol: 'http:',
            hostname: 'store.example',
            path,
            query,
            headers: { ...headers, 'x-amz-content-sha256': emptyPayloadHash },
          },
          { signingDate: date },
        )
        const own = signRequest(
          request({ path, query, headers, credentials: keys, region: 'eu-west-1', date }),
        )
        expect(own.authorization).toBe(reference.headers.authorization)
      },
    ),
    { numRuns: 300 },
  )
})

test('encoding is reversible, ASCII, and leaves only unreserved characters and slashes of keys', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(text.isWellFormed())
      expect(encodeUri(text)).toMatch(/^([A-Za-z0-9\-._~]|%[0-9A-F]{2})*$/)
      expect(decodeURIComponent(encodeUri(text))).toBe(text)
      expect(encodeKey(text)).toBe(encodeUri(text).replaceAll('%2F', '/'))
    }),
  )
})
