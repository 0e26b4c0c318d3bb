import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { clientOf, send } from '../../../test/clients.ts'
import { type Aws, startAws } from '../../aws.ts'

const Bucket = 'multipart'
const mebibyte = 1024 * 1024
const part = (letter: string, size = 5 * mebibyte) => Buffer.alloc(size, letter)
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()
const codeOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => 'ok',
    (error: { name: string }) => error.name,
  )

let aws: Aws
let s3: S3Client

beforeAll(async () => {
  aws = await startAws()
  s3 = clientOf(aws)
  aws.s3.createBucket({ name: Bucket })
})

afterAll(() => aws.close())

async function begin(Key: string, rest: Partial<CreateMultipartUploadCommandInput> = {}) {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...rest }))
  return { Bucket, Key, UploadId }
}

type Target = Awaited<ReturnType<typeof begin>>

async function upload(
  target: Target,
  PartNumber: number,
  Body: Buffer,
  algorithm?: ChecksumAlgorithm,
): Promise<CompletedPart & { PartNumber: number }> {
  const input = { ...target, PartNumber, Body, ...(algorithm && { ChecksumAlgorithm: algorithm }) }
  const { $metadata: _, ServerSideEncryption: __, ...sums } = await s3.send(new UploadPartCommand(input))
  return { PartNumber, ...sums }
}

const complete = (target: Target, Parts: CompletedPart[], rest = {}) =>
  s3.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts }, ...rest }))

test('parts become one object, with the ETag of their ETags, dated by the start of the upload', async () => {
  const started = Date.now()
  const target = await begin('whole', { ContentType: 'text/csv', Metadata: { a: 'b' }, Tagging: 'x=1' })
  aws.clockOffsetMs = 60_000
  const bodies = [part('a'), part('b'), part('c', 10)]
  const parts = []
  for (const [index, body] of bodies.entries()) parts.push(await upload(target, index + 1, body))
  expect(await codeOf(s3.send(new HeadObjectCommand({ Bucket, Key: 'whole' })))).toBe('NotFound')
  const done = await complete(target, parts)
  aws.clockOffsetMs = 0
  const etag = `"${createHash('md5')
    .update(Buffer.concat(bodies.map(md5)))
    .digest('hex')}-3"`
  expect(done).toMatchObject({ ETag: etag, Key: 'whole', Bucket })
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'whole' }))
  expect(got).toMatchObject({ ETag: etag, ContentType: 'text/csv', Metadata: { a: 'b' }, TagCount: 1 })
  expect((got.LastModified?.getTime() ?? 0) - started).toBeLessThan(30_000)
  const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? [])
  expect(bytes.equals(Buffer.concat(bodies))).toBe(true)
})

describe('reading a multipart object', () => {
  const bodies = [part('a'), part('b'), part('c', 10)]
  beforeAll(async () => {
    const target = await begin('read', { ChecksumAlgorithm: 'CRC32' })
    const parts = []
    for (const [index, body] of bodies.entries()) parts.push(await upload(target, index * 2 + 1, body))
    await complete(target, parts)
  })

  test.each([
    [5 * mebibyte - 3, 5 * mebibyte + 2, 'aaabbb'],
    [10 * mebibyte - 1, 10 * mebibyte + 100, `b${'c'.repeat(10)}`],
    [0, 0, 'a'],
  ])('a range across parts: %i to %i', async (start, end, expected) => {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'read', Range: `bytes=${start}-${end}` }))
    expect(await got.Body?.transformToString()).toBe(expected)
  })

  test('one part by its number', async () => {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'read', PartNumber: 5 }))
    expect(await got.Body?.transformToString()).toBe('c'.repeat(10))
    expect(got).toMatchObject({ PartsCount: 3, ContentRange: 'bytes 10485760-10485769/10485770' })
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'read', PartNumber: 3 }))
    expect(head.ContentLength).toBe(5 * mebibyte)
    expect(await codeOf(s3.send(new GetObjectCommand({ Bucket, Key: 'read', PartNumber: 2 })))).toBe(
      'InvalidPartNumber',
    )
    await s3.send(new PutObjectCommand({ Bucket, Key: 'single', Body: 'abc' }))
    const single = await s3.send(new GetObjectCommand({ Bucket, Key: 'single', PartNumber: 1 }))
    expect([single.$metadata.httpStatusCode, single.PartsCount]).toEqual([206, undefined])
    await single.Body?.transformToByteArray()
  })

  test('attributes tell its parts', async () => {
    const attributes = await s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'read', ObjectAttributes: ['ObjectParts'], MaxParts: 2 }),
    )
    expect(attributes.ObjectParts).toMatchObject({
      TotalPartsCount: 3,
      IsTruncated: true,
      NextPartNumberMarker: '3',
      Parts: [{ PartNumber: 1, Size: 5 * mebibyte }, { PartNumber: 3 }],
    })
  })
})

