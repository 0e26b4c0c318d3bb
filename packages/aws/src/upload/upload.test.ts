import { createHash } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Aws, Fault, FaultRule } from '@penstock/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bucket,
  bytesOf,
  embeddedAws,
  failure,
  openWriter,
  quick,
  streamOf,
  temporaryFolder,
} from '../../test/embedded.ts'
import type { S3WriteAccess, UploadSource } from '../s3/write-access.ts'

const MiB = 1 << 20
const small = bytesOf(300_000)
/** Three parts of a file. */
const large = bytesOf(17 * MiB)
/** Two parts of a stream. */
const medium = bytesOf(8 * MiB + 1000)

let aws: Aws
let access: S3WriteAccess
let folder: string

beforeEach(async () => {
  aws = await embeddedAws()
  access = openWriter(aws)
  folder = await temporaryFolder()
})

const stored = (key: string) => aws.s3.getObject(bucket, key)
const operations = () => aws.log.entries().map((entry) => entry.operation)
const fault = (operation: string, kind: Fault, rule: Partial<FaultRule> = {}) =>
  aws.faults.add({ when: { operation }, times: 1, ...rule, fault: kind })

/** The same bytes as a file, in memory and as a stream. */
const sources: readonly [string, (bytes: Buffer) => UploadSource][] = [
  [
    'file',
    (bytes) => {
      const path = join(folder, 'source')
      writeFileSync(path, bytes)
      return { path }
    },
  ],
  ['bytes', (bytes) => bytes],
  ['stream', (bytes) => streamOf(bytes)],
]

