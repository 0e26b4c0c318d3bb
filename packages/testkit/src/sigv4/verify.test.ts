import { describe, expect, test } from 'vitest'
import type { Credential, Principal } from '../types.ts'
import { emptySha256, headerLists } from './canonical.ts'
import { parseRawQuery } from './encode.ts'
import type { Rejection } from './rejection.ts'
import { createVerifier, type SignedRequest, type Verdict } from './verify.ts'

/** Key, date and requests of "Signature calculation examples" in the S3 API reference. */
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const principal: Principal = {
  type: 'user',
  account: '111122223333',
  arn: 'arn:aws:iam::111122223333:user/x',
  userId: 'x',
  policies: [],
}
const now = Date.UTC(2013, 4, 24)
const scope = `${accessKeyId}/20130524/us-east-1/s3/aws4_request`

const verifierOf = (credential: Partial<Credential> = {}) =>
  createVerifier((id) =>
    id === accessKeyId ? { accessKeyId, secretAccessKey, principal, ...credential } : undefined,
  )

interface Example {
  method: string
  path: string
  headers: Record<string, string>
  signed: string
  signature: string
}

const host = 'examplebucket.s3.amazonaws.com'
const common = { host, 'x-amz-date': '20130524T000000Z', 'x-amz-content-sha256': emptySha256 }