describe('checksums', () => {
  test.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
    '%s of the parts make a composite one',
    async (algorithm) => {
      const target = await begin(algorithm, { ChecksumAlgorithm: algorithm })
      const parts = [
        await upload(target, 1, part('a'), algorithm),
        await upload(target, 2, part('b', 3), algorithm),
      ]
      const done = await complete(target, parts)
      expect(done.ChecksumType).toBe('COMPOSITE')
      expect(done[`Checksum${algorithm}`]).toMatch(/=-2$/)
    },
  )

  test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
    '%s can be that of the whole object',
    async (algorithm) => {
      const target = await begin(`full-${algorithm}`, {
        ChecksumAlgorithm: algorithm,
        ChecksumType: 'FULL_OBJECT',
      })
      const parts = [
        await upload(target, 1, part('a'), algorithm),
        await upload(target, 2, part('b', 3), algorithm),
      ]
      const name = `Checksum${algorithm}` as const
      const whole = await s3.send(
        new PutObjectCommand({
          Bucket,
          Key: 'same',
          Body: Buffer.concat([part('a'), part('b', 3)]),
          ChecksumAlgorithm: algorithm,
        }),
      )
      const wrong = { ChecksumType: 'FULL_OBJECT', [name]: 'AAAAAA==' }
      if (algorithm !== 'CRC64NVME') expect(await codeOf(complete(target, parts, wrong))).toBe('BadDigest')
      const done = await complete(target, parts)
      expect([done.ChecksumType, done[name]]).toEqual(['FULL_OBJECT', whole[name]])
    },
  )

  test('an upload that asked for none gets the CRC-64/NVME of the whole', async () => {
    const created = await send(aws, { path: `/${Bucket}/plain?uploads`, method: 'POST' })
    const id = /<UploadId>([^<]*)/.exec(created.text)?.[1]
    const body = part('p')
    const sent = await send(aws, {
      path: `/${Bucket}/plain?partNumber=1&uploadId=${id}`,
      method: 'PUT',
      body,
    })
    const xml = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${sent.headers.etag}</ETag></Part></CompleteMultipartUpload>`
    const done = await send(aws, { path: `/${Bucket}/plain?uploadId=${id}`, method: 'POST', body: xml })
    const put = await send(aws, { path: `/${Bucket}/plain-put`, method: 'PUT', body })
    expect(done.text).toContain(
      `<ChecksumCRC64NVME>${put.headers['x-amz-checksum-crc64nvme']}</ChecksumCRC64NVME>`,
    )
  })

  test.each([
    ['another algorithm in a part', 'CRC32', 'SHA1'],
    ['another algorithm in a part', 'SHA256', 'CRC32'],
  ] as const)('%s is refused', async (_, algorithm, other) => {
    const target = await begin('mixed', { ChecksumAlgorithm: algorithm })
    expect(await codeOf(upload(target, 1, part('a', 10), other))).toBe('InvalidRequest')
  })

  test.each([
    ['SHA1', 'FULL_OBJECT'],
    ['CRC64NVME', 'COMPOSITE'],
  ] as const)('%s is not possible as %s', async (ChecksumAlgorithm, ChecksumType) => {
    expect(await codeOf(begin('never', { ChecksumAlgorithm, ChecksumType }))).toBe('InvalidRequest')
  })

  test('a composite upload wants the checksums of its parts again', async () => {
    const target = await begin('again', { ChecksumAlgorithm: ChecksumAlgorithm.CRC32 })
    const { ETag = '', PartNumber } = await upload(target, 1, part('a', 10), 'CRC32')
    expect(await codeOf(complete(target, [{ PartNumber, ETag }]))).toBe('InvalidRequest')
  })
})

describe('completing', () => {
  let target: Target
  let parts: Awaited<ReturnType<typeof upload>>[]
  beforeEach(async () => {
    target = await begin('complete')
    parts = [await upload(target, 1, part('a')), await upload(target, 2, part('b', 10))]
  })
  const [first, second] = [0, 1]

  test('the order of the parts is checked', async () => {
    expect(await codeOf(complete(target, parts.toReversed()))).toBe('InvalidPartOrder')
    expect(await codeOf(complete(target, [...parts, ...parts.slice(second)]))).toBe('InvalidPartOrder')
  })

  test('a part that is not there, or another one than that, is invalid', async () => {
    const missing = { ...parts[second], PartNumber: 3 }
    expect(await codeOf(complete(target, [...parts, missing]))).toBe('InvalidPart')
    expect(await codeOf(complete(target, [{ ...parts[first], ETag: '"0"', PartNumber: 1 }]))).toBe(
      'InvalidPart',
    )
  })

  test('only the last part may be smaller than 5 MiB', async () => {
    const third = await upload(target, 3, part('c', 10))
    expect(await codeOf(complete(target, [...parts, third]))).toBe('EntityTooSmall')
  })

  test.each([
    ['no XML', 'nonsense', 'MalformedXML'],
    ['another document', '<Other/>', 'MalformedXML'],
    ['no part', '<CompleteMultipartUpload></CompleteMultipartUpload>', 'MalformedXML'],
    ['nothing', '', 'InvalidRequest'],
  ])('%s is refused', async (_, body, code) => {
    const path = `/${Bucket}/complete?uploadId=${target.UploadId}`
    expect((await send(aws, { path, method: 'POST', body })).code).toBe(code)
  })

  test.each([
    ['quoted', (etag: string) => etag],
    ['bare', (etag: string) => etag.replaceAll('"', '')],
    ['in entities', (etag: string) => etag.replaceAll('"', '&#34;')],
    ['in named entities', (etag: string) => etag.replaceAll('"', '&quot;')],
  ])('ETags may come %s', async (_, write) => {
    const created = await send(aws, { path: `/${Bucket}/spelled?uploads`, method: 'POST' })
    const id = /<UploadId>([^<]*)/.exec(created.text)?.[1]
    const path = `/${Bucket}/spelled?uploadId=${id}`
    const { headers } = await send(aws, { path: `${path}&partNumber=1`, method: 'PUT', body: 'x' })
    const body = `<?xml version="1.0"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n <Part>\n <ETag>${write(headers.etag ?? '')}</ETag><PartNumber> 1 </PartNumber></Part></CompleteMultipartUpload>`
    expect((await send(aws, { path, method: 'POST', body })).status).toBe(200)
  })

  test('the same call again gives the same answer, even when the object has gone', async () => {
    const done = await complete(target, parts)
    expect((await complete(target, parts)).ETag).toBe(done.ETag)
    aws.s3.deleteObject(Bucket, 'complete')
    expect((await complete(target, parts)).ETag).toBe(done.ETag)
    expect(aws.s3.listKeys(Bucket, 'complete')).toEqual([])
  })

  test('conditions hold at the end of the upload', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'complete', Body: 'x' }))
    expect(await codeOf(complete(target, parts, { IfNoneMatch: '*' }))).toBe('PreconditionFailed')
    expect(
      await codeOf(complete(target, parts, { IfMatch: `"${md5(Buffer.from('x')).toString('hex')}"` })),
    ).toBe('ok')
  })

  test('a part that is sent again takes the place of the first', async () => {
    const again = await upload(target, 2, part('z', 3))
    expect(await codeOf(complete(target, parts))).toBe('InvalidPart')
    await complete(target, [...parts.slice(0, 1), again])
    expect((await aws.s3.getObject(Bucket, 'complete')).subarray(5 * mebibyte).toString()).toBe('zzz')
  })
})

test('an aborted upload is gone', async () => {
  const target = await begin('aborted')
  const sent = await upload(target, 1, part('a', 10))
  await s3.send(new AbortMultipartUploadCommand(target))
  expect(await codeOf(upload(target, 1, part('a', 10)))).toBe('NoSuchUpload')
  expect(await codeOf(complete(target, [sent]))).toBe('NoSuchUpload')
  expect(await codeOf(s3.send(new ListPartsCommand(target)))).toBe('NoSuchUpload')
  expect(await codeOf(s3.send(new AbortMultipartUploadCommand(target)))).toBe('NoSuchUpload')
})

test.each(['0', '10001', 'x', ''])('there is no part number %j', async (number) => {
  const { UploadId } = await begin('numbers')
  const path = `/${Bucket}/numbers?partNumber=${number}&uploadId=${UploadId}`
  expect((await send(aws, { path, method: 'PUT', body: 'x' })).code).toBe('InvalidArgument')
})

test('parts are copied from objects, whole or by range', async () => {
  const source = Buffer.concat([part('s'), part('t', 100)])
  await s3.send(new PutObjectCommand({ Bucket, Key: 'so urce+ü', Body: source }))
  const CopySource = `/${Bucket}/${encodeURIComponent('so urce+ü')}`
  const target = await begin('copied', { ChecksumAlgorithm: 'CRC32' })
  const copy = async (PartNumber: number, CopySourceRange?: string) => {
    const { CopyPartResult } = await s3.send(
      new UploadPartCopyCommand({
        ...target,
        PartNumber,
        CopySource,
        ...(CopySourceRange && { CopySourceRange }),
      }),
    )
    return {
      PartNumber,
      ETag: CopyPartResult?.ETag ?? '',
      ChecksumCRC32: CopyPartResult?.ChecksumCRC32 ?? '',
    }
  }
  const parts = [await copy(1), await copy(2, `bytes=${5 * mebibyte - 2}-${5 * mebibyte + 1}`)]
  await s3.send(new PutObjectCommand({ Bucket, Key: 'so urce+ü', Body: 'overwritten' }))
  expect(await codeOf(copy(3, 'bytes=0-100'))).toBe('InvalidArgument')
  await complete(target, parts)
  const expected = Buffer.concat([source, Buffer.from('sstt')])
  expect((await aws.s3.getObject(Bucket, 'copied')).equals(expected)).toBe(true)
})

test('parts and uploads are listed by pages', async () => {
  aws.s3.createBucket({ name: 'uploads' })
  const beginAt = async (Key: string) =>
    (await s3.send(new CreateMultipartUploadCommand({ Bucket: 'uploads', Key }))).UploadId ?? ''
  const keys = ['a/1', 'a/2', 'b', 'b', 'c d+é']
  const ids: string[] = []
  for (const key of keys) ids.push(await beginAt(key))

  const target = { Bucket: 'uploads', Key: 'a/1', UploadId: ids[0] }
  for (const number of [3, 1, 2]) await upload(target, number, part('x', number))
  const page = await s3.send(new ListPartsCommand({ ...target, MaxParts: 2 }))
  expect(page.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [1, 1],
    [2, 2],
  ])
  expect([page.IsTruncated, page.NextPartNumberMarker]).toEqual([true, '2'])
  const rest = await s3.send(new ListPartsCommand({ ...target, PartNumberMarker: '2' }))
  expect([rest.Parts?.length, rest.IsTruncated]).toEqual([1, false])

  for (const size of [1, 2, 1000]) {
    const found: string[] = []
    let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
    while (next) {
      const uploads: ListMultipartUploadsCommandOutput = await s3.send(
        new ListMultipartUploadsCommand({
          Bucket: 'uploads',
          MaxUploads: size,
          EncodingType: 'url',
          ...next,
        }),
      )
      for (const { Key = '' } of uploads.Uploads ?? []) found.push(Key)
      const decode = (name = '') => decodeURIComponent(name.replaceAll('+', ' '))
      next = uploads.IsTruncated
        ? {
            KeyMarker: decode(uploads.NextKeyMarker),
            ...(uploads.NextUploadIdMarker && { UploadIdMarker: uploads.NextUploadIdMarker }),
          }
        : undefined
    }
    expect(found).toEqual(['a/1', 'a/2', 'b', 'b', 'c+d%2B%C3%A9'])
  }
  const folded = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'uploads', Delimiter: '/' }))
  expect(folded.CommonPrefixes).toEqual([{ Prefix: 'a/' }])
  expect(aws.s3.listUploads('uploads')).toHaveLength(5)
})
