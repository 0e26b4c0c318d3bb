import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  ChecksumAlgorithm,
  CreateBucketCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf, type RawRequest, send } from '../../../test/clients.ts'
import { type Aws, startAws } from '../../aws.ts'

const Bucket = 'objects'
const md5 = (text: string | Buffer) => createHash('md5').update(text).digest('hex')
const statusOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => 200,
    (error: { name: string; $metadata?: { httpStatusCode: number } }) =>
      `${error.$metadata?.httpStatusCode} ${error.name}`,
  )

let aws: Aws
let s3: S3Client

beforeAll(async () => {
  aws = await startAws()
  s3 = clientOf(aws)
  await s3.send(new CreateBucketCommand({ Bucket }))
})

afterAll(() => aws.close())

const put = (Key: string, Body: string | Readable, rest: Partial<PutObjectCommandInput> = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }))
const get = (Key: string, rest: Partial<GetObjectCommandInput> = {}) =>
  s3.send(new GetObjectCommand({ Bucket, Key, ...rest }))
const text = async (Key: string, rest: Partial<GetObjectCommandInput> = {}) =>
  (await get(Key, rest)).Body?.transformToString()
const raw = (options: Omit<RawRequest, 'path'> & { key?: string; query?: string }) =>
  send(aws, { ...options, path: `/${Bucket}/${options.key ?? 'raw'}${options.query ?? ''}` })

test('an object keeps its bytes, its headers and its metadata', async () => {
  await put('all', 'hello', {
    ContentType: 'text/csv; charset=utf-8',
    CacheControl: 'max-age=3',
    ContentDisposition: 'attachment; filename="ä.csv"'.replace('ä', 'a'),
    ContentEncoding: 'gzip',
    ContentLanguage: 'de',
    Expires: new Date('2030-01-01T00:00:00Z'),
    Metadata: { one: 'v  1', two: '=?UTF-8?B?w6TimIM=?=' },
    StorageClass: 'STANDARD_IA',
    Tagging: 'a=1&b=x%20y',
    ServerSideEncryption: 'AES256',
  })
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'all' }))
  expect(head).toMatchObject({
    ContentLength: 5,
    ETag: `"${md5('hello')}"`,
    ContentType: 'text/csv; charset=utf-8',
    CacheControl: 'max-age=3',
    ContentDisposition: 'attachment; filename="a.csv"',
    ContentEncoding: 'gzip',
    ContentLanguage: 'de',
    ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
    Metadata: { one: 'v  1', two: '=?UTF-8?B?w6TimIM=?=' },
    StorageClass: 'STANDARD_IA',
    ServerSideEncryption: 'AES256',
    AcceptRanges: 'bytes',
  })
  expect(head.VersionId).toBeUndefined()
  expect((await get('all')).TagCount).toBe(2)
})

test('metadata in raw UTF-8 comes back as an encoded word', async () => {
  await raw({
    method: 'PUT',
    headers: { 'x-amz-meta-name': Buffer.from('ä☃').toString('latin1') },
    body: 'x',
  })
  expect((await raw({ method: 'HEAD' })).headers['x-amz-meta-name']).toBe('=?UTF-8?B?w6TimIM=?=')
  const large = await raw({ method: 'PUT', headers: { 'x-amz-meta-name': 'x'.repeat(2100) } })
  expect(large.code).toBe('MetadataTooLarge')
})

test('streams are stored whole, with the marks of their transport removed', async () => {
  const body = Buffer.alloc(3_000_000, 'abc')
  await put('stream', Readable.from([body.subarray(0, 9000), body.subarray(9000)]), {
    ContentLength: body.length,
    ContentEncoding: 'zstd',
  })
  const got = await get('stream')
  expect(got.ContentEncoding).toBe('zstd')
  expect(md5(Buffer.from((await got.Body?.transformToByteArray()) ?? []))).toBe(md5(body))
})

