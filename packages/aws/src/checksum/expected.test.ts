import { expect, test } from 'vitest'
import { expectedChecksum } from './expected.ts'

const md5 = 'd41d8cd98f00b204e9800998ecf8427e'

test('the checksum of the whole object comes first, the cheapest one', () => {
  const headers = {
    'x-amz-checksum-type': 'FULL_OBJECT',
    'x-amz-checksum-crc64nvme': 'rosUhgp5mIg=',
    'x-amz-checksum-crc32': 'y/Q5Jg==',
    'x-amz-checksum-sha256': 'abc=',
  }
  expect(expectedChecksum(headers, md5)).toEqual({ kind: 'crc', algorithm: 'crc32', base64: 'y/Q5Jg==' })
  expect(expectedChecksum({ 'x-amz-checksum-sha256': 'abc=' }, md5)).toEqual({
    kind: 'sequential',
    algorithm: 'sha256',
    base64: 'abc=',
  })
})

test.each([
  [{ 'x-amz-checksum-type': 'COMPOSITE', 'x-amz-checksum-crc32': 'y/Q5Jg==' }],
  [{ 'x-amz-checksum-crc32': 'y/Q5Jg==-3' }],
  [{}],
])('a checksum of checksums (%j) says nothing about the whole: the ETag serves', (headers) => {
  expect(expectedChecksum(headers, md5)).toEqual({
    kind: 'sequential',
    algorithm: 'md5',
    base64: '1B2M2Y8AsgTpgAmY7PhCfg==',
  })
})

test.each([
  ['of an upload in parts', {}, `${md5}-12`],
  ['that is none', {}, 'not-hex'],
  ['that is missing', {}, ''],
  ['under a KMS key', { 'x-amz-server-side-encryption': 'aws:kms' }, md5],
  ['under two layers of KMS keys', { 'x-amz-server-side-encryption': 'aws:kms:dsse' }, md5],
  ["under the customer's key", { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }, md5],
])('an ETag %s is no MD5', (_, headers, etag) => {
  expect(expectedChecksum(headers as Record<string, string>, etag)).toBeUndefined()
})

test('an ETag under a key of S3 itself is an MD5', () => {
  expect(expectedChecksum({ 'x-amz-server-side-encryption': 'AES256' }, md5)).toMatchObject({
    algorithm: 'md5',
  })
})
