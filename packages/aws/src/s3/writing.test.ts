import type { Aws } from '@penstock/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bucket,
  collect,
  embeddedAws,
  failure,
  keyAuth,
  openWriter,
  quick,
  region,
} from '../../test/embedded.ts'
import type { S3WriteAccess } from './write-access.ts'

const GiB = 1 << 30

let aws: Aws
let access: S3WriteAccess

beforeEach(async () => {
  aws = await embeddedAws()
  access = openWriter(aws)
})

const text = (value: string) => Buffer.from(value)

describe('object settings', () => {
  test('all of them reach the object', async () => {
    await access.put('key', text('x'), {
      contentType: 'text/csv',
      contentEncoding: 'gzip',
      contentDisposition: 'attachment',
      contentLanguage: 'de',
      cacheControl: 'no-cache',
      metadata: { Run: '7', 'flow-name': 'sales' },
      tags: { team: 'a b', 'cost/center': '1+2' },
      storageClass: 'STANDARD_IA',
      acl: 'bucket-owner-full-control',
      encryption: { kind: 'sse-kms', keyId: 'alias/lake', bucketKey: true },
    })
    expect(await access.head('key')).toMatchObject({
      entry: { storageClass: 'STANDARD_IA' },
      contentType: 'text/csv',
      contentEncoding: 'gzip',
      contentDisposition: 'attachment',
      contentLanguage: 'de',
      cacheControl: 'no-cache',
      metadata: { run: '7', 'flow-name': 'sales' },
      encryption: 'aws:kms',
      tags: 2,
    })
    const tags = await access.request({ method: 'GET', path: `/${bucket}/key`, query: { tagging: '' } })
    expect(String(await collect(tags.body))).toMatch(/team.*a b.*cost\/center.*1\+2/s)
  })

  test.each(['Authorization', 'Host', 'x-amz-date', 'Content-Length', 'x-amz-checksum-crc32'])(
    'the header %s is refused',
    async (name) => {
      const error = await failure(access.put('key', text('x'), { headers: { [name]: '1' } }))
      expect(error).toMatchObject({ kind: 'config', code: 'InvalidHeader' })
      expect(aws.log.entries()).toEqual([])
    },
  )

  test.each([
    { metadata: { name: 'Zürich' } },
    { contentType: 'a\r\nx-amz-acl: public-read' },
    { headers: { 'a b': '1' } },
  ])('what no header can hold is refused: %j', async (options) => {
    expect(await failure(access.put('key', text('x'), options))).toMatchObject({ code: 'InvalidHeader' })
  })

  test('a value that S3 refuses is named', async () => {
    const error = await failure(access.put('key', text('x'), { storageClass: 'COLD' }))
    expect(error).toMatchObject({
      kind: 'config',
      code: 'InvalidStorageClass',
      place: { object: 's3://lake/key' },
    })
  })
})