describe('checksums', () => {
  test.each(Object.values(ChecksumAlgorithm).filter((name) => name in sizes))(
    '%s is verified, kept and answered',
    async (algorithm) => {
      await put(`sum-${algorithm}`, 'checked', { ChecksumAlgorithm: algorithm })
      const head = await s3.send(
        new HeadObjectCommand({ Bucket, Key: `sum-${algorithm}`, ChecksumMode: 'ENABLED' }),
      )
      expect(head[`Checksum${algorithm}` as keyof typeof head]).toHaveLength(sizes[algorithm] as number)
      expect(head.ChecksumType).toBe('FULL_OBJECT')
      expect(await text(`sum-${algorithm}`)).toBe('checked')
    },
  )

  test('an object without one gets a CRC-64/NVME of S3’s own', async () => {
    const reply = await raw({ key: 'own', method: 'PUT', body: '123456789' })
    const value = Buffer.from('ae8b14860a799888', 'hex').toString('base64')
    expect(reply.headers).toMatchObject({
      'x-amz-checksum-crc64nvme': value,
      'x-amz-checksum-type': 'FULL_OBJECT',
    })
    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'own',
        ObjectAttributes: ['Checksum', 'ETag', 'ObjectSize', 'StorageClass', 'ObjectParts'],
      }),
    )
    expect(attributes).toMatchObject({
      Checksum: { ChecksumCRC64NVME: value, ChecksumType: 'FULL_OBJECT' },
      ETag: md5('123456789'),
      ObjectSize: 9,
      StorageClass: 'STANDARD',
    })
    expect(attributes.ObjectParts).toBeUndefined()
  })

  test('a ranged answer has no checksum', async () => {
    const ranged = await get('sum-CRC32', { Range: 'bytes=0-1', ChecksumMode: 'ENABLED' })
    expect(ranged.ChecksumCRC32).toBeUndefined()
    await ranged.Body?.transformToByteArray()
  })

  test.each<[string, Record<string, string>, string]>([
    ['a wrong CRC32', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ['a CRC32 of the wrong length', { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    [
      'two checksums',
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      'InvalidRequest',
    ],
    ['an announced checksum that is missing', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
    ['a wrong Content-MD5', { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }, 'BadDigest'],
    ['a Content-MD5 that is none', { 'content-md5': 'abc' }, 'InvalidDigest'],
  ])('%s is refused, and the object stays as it was', async (_, headers, code) => {
    await put('kept', 'before')
    expect((await raw({ key: 'kept', method: 'PUT', headers, body: 'after' })).code).toBe(code)
    expect(await text('kept')).toBe('before')
  })

  test('a body that is not the signed one is refused', async () => {
    const reply = await raw({ method: 'PUT', key: 'never', body: 'x', payloadHash: 'a'.repeat(64) })
    expect(reply).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' })
    expect(await statusOf(get('never'))).toBe('404 NoSuchKey')
  })
})

/** Characters of each checksum in Base64. */
const sizes: Record<string, number> = { CRC32: 8, CRC32C: 8, CRC64NVME: 12, SHA1: 28, SHA256: 44 }

describe('ranges', () => {
  beforeAll(() => put('range', '0123456789'))

  test.each([
    ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-100', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=5-100', 206, '56789', 'bytes 5-9/10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
    ['lines=0-1', 200, '0123456789', undefined],
  ])('%s', async (range, status, body, contentRange) => {
    const reply = await raw({ key: 'range', headers: { range } })
    expect([reply.status, reply.text, reply.headers['content-range']]).toEqual([status, body, contentRange])
    const head = await raw({ key: 'range', method: 'HEAD', headers: { range } })
    expect([head.status, head.headers['content-length']]).toEqual([status, String(body.length)])
  })

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s is not satisfiable', async (range) => {
    const reply = await raw({ key: 'range', headers: { range } })
    expect([reply.status, reply.code]).toEqual([416, 'InvalidRange'])
    expect(reply.text).toContain('<ActualObjectSize>10</ActualObjectSize>')
  })

  test('an empty object has no range', async () => {
    await put('empty', '')
    expect((await raw({ key: 'empty', headers: { range: 'bytes=0-' } })).status).toBe(416)
    expect((await raw({ key: 'empty' })).headers['content-length']).toBe('0')
  })
})