const examples: Record<string, Example> = {
  'GET of a range': {
    method: 'GET',
    path: '/test.txt',
    headers: { ...common, range: 'bytes=0-9' },
    signed: 'host;range;x-amz-content-sha256;x-amz-date',
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  'PUT of a key with a dollar sign': {
    method: 'PUT',
    path: '/test$file.text',
    headers: {
      ...common,
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
    signed: 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  'GET of a subresource without a value': {
    method: 'GET',
    path: '/?lifecycle',
    headers: common,
    signed: 'host;x-amz-content-sha256;x-amz-date',
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  'listing, with parameters': {
    method: 'GET',
    path: '/?max-keys=2&prefix=J',
    headers: common,
    signed: 'host;x-amz-content-sha256;x-amz-date',
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
}

function signedRequest(
  { method, path, headers }: Pick<Example, 'method' | 'path' | 'headers'>,
  overrides: Partial<SignedRequest> = {},
): SignedRequest {
  const [pathBytes = '', rawQuery = ''] = path.split('?')
  return {
    method,
    pathBytes,
    query: parseRawQuery(rawQuery) ?? [],
    headers: headerLists(Object.entries(headers).flat()),
    now,
    service: 's3',
    ...overrides,
  }
}

const authorized = ({ signed, signature, ...rest }: Example): Omit<Example, 'signed' | 'signature'> => ({
  ...rest,
  headers: {
    ...rest.headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signed},Signature=${signature}`,
  },
})

const reason = (verdict: Verdict): Rejection['kind'] | 'verified' | 'anonymous' =>
  verdict.outcome === 'rejected' ? verdict.rejection.kind : verdict.outcome

const range = examples['GET of a range'] as Example

describe('signatures of the AWS documentation', () => {
  test.each(Object.entries(examples))('%s', (_, example) => {
    const verdict = verifierOf()(signedRequest(authorized(example)))
    expect(reason(verdict)).toBe('verified')
  })

  const presigned = `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(scope)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`
  const link = { method: 'GET', path: presigned, headers: { host } }

  test('a presigned URL holds until it expires, and not after', () => {
    expect(reason(verifierOf()(signedRequest(link)))).toBe('verified')
    expect(reason(verifierOf()(signedRequest(link, { now: now + 86_400_000 })))).toBe('verified')
    expect(reason(verifierOf()(signedRequest(link, { now: now + 86_400_001 })))).toBe('presign-expired')
    expect(reason(verifierOf()(signedRequest(link, { now: now - 16 * 60_000 })))).toBe(
      'presign-not-yet-valid',
    )
  })

  test.each([
    ['more than a week', 'Expires=604801', 'malformed-query'],
    ['negative', 'Expires=-1', 'malformed-query'],
    ['no number', 'Expires=soon', 'malformed-query'],
    ['another number', 'Expires=86399', 'signature-mismatch'],
  ])('a presigned URL whose expiry is %s', (_, replacement, expected) => {
    const path = presigned.replace('Expires=86400', replacement)
    expect(reason(verifierOf()(signedRequest({ ...link, path })))).toBe(expected)
  })

  test('a presigned URL without one of its parameters is malformed', () => {
    for (const name of ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders']) {
      const path = presigned.replace(new RegExp(`X-Amz-${name}=[^&]*&`), '')
      expect(reason(verifierOf()(signedRequest({ ...link, path })))).toBe('malformed-query')
    }
  })
})

describe('what breaks a signature', () => {
  const good = authorized(range)
  const withHeader = (name: string, value: string) => ({
    ...good,
    headers: { ...good.headers, [name]: value },
  })
  const { authorization = '' } = good.headers

  test.each<[string, Parameters<typeof signedRequest>, Rejection['kind'] | 'verified']>([
    ['another method', [{ ...good, method: 'PUT' }], 'signature-mismatch'],
    ['another path', [{ ...good, path: '/test.txt2' }], 'signature-mismatch'],
    ['one more parameter', [{ ...good, path: '/test.txt?versionId=1' }], 'signature-mismatch'],
    ['another range', [withHeader('range', 'bytes=0-10')], 'signature-mismatch'],
    ['another host', [withHeader('host', 'x')], 'signature-mismatch'],
    ['another hash of the body', [withHeader('x-amz-content-sha256', 'a'.repeat(64))], 'signature-mismatch'],
    ['one more x-amz header', [withHeader('x-amz-acl', 'public-read')], 'unsigned-headers'],
    ['a header of no concern', [withHeader('accept', '*/*')], 'verified'],
    ['blanks around a value', [withHeader('range', '  bytes=0-9 ')], 'verified'],
    ['a clock 15 minutes behind', [good, { now: now + 900_000 }], 'verified'],
    ['a clock more than that behind', [good, { now: now + 900_001 }], 'skewed'],
    ['a clock more than that ahead', [good, { now: now - 900_001 }], 'skewed'],
    ['another service', [good, { service: 'sts' }], 'malformed-header'],
    ['a hash that is none', [withHeader('x-amz-content-sha256', 'abc')], 'bad-payload-hash'],
    ['a date of another day', [withHeader('x-amz-date', '20130525T000000Z')], 'malformed-header'],
    ['signature version 2', [withHeader('authorization', 'AWS AKIA:c2ln')], 'unsupported-mechanism'],
    [
      'a cut credential',
      [withHeader('authorization', authorization.replace('/s3/aws4_request', ''))],
      'malformed-header',
    ],
    ['a shorter signature', [withHeader('authorization', authorization.slice(0, -1))], 'signature-mismatch'],
    [
      'an unsigned host',
      [withHeader('authorization', authorization.replace('SignedHeaders=host;', 'SignedHeaders='))],
      'unsigned-headers',
    ],
  ])('%s', (_, [request, overrides], expected) => {
    expect(reason(verifierOf()(signedRequest(request, overrides)))).toBe(expected)
  })

  test('an unknown key and a wrong secret are told apart', () => {
    expect(reason(createVerifier(() => undefined)(signedRequest(good)))).toBe('unknown-key')
    expect(reason(verifierOf({ secretAccessKey: 'other' })(signedRequest(good)))).toBe('signature-mismatch')
  })

  test('a request without a signature is anonymous', () => {
    expect(reason(verifierOf()(signedRequest({ ...range, headers: { host } })))).toBe('anonymous')
  })

  test('temporary keys need their token, others must not have one', () => {
    const temporary = verifierOf({ sessionToken: 'token', expiresAt: now + 1 })
    expect(reason(temporary(signedRequest(good)))).toBe('unknown-key')
    expect(reason(temporary(signedRequest(withHeader('x-amz-security-token', 'other'))))).toBe(
      'unsigned-headers',
    )
    const signedToken = (value: string) => ({
      ...good,
      headers: {
        ...withHeader('x-amz-security-token', value).headers,
        authorization: authorization.replace('x-amz-date,', 'x-amz-date;x-amz-security-token,'),
      },
    })
    expect(reason(temporary(signedRequest(signedToken('other'))))).toBe('invalid-token')
    expect(reason(verifierOf()(signedRequest(signedToken('token'))))).toBe('invalid-token')
    expect(reason(temporary(signedRequest(signedToken('token'), { now: now + 1 })))).toBe('expired-token')
  })
})