describe('delete', () => {
  test('takes any number of keys, XML or not, and those that are not there', async () => {
    const keys = [
      ...Array.from({ length: 1100 }, (_, index) => `k/${index}`),
      'a&b<c>"',
      'line\r\nbreak',
      'ctrl\u0001',
    ]
    for (const key of keys) await aws.s3.putObject({ bucket, key, body: 'x' })
    const gone: string[] = []
    const result = await access.deleteObjects([...keys, 'missing'], {
      onDeleted: (batch) => gone.push(...batch),
    })
    expect(result).toEqual({ deleted: keys.length + 1, failed: [] })
    expect(gone.sort()).toEqual([...keys, 'missing'].sort())
    expect(aws.s3.listKeys(bucket)).toEqual([])
    expect(aws.log.entries().filter((entry) => entry.operation === 'DeleteObjects')).toHaveLength(2)
    await access.deleteObject('missing')
  })

  test('names each key that could not be deleted, and why', async () => {
    for (const key of ['in/a', 'out/b']) await aws.s3.putObject({ bucket, key, body: 'x' })
    const user = aws.identities.createUser({
      name: 'cleaner',
      policies: [
        {
          Statement: { Effect: 'Allow', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${bucket}/in/*` },
        },
      ],
    })
    const result = await openWriter(aws, { auth: keyAuth(user) }).deleteObjects(['in/a', 'out/b'])
    expect(result).toMatchObject({ deleted: 1, failed: [{ key: 'out/b', code: 'AccessDenied' }] })
    expect(result.failed[0]?.message).toContain('s3:DeleteObject on arn:aws:s3:::lake/out/b')
  })
})

describe('copy', () => {
  test('takes the listed version with its settings, or gives it new ones', async () => {
    await access.put('from', text('x'), { contentType: 'text/csv', metadata: { a: '1' } })
    const { entry } = await access.head('from')
    const copied = await access.copyObject(entry, 'dir/to +%')
    expect(copied.etag).toBe(entry.version)
    expect(await access.head('dir/to +%')).toMatchObject({ contentType: 'text/csv', metadata: { a: '1' } })
    await access.copyObject(entry, 'other', { contentType: 'text/plain' })
    expect(await access.head('other')).toMatchObject({ contentType: 'text/plain', metadata: {} })
  })

  test.each(['at once', 'in parts'])(
    '%s, it keeps what S3 keeps with the source, or says it anew',
    async (how) => {
      const settings = {
        contentType: 'text/csv',
        contentDisposition: 'inline',
        contentLanguage: 'de',
        cacheControl: 'no-cache',
        storageClass: 'STANDARD_IA',
        metadata: { a: '1' },
      }
      const tags = { team: 'a b+c=d@e', 'ü/x': '' }
      const headers = { expires: 'Thu, 01 Jan 2032 00:00:00 GMT' }
      await access.upload('from', text('x'.repeat(1000)), { ...settings, tags, headers })
      const { entry } = await access.head('from')
      const options = {
        head: () => access.head('from'),
        sourceTags: () => access.tags('from'),
        ...(how === 'in parts' ? { partsAbove: 100 } : {}),
      }
      aws.log.clear()
      await access.copyObject(entry, 'same', options)
      const operations = aws.log.entries().map((logged) => logged.operation)
      expect(operations.includes('UploadPartCopy')).toBe(how === 'in parts')
      const { storageClass, ...kept } = settings
      const same = await access.head('same')
      expect(same).toMatchObject({ ...kept, ...headers, entry: { storageClass, size: 1000 } })
      expect(await access.tags('same')).toEqual(tags)
      await access.copyObject(entry, 'anew', {
        ...options,
        ...{ contentType: 'text/plain', tags: { b: '2' }, storageClass: 'STANDARD' },
      })
      const anew = await access.head('anew')
      expect(anew).toMatchObject({ ...kept, ...headers, contentType: 'text/plain' })
      expect(anew.entry.storageClass).toBeUndefined()
      expect(await access.tags('anew')).toEqual({ b: '2' })
    },
  )

  test('refuses another version of the source, and what is there already', async () => {
    await access.put('from', text('x'))
    const { entry } = await access.head('from')
    await access.put('from', text('y'))
    const error = await failure(access.copyObject(entry, 'to'))
    expect(error).toMatchObject({
      kind: 'conflict',
      code: 'ObjectChanged',
      place: { object: 's3://lake/from' },
    })
    const now = await access.head('from')
    await access.copyObject(now.entry, 'to')
    expect(await failure(access.copyObject(now.entry, 'to', { ifNoneMatch: '*' }))).toMatchObject({
      code: 'ObjectExists',
    })
    aws.s3.deleteObject(bucket, 'from')
    expect(await failure(access.copyObject(now.entry, 'to2'))).toMatchObject({
      kind: 'not-found',
      message: 'There is no object from in bucket lake.',
    })
  })

  test('an error within a 200 is an error', async () => {
    await access.put('from', text('x'))
    const { entry } = await access.head('from')
    aws.faults.add({
      when: { operation: 'CopyObject' },
      fault: { kind: 'error', status: 200, code: 'SlowDown', message: 'slow' },
    })
    const impatient = openWriter(aws, { retry: { ...quick, attempts: 2 } })
    expect(await failure(impatient.copyObject(entry, 'to'))).toMatchObject({ kind: 'throttled' })
  })

  test('above 5 GiB goes in parts that are tied to the version, and is aborted when one fails', async () => {
    await access.put('from', text('x'))
    const { entry } = await access.head('from')
    const huge = { ...entry, size: 6 * GiB }
    let asked = 0
    const error = await failure(
      access.copyObject(huge, 'to', {
        head: async () => {
          asked++
          return access.head('from')
        },
      }),
    )
    expect(error.kind).toBe('config')
    expect(asked).toBe(1)
    const operations = aws.log.entries().map((logged) => logged.operation)
    expect(operations).toContain('UploadPartCopy')
    expect(operations).toContain('AbortMultipartUpload')
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })
})

describe('create bucket', () => {
  const creator = (name: string, at = region) => openWriter(aws, { config: { bucket: name, region: at } })

  test.each(['us-east-1', 'eu-central-1', 'ap-southeast-2'])('in %s', async (at) => {
    const fresh = creator('fresh', at)
    expect(await fresh.createBucket()).toMatchObject({
      created: true,
      location: expect.stringContaining('fresh'),
    })
    expect(await fresh.location()).toBe(at)
  })

  test("one's own is fine, somebody else's is a conflict", async () => {
    const own = creator('own')
    await own.createBucket()
    expect(await own.createBucket()).toMatchObject({ created: false })
    aws.s3.createBucket({ name: 'foreign', account: '999999999999' })
    const error = await failure(creator('foreign').createBucket())
    expect(error).toMatchObject({ kind: 'conflict', code: 'BucketAlreadyExists' })
  })

  test('without the right names the action', async () => {
    const user = aws.identities.createUser({ name: 'nobody', policies: [] })
    const error = await failure(
      openWriter(aws, { auth: keyAuth(user), config: { bucket: 'fresh' } }).createBucket(),
    )
    expect(error.message).toContain('s3:CreateBucket on arn:aws:s3:::fresh')
  })
})

describe('presigned URLs', () => {
  test('let anybody do just this, until they expire', async () => {
    await access.put('a b/+.txt', text('hello'))
    const { url, expires } = await access.presign('a b/+.txt', {
      expiresInSeconds: 60,
      query: { 'response-content-type': 'text/x' },
    })
    expect(expires.getTime()).toBeGreaterThan(Date.now() + 50_000)
    const answer = await fetch(url)
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['text/x', 'hello'])
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403)
    aws.clockOffsetMs = 61_000
    expect((await fetch(url)).status).toBe(403)
  })

  test('upload too, with the headers that were signed', async () => {
    const headers = { 'content-type': 'text/csv' }
    const { url } = await access.presign('up', { method: 'PUT', expiresInSeconds: 604_800, headers })
    expect(
      (await fetch(url, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/html' } })).status,
    ).toBe(403)
    expect((await fetch(url, { method: 'PUT', body: 'x', headers })).status).toBe(200)
    expect((await access.head('up')).contentType).toBe('text/csv')
  })

  test.each([0, 604_801, 1.5])('are not valid for %d seconds', async (expiresInSeconds) => {
    expect(await failure(access.presign('a', { expiresInSeconds }))).toMatchObject({ code: 'InvalidExpiry' })
  })
})

describe('raw requests', () => {
  test('go to any bucket, with queries that need encoding, and give any status', async () => {
    const put = await access.request({
      method: 'put',
      path: '/lake/r%C3%A4w',
      body: { length: 3, open: () => text('abc') },
      headers: { 'X-Amz-Meta-A': '1' },
    })
    expect(put.status).toBe(200)
    expect((await access.head('räw')).metadata).toEqual({ a: '1' })
    const list = await access.request({
      method: 'GET',
      path: '/lake',
      query: { 'list-type': '2', prefix: 'rä' },
    })
    expect(String(await collect(list.body))).toContain('<Key>räw</Key>')
    const missing = await access.request({ method: 'GET', path: '/lake/none' })
    expect([missing.status, String(await collect(missing.body))]).toEqual([
      404,
      expect.stringContaining('NoSuchKey'),
    ])
  })

  test.each(['Authorization', 'X-Amz-Security-Token', 'host', 'Transfer-Encoding'])(
    "the user's own %s is refused",
    async (name) => {
      const error = await failure(access.request({ method: 'GET', path: '/lake', headers: { [name]: 'x' } }))
      expect(error).toMatchObject({ kind: 'config', code: 'InvalidRequest' })
      expect(aws.log.entries()).toEqual([])
    },
  )
})

test('a missing right is named for each operation', async () => {
  const user = aws.identities.createUser({ name: 'nobody', policies: [] })
  const poor = openWriter(aws, { auth: keyAuth(user) })
  await access.put('a', text('x'))
  const { entry } = await access.head('a')
  const tries: [string, () => Promise<unknown>][] = [
    ['s3:PutObject', () => poor.put('a', text('x'))],
    ['s3:PutObject', () => poor.startUpload('a')],
    ['s3:DeleteObject', () => poor.deleteObject('a')],
    ['s3:AbortMultipartUpload', () => poor.abortUpload('a', 'id')],
    ['s3:ListBucketMultipartUploads', () => poor.listUploads()[Symbol.asyncIterator]().next()],
    ['s3:ListMultipartUploadParts', () => poor.listParts('a', 'id')[Symbol.asyncIterator]().next()],
    ['s3:PutObject', () => poor.copyObject(entry, 'b')],
  ]
  for (const [action, run] of tries) {
    const error = await failure(run())
    expect(error.kind).toBe('permission')
    expect(error.message).toContain(`${action} on arn:aws:s3:::lake`)
  }
})

test('a read-only connection has no function that writes', async () => {
  const { openS3 } = await import('./open.ts')
  const reader = openS3({
    config: { region, bucket, endpoint: aws.endpoint },
    auth: keyAuth(aws.root),
    access: 'read-only',
    signal: new AbortController().signal,
    clock: () => new Date(),
  })
  expect(
    Object.keys(reader).filter((name) => /put|upload|delete|copy|create|presign|request/i.test(name)),
  ).toEqual([])
  await reader.close()
})