describe('conditions', () => {
  let etag = ''
  let modified = 0
  beforeAll(async () => {
    etag = (await put('cond', 'x')).ETag ?? ''
    modified = (await s3.send(new HeadObjectCommand({ Bucket, Key: 'cond' }))).LastModified?.getTime() ?? 0
  })
  const date = (offset: number) => new Date(modified + offset).toUTCString()

  test.each<[string, () => Record<string, string>, number]>([
    ['If-Match that matches', () => ({ 'if-match': etag }), 200],
    ['If-Match without quotes', () => ({ 'if-match': etag.replaceAll('"', '') }), 200],
    ['If-Match in a list', () => ({ 'if-match': `"other", ${etag}` }), 200],
    ['If-Match that does not', () => ({ 'if-match': '"other"' }), 412],
    ['If-None-Match that matches', () => ({ 'if-none-match': etag }), 304],
    ['If-None-Match *', () => ({ 'if-none-match': '*' }), 304],
    ['If-None-Match that does not', () => ({ 'if-none-match': '"other"' }), 200],
    ['If-Modified-Since the same time', () => ({ 'if-modified-since': date(0) }), 304],
    ['If-Modified-Since before', () => ({ 'if-modified-since': date(-1000) }), 200],
    ['If-Unmodified-Since the same time', () => ({ 'if-unmodified-since': date(0) }), 200],
    ['If-Unmodified-Since before', () => ({ 'if-unmodified-since': date(-1000) }), 412],
    [
      'If-Match before If-Unmodified-Since',
      () => ({ 'if-match': etag, 'if-unmodified-since': date(-1000) }),
      200,
    ],
    [
      'If-None-Match before If-Modified-Since',
      () => ({ 'if-none-match': '"other"', 'if-modified-since': date(0) }),
      200,
    ],
    ['If-None-Match and If-Match', () => ({ 'if-none-match': etag, 'if-match': etag }), 304],
  ])('GET and HEAD with %s', async (_, headers, status) => {
    const reply = await raw({ key: 'cond', headers: headers() })
    expect(reply.status).toBe(status)
    expect((await raw({ key: 'cond', method: 'HEAD', headers: headers() })).status).toBe(status)
    if (status === 412) expect(reply.code).toBe('PreconditionFailed')
    if (status === 304) expect([reply.text, reply.headers.etag]).toEqual(['', etag])
  })

  test('PUT: If-None-Match * writes new keys only, If-Match the known version only', async () => {
    expect(await statusOf(put('cond', 'y', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed')
    expect(await statusOf(put('cond-new', 'y', { IfNoneMatch: '*' }))).toBe(200)
    expect(await statusOf(put('cond-missing', 'y', { IfMatch: etag }))).toBe('404 NoSuchKey')
    expect(await statusOf(put('cond', 'y', { IfMatch: '"other"' }))).toBe('412 PreconditionFailed')
    expect(await statusOf(put('cond-new', 'z', { IfMatch: `"${md5('y')}"` }))).toBe(200)
    expect(await text('cond')).toBe('x')
  })

  test('a key that changes during a conditional PUT is a conflict; without a condition the last one wins', async () => {
    const slow = (key: string, headers: Record<string, string>) => {
      let release = () => {}
      const waiting = new Promise<void>((resolve) => {
        release = resolve
      })
      async function* body() {
        yield Buffer.alloc(100_000, 'a')
        await waiting
        yield Buffer.alloc(100_000, 'b')
      }
      const done = put(key, Readable.from(body()), { ContentLength: 200_000, ...headers })
      return { done: statusOf(done), release }
    }
    const first = slow('race', { IfNoneMatch: '*' })
    const second = slow('race-free', {})
    await expect
      .poll(
        () =>
          aws.log.entries().filter(({ key, bytesReceived }) => key?.startsWith('race') && bytesReceived > 0)
            .length,
      )
      .toBe(2)
    await put('race', 'other')
    await put('race-free', 'other')
    first.release()
    second.release()
    expect(await first.done).toBe('409 ConditionalRequestConflict')
    expect(await second.done).toBe(200)
    expect(await text('race')).toBe('other')
    expect(await text('race-free')).toHaveLength(200_000)
  })
})

test.each([
  'plain.csv',
  'sp ace/a b',
  'plus+and%25percent%',
  'quote\'"`;--',
  'ünï/☃/😀',
  '../../etc/passwd',
  '/leading',
  'double//slash///',
  './dot/../x',
  'a?b&c=d#e',
  'tilde~star*(paren)!@$,:=[]{}|\\^',
  'control\u0001\u001f\ttab',
  'k'.repeat(1024),
  'é'.repeat(512),
])('the key %j is kept as it is', async (key) => {
  await put(key, key)
  expect(await text(key)).toBe(key)
  expect(aws.s3.listKeys(Bucket)).toContain(key)
})

test('a key of more than 1,024 bytes, and one that is no UTF-8, are refused', async () => {
  expect(await statusOf(put('é'.repeat(513), 'x'))).toBe('400 KeyTooLongError')
  expect((await raw({ key: '%ff%fe', method: 'PUT', body: 'x' })).code).toBe('InvalidURI')
  expect((await raw({ key: '%zz', method: 'PUT', body: 'x', credentials: null })).code).toBe('InvalidURI')
})

test('the answer’s headers can be set by the request, but not by strangers', async () => {
  await put('override', 'x', { ACL: 'public-read' })
  const got = await get('override', { ResponseContentType: 'text/x', ResponseContentDisposition: 'inline' })
  expect([got.ContentType, got.ContentDisposition]).toEqual(['text/x', 'inline'])
  const anonymous = { key: 'override', credentials: null }
  expect((await raw(anonymous)).text).toBe('x')
  expect((await raw({ ...anonymous, query: '?response-content-type=a' })).code).toBe('InvalidRequest')
})

test('presigned URLs of the SDK work for GET and PUT, until they expire', async () => {
  const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'pre signed+ü' }), { expiresIn: 60 })
  expect((await fetch(url, { method: 'PUT', body: 'by link' })).status).toBe(200)
  const link = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'pre signed+ü' }), {
    expiresIn: 60,
  })
  expect(await (await fetch(link)).text()).toBe('by link')
  aws.clockOffsetMs = 61_000
  const late = await fetch(link)
  aws.clockOffsetMs = 0
  expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('Request has expired')])
})