describe.each(sources)('from a %s', (_, sourceOf) => {
  test.each([0, 300_000, 8 * MiB + 1])('%i bytes arrive, counted once', async (size) => {
    const bytes = bytesOf(size)
    let counted = 0
    const written = await access.upload('a/b', sourceOf(bytes), {
      onBytes: (count) => {
        counted += count
      },
    })
    expect((await stored('a/b')).equals(bytes)).toBe(true)
    expect(counted).toBe(size)
    const head = await access.head('a/b', { checksum: true })
    expect(head.checksum).toBe(`CRC64NVME:${written.crc64nvme}`)
    expect(written).toMatchObject({ key: 'a/b', etag: head.entry.version, size })
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('few bytes take one request, many go in parts', async () => {
    await access.upload('few', sourceOf(small))
    expect(operations()).toEqual(['PutObject'])
    await access.upload('many', sourceOf(large))
    expect(operations().slice(1).sort()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      'UploadPart',
      'UploadPart',
      'UploadPart',
    ])
  })
})

const healed: [string, Fault][] = [
  ['503 SlowDown', { kind: 'slow-down' }],
  ['500 InternalError', { kind: 'internal-error' }],
  ['500 after it took effect', { kind: 'internal-error', handled: true }],
  ['a reset within the body', { kind: 'reset' }],
  ['a lost answer', { kind: 'reset', handled: true }],
  ['no answer', { kind: 'hang' }],
  ['wrong bytes on the way', { kind: 'error', status: 400, code: 'BadDigest', message: 'differs' }],
]

describe.each(healed)('in spite of %s', (_, kind) => {
  test.each(['UploadPart'])('of %s, all parts arrive, counted once', async (operation) => {
    fault(operation, kind)
    let counted = 0
    await access.upload('large', streamOf(medium), {
      onBytes: (count) => {
        counted += count
      },
    })
    expect((await stored('large')).equals(medium)).toBe(true)
    expect(counted).toBe(medium.length)
    expect(aws.faults.list()[0]?.applied).toBe(1)
  })

  test.each([{}, { ifNoneMatch: '*' as const }])(
    'of PutObject with %j, the object is there',
    async (condition) => {
      fault('PutObject', kind)
      const written = await access.put('small', small, condition)
      expect((await stored('small')).equals(small)).toBe(true)
      expect(written.etag).toBe(createHash('md5').update(small).digest('hex'))
    },
  )

  test('of CompleteMultipartUpload, done is done', async () => {
    fault('CompleteMultipartUpload', kind)
    const written = await access.upload('large', streamOf(medium), { ifNoneMatch: '*' })
    expect((await access.head('large')).entry.version).toBe(written.etag)
    expect((await stored('large')).equals(medium)).toBe(true)
  })
})

describe('completion', () => {
  test('an error within a 200 is an error, and is tried again', async () => {
    fault('CompleteMultipartUpload', {
      kind: 'error',
      status: 200,
      code: 'InternalError',
      message: 'Try again',
    })
    await access.upload('large', streamOf(medium))
    expect(operations().filter((name) => name === 'CompleteMultipartUpload')).toHaveLength(2)
  })

  test('an error within a 200 that stays fails the upload, and nothing is left', async () => {
    const impatient = openWriter(aws, { retry: { ...quick, attempts: 2 } })
    fault(
      'CompleteMultipartUpload',
      { kind: 'error', status: 200, code: 'InternalError', message: 'Try again' },
      { times: 100 },
    )
    const error = await failure(impatient.upload('large', streamOf(medium)))
    expect(error).toMatchObject({ kind: 'network', code: 'UnknownOutcome' })
    expect(aws.s3.listKeys(bucket)).toEqual([])
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('an upload that is gone after a lost answer is looked up: done is done', async () => {
    fault('CompleteMultipartUpload', { kind: 'reset', handled: true })
    fault(
      'CompleteMultipartUpload',
      { kind: 'error', status: 404, code: 'NoSuchUpload', message: 'gone' },
      { skip: 1 },
    )
    const written = await access.upload('large', streamOf(medium))
    expect((await access.head('large')).entry.version).toBe(written.etag)
  })

  test('an upload that is gone without a lost answer is an error', async () => {
    const upload = await access.startUpload('large')
    await upload.send(small)
    await upload.abort()
    expect(await failure(upload.complete())).toMatchObject({ kind: 'not-found', code: 'NoSuchUpload' })
  })

  test('another object in the place is no success', async () => {
    await access.put('large', small)
    fault('CompleteMultipartUpload', { kind: 'reset' })
    const error = await failure(access.upload('large', streamOf(medium), { ifNoneMatch: '*' }))
    expect(error).toMatchObject({ kind: 'conflict', code: 'ObjectExists' })
    expect((await stored('large')).equals(small)).toBe(true)
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })
})

describe('conditions', () => {
  test.each([small, large])('what is there is not overwritten', async (bytes) => {
    await access.put('key', Buffer.from('first'))
    const error = await failure(access.upload('key', bytes, { ifNoneMatch: '*' }))
    expect(error).toMatchObject({ kind: 'conflict', code: 'ObjectExists' })
    expect(error.message).toBe('There is an object key already: nothing was written.')
    expect((await stored('key')).toString()).toBe('first')
  })

  test.each([small, large])('only the known version is overwritten', async (bytes) => {
    const { etag } = await access.put('key', Buffer.from('first'))
    await access.put('key', Buffer.from('second'))
    const error = await failure(access.upload('key', bytes, { ifMatch: etag }))
    expect(error).toMatchObject({ kind: 'conflict', code: 'ObjectChanged' })
    const second = await access.head('key')
    await access.upload('key', bytes, { ifMatch: second.entry.version })
    expect((await stored('key')).equals(bytes)).toBe(true)
  })

  const race: Fault = { kind: 'error', status: 409, code: 'ConditionalRequestConflict', message: 'race' }

  test('a race that S3 lets go on is tried again, one that stays is a conflict', async () => {
    fault('PutObject', race, { times: 2 })
    await access.put('key', small, { ifNoneMatch: '*' })
    fault('PutObject', race, { times: 100 })
    expect(await failure(access.put('other', small, { ifNoneMatch: '*' }))).toMatchObject({
      kind: 'conflict',
    })
  })

  test('a race at the end of an upload in parts is tried again with a new upload', async () => {
    const path = join(folder, 'raced')
    writeFileSync(path, large)
    for (const source of [large, { path }]) {
      fault('CompleteMultipartUpload', race)
      aws.log.clear()
      let sent = 0
      const onBytes = (bytes: number) => {
        sent += bytes
      }
      const key = source === large ? 'bytes' : 'file'
      await access.upload(key, source, { ifNoneMatch: '*', onBytes })
      expect((await stored(key)).equals(large)).toBe(true)
      expect(sent).toBe(large.length)
      const begun = aws.log.entries().filter(({ operation }) => operation === 'CreateMultipartUpload')
      expect(begun).toHaveLength(2)
    }
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('a race at the end of a stream, which can be sent once, is a conflict that leaves nothing', async () => {
    fault('CompleteMultipartUpload', race)
    const error = await failure(access.upload('key', streamOf(large), { ifNoneMatch: '*' }))
    expect(error).toMatchObject({ kind: 'conflict', code: 'ConditionalRequestConflict' })
    expect(aws.s3.listKeys(bucket)).toEqual([])
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })
})

describe('a source that changes', () => {
  test.each([300_000, 17 * MiB])('of %i bytes is a conflict, and nothing is written', async (size) => {
    const path = join(folder, 'growing')
    writeFileSync(path, bytesOf(size))
    let appended = false
    fault(size > 16 * MiB ? 'UploadPart' : 'PutObject', { kind: 'slow-down' })
    const error = await failure(
      access.upload(
        'key',
        { path },
        {
          onRetry: () => {
            if (!appended) appendFileSync(path, 'more')
            appended = true
          },
        },
      ),
    )
    expect(error).toMatchObject({ kind: 'conflict', code: 'SourceChanged' })
    expect(aws.s3.listKeys(bucket)).toEqual([])
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('a stream that fails ends the upload with its error', async () => {
    const broken = (async function* () {
      yield medium
      throw new Error('pipe broke')
    })()
    expect((await failure(access.upload('key', broken))).message).toContain('pipe broke')
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('a file that is not there, or is a folder, says so', async () => {
    expect(await failure(access.upload('key', { path: join(folder, 'none') }))).toMatchObject({
      kind: 'not-found',
    })
    expect(await failure(access.upload('key', { path: folder }))).toMatchObject({ kind: 'config' })
  })
})

describe('an end before the end', () => {
  test('an abort removes the parts', async () => {
    const stop = new AbortController()
    fault('UploadPart', { kind: 'hang' }, { times: 100, skip: 1 })
    const patient = openWriter(aws, { retry: {} })
    const running = failure(patient.upload('large', large, { signal: stop.signal }))
    setTimeout(() => stop.abort(), 100)
    expect(await running).toMatchObject({ kind: 'cancelled' })
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test.each([small, medium])('an abort ends a stream that is silent', async (bytes) => {
    const stop = new AbortController()
    const silent = (async function* () {
      yield bytes
      await new Promise(() => {})
    })()
    const running = failure(access.upload('large', silent, { signal: stop.signal }))
    setTimeout(() => stop.abort(), 100)
    expect(await running).toMatchObject({ kind: 'cancelled' })
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })

  test('parts that are kept are not sent again', async () => {
    const path = join(folder, 'source')
    writeFileSync(path, large)
    fault('UploadPart', { kind: 'internal-error' }, { skip: 2, times: 100 })
    const impatient = openWriter(aws, { concurrency: 1, retry: { ...quick, attempts: 2 } })
    let id = ''
    const keep = {
      keepParts: true,
      onStarted: (uploadId: string) => {
        id = uploadId
      },
    }
    await failure(impatient.upload('large', { path }, keep))
    expect(aws.s3.listUploads(bucket)).toEqual([{ uploadId: id, key: 'large', parts: 2 }])
    aws.faults.clear()
    const before = operations().length
    let counted = 0
    await access.upload(
      'large',
      { path },
      {
        resume: id,
        onBytes: (count) => {
          counted += count
        },
      },
    )
    expect(counted).toBe(large.length)
    expect(operations().slice(before)).toEqual(['ListParts', 'UploadPart', 'CompleteMultipartUpload'])
    expect((await stored('large')).equals(large)).toBe(true)
  })

  test('parts of other bytes are sent again, an upload that is gone is begun anew', async () => {
    const path = join(folder, 'source')
    writeFileSync(path, large)
    const former = await access.startUpload('large')
    await former.send(bytesOf(large.length))
    await access.upload('large', { path }, { resume: former.uploadId })
    expect((await stored('large')).equals(large)).toBe(true)
    await access.upload('again', { path }, { resume: 'gone' })
    expect((await stored('again')).equals(large)).toBe(true)
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })
})

describe('an upload that is completed later', () => {
  test('is not to be seen before, and is listed with its parts', async () => {
    const upload = await access.startUpload('later', { contentType: 'text/csv', metadata: { run: '7' } })
    expect(await upload.send(streamOf(large))).toEqual({ size: large.length, parts: 3 })
    expect(aws.s3.listKeys(bucket)).toEqual([])
    const [uploads] = await collectPages(access.listUploads({ prefix: 'lat' }))
    expect(uploads).toMatchObject([{ key: 'later', uploadId: upload.uploadId }])
    const [parts] = await collectPages(access.listParts('later', upload.uploadId))
    expect(parts?.map(({ number, size }) => [number, size])).toEqual([
      [1, 8 * MiB],
      [2, 8 * MiB],
      [3, 1 * MiB],
    ])
    const written = await upload.complete({ ifNoneMatch: '*' })
    expect(await access.head('later')).toMatchObject({
      entry: { version: written.etag },
      contentType: 'text/csv',
      metadata: { run: '7' },
    })
  })

  test.each([0, 5])('of %i bytes has one part', async (size) => {
    const upload = await access.startUpload('tiny')
    expect(await upload.send(bytesOf(size))).toEqual({ size, parts: 1 })
    await upload.complete()
    expect((await stored('tiny')).length).toBe(size)
  })

  test('takes its bytes once, and can be aborted twice', async () => {
    const upload = await access.startUpload('once')
    await upload.send(small)
    await expect(upload.send(small)).rejects.toThrow(/already/)
    await upload.abort()
    await upload.abort()
    await access.abortUpload('once', upload.uploadId)
    expect(aws.s3.listUploads(bucket)).toEqual([])
  })
})

const collectPages = async <Entry>(pages: AsyncIterable<readonly Entry[]>) => {
  const all: (readonly Entry[])[] = []
  for await (const entries of pages) all.push(entries)
  return all
}

test('stores without checksums get Content-MD5, and no header that they do not know', async () => {
  const plain = openWriter(aws, { config: { checksums: 'when-required' } })
  await plain.upload('small', small)
  await plain.upload('large', large)
  expect((await stored('large')).equals(large)).toBe(true)
  fault('PutObject', { kind: 'reset', handled: true })
  const again = await plain.put('once', small, { ifNoneMatch: '*' })
  expect(again.etag).toBe(createHash('md5').update(small).digest('hex'))
})