test('encryption: KMS and customer keys are told, and their ETags are no MD5', async () => {
  const kms = await put('kms', 'x', {
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: 'key-1',
    BucketKeyEnabled: true,
  })
  expect(kms).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'key-1', BucketKeyEnabled: true })
  expect(kms.ETag).not.toBe(`"${md5('x')}"`)
  const key = Buffer.alloc(32, 1)
  const headers = {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': key.toString('base64'),
    'x-amz-server-side-encryption-customer-key-md5': createHash('md5').update(key).digest('base64'),
  }
  expect((await raw({ key: 'ssec', method: 'PUT', headers, body: 'x' })).status).toBe(200)
  expect((await raw({ key: 'ssec' })).code).toBe('InvalidRequest')
  expect((await raw({ key: 'ssec', headers })).text).toBe('x')
})

test('what S3 does not have, or this one does not, is refused', async () => {
  expect((await raw({ query: '?legal-hold' })).status).toBe(501)
  expect((await raw({ method: 'PUT', headers: { 'x-amz-storage-class': 'FAST' } })).code).toBe(
    'InvalidStorageClass',
  )
  expect((await raw({ method: 'PUT', headers: { 'x-amz-object-lock-mode': 'GOVERNANCE' } })).code).toBe(
    'InvalidRequest',
  )
  expect((await raw({ method: 'PUT', headers: { 'if-none-match': '"etag"' } })).code).toBe('NotImplemented')
  expect((await raw({ method: 'PATCH' })).code).toBe('MethodNotAllowed')
})
