import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf, send } from '../../../test/clients.ts'
import { type Aws, startAws } from '../../aws.ts'

const Bucket = 'changes'
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
  aws.s3.createBucket({ name: 'other', region: 'eu-west-1' })
})

afterAll(() => aws.close())

const put = (Key: string, Body: string, rest: Partial<PutObjectCommandInput> = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }))
const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }))
const textOf = async (Key: string, VersionId?: string) => {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key, ...(VersionId && { VersionId }) }))
  return got.Body?.transformToString()
}

describe('CopyObject', () => {
  const copy = (CopySource: string, Key: string, rest: Partial<CopyObjectCommandInput> = {}) =>
    s3.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...rest }))

  test('takes bytes, headers, metadata and tags, or new ones in their place', async () => {
    const { ETag } = await put('from', 'body', {
      ContentType: 'text/x',
      Metadata: { a: '1' },
      Tagging: 't=1',
    })
    const { CopyObjectResult } = await copy(`${Bucket}/from`, 'to')
    expect(CopyObjectResult?.ETag).toBe(ETag)
    expect(await head('to')).toMatchObject({ ContentType: 'text/x', Metadata: { a: '1' } })
    await copy(`/${Bucket}/from`, 'to', {
      MetadataDirective: 'REPLACE',
      TaggingDirective: 'REPLACE',
      ContentType: 'text/y',
      Metadata: { b: '2' },
      Tagging: 'u=2',
      StorageClass: 'STANDARD_IA',
    })
    expect(await head('to')).toMatchObject({
      ContentType: 'text/y',
      Metadata: { b: '2' },
      StorageClass: 'STANDARD_IA',
    })
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))
    expect(TagSet).toEqual([{ Key: 'u', Value: '2' }])
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'from' }))
    expect(await textOf('to')).toBe('body')
  })

  test.each(['a b', 'a+b', '100%', 'ü/☃', "it's"])('finds the source %j', async (key) => {
    await put(key, key)
    await copy(`${Bucket}/${encodeURIComponent(key)}`, 'found')
    expect(await textOf('found')).toBe(key)
  })

  test('conditions are on the source', async () => {
    const { ETag } = await put('source', 'x')
    const source = `${Bucket}/source`
    expect(await codeOf(copy(source, 'c', { CopySourceIfMatch: '"no"' }))).toBe('PreconditionFailed')
    expect(await codeOf(copy(source, 'c', { CopySourceIfNoneMatch: ETag }))).toBe('PreconditionFailed')
    expect(
      await codeOf(copy(source, 'c', { CopySourceIfModifiedSince: new Date(0), CopySourceIfMatch: ETag })),
    ).toBe('ok')
  })

  test.each<[string, string, string, string]>([
    ['a copy onto itself', `${Bucket}/self`, 'self', 'InvalidRequest'],
    ['a source that is not there', `${Bucket}/none`, 'x', 'NoSuchKey'],
    ['a bucket that is not there', 'nowhere-at-all/none', 'x', 'NoSuchBucket'],
    ['a source without a key', Bucket, 'x', 'InvalidArgument'],
  ])('%s is refused', async (_, source, key, code) => {
    await put('self', 'x')
    expect(await codeOf(copy(source, key))).toBe(code)
  })

  test('a new checksum can be asked for', async () => {
    await put('sum', 'x', { ChecksumAlgorithm: 'CRC32' })
    const { CopyObjectResult } = await copy(`${Bucket}/sum`, 'sum2', { ChecksumAlgorithm: 'SHA256' })
    expect(CopyObjectResult?.ChecksumSHA256).toHaveLength(44)
  })

  test('buckets of other regions are sources too', async () => {
    await aws.s3.putObject({ bucket: 'other', key: 'far', body: 'far away' })
    await copy('other/far', 'near')
    expect(await textOf('near')).toBe('far away')
  })
})

describe('deleting', () => {
  test('what is not there is deleted as well', async () => {
    expect(await codeOf(s3.send(new DeleteObjectCommand({ Bucket, Key: 'never' })))).toBe('ok')
  })

  test('If-Match protects a newer object', async () => {
    await put('guarded', 'new')
    const remove = (IfMatch: string) => s3.send(new DeleteObjectCommand({ Bucket, Key: 'guarded', IfMatch }))
    expect(await codeOf(remove('"old"'))).toBe('PreconditionFailed')
    expect(await codeOf(remove((await head('guarded')).ETag ?? ''))).toBe('ok')
  })

  test('many at once; quiet answers tell failures alone', async () => {
    const keys = ['m/1', 'm/<&>', 'm/ü ', 'm/none']
    for (const key of keys.slice(0, 3)) await put(key, 'x')
    const Objects = keys.map((Key) => ({ Key }))
    const loud = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(loud.Deleted?.map(({ Key }) => Key)).toEqual(keys)
    const quiet = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
    expect([quiet.Deleted, quiet.Errors]).toEqual([undefined, undefined])
    expect(aws.s3.listKeys(Bucket, 'm/')).toEqual([])
  })

  test('each key needs its own permission', async () => {
    const user = aws.identities.createUser({
      name: 'cleaner',
      policies: [
        {
          Statement: {
            Effect: 'Allow',
            Action: 's3:DeleteObject',
            Resource: `arn:aws:s3:::${Bucket}/mine/*`,
          },
        },
      ],
    })
    const result = await clientOf(aws, { credentials: user }).send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'mine/1' }, { Key: 'theirs' }] } }),
    )
    expect(result.Deleted).toEqual([{ Key: 'mine/1' }])
    expect(result.Errors).toMatchObject([{ Key: 'theirs', Code: 'AccessDenied' }])
  })

  test.each<[string, string, Record<string, string>, string]>([
    ['1,001 keys', `<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`, {}, 'MalformedXML'],
    ['no key', '<Delete></Delete>', {}, 'MalformedXML'],
    ['no checksum', '<Delete><Object><Key>k</Key></Object></Delete>', { none: '1' }, 'InvalidRequest'],
    ['a wrong checksum', '<Delete/>', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
  ])('%s is refused', async (_, body, given, code) => {
    const { createHash } = await import('node:crypto')
    const headers =
      Object.keys(given).length > 0
        ? given
        : { 'content-md5': createHash('md5').update(body).digest('base64') }
    expect((await send(aws, { path: `/${Bucket}?delete`, method: 'POST', body, headers })).code).toBe(code)
  })
})

test('tags are put, read and deleted', async () => {
  await put('tagged', 'x', { Tagging: 'a=1' })
  const tags = async () => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet
  const set = (TagSet: { Key: string; Value: string }[]) =>
    s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } }))
  expect(await tags()).toEqual([{ Key: 'a', Value: '1' }])
  await set([{ Key: 'k ü', Value: 'v=+-@' }])
  expect(await tags()).toEqual([{ Key: 'k ü', Value: 'v=+-@' }])
  expect(
    await codeOf(
      set([
        { Key: 'a', Value: '1' },
        { Key: 'a', Value: '2' },
      ]),
    ),
  ).toBe('InvalidTag')
  expect(await codeOf(set([{ Key: '', Value: '1' }]))).toBe('InvalidTag')
  expect(await codeOf(set(Array.from({ length: 11 }, (_, index) => ({ Key: `k${index}`, Value: '' }))))).toBe(
    'BadRequest',
  )
  await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tagged' }))
  expect(await tags()).toEqual([])
})

test('an object’s ACL decides what strangers may read', async () => {
  await put('acl', 'x')
  const stranger = () => send(aws, { path: `/${Bucket}/acl`, credentials: null }).then(({ status }) => status)
  expect(await stranger()).toBe(403)
  await s3.send(new PutObjectAclCommand({ Bucket, Key: 'acl', ACL: 'public-read' }))
  expect(await stranger()).toBe(200)
  const { Grants } = await s3.send(new GetObjectAclCommand({ Bucket, Key: 'acl' }))
  expect(Grants?.map(({ Permission }) => Permission)).toEqual(['FULL_CONTROL', 'READ'])
  await s3.send(
    new PutObjectAclCommand({ Bucket, Key: 'acl', AccessControlPolicy: { Owner: {}, Grants: [] } }),
  )
  expect(await stranger()).toBe(403)
})

describe('versions', () => {
  beforeAll(async () => {
    await put('old', 'from before')
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
  })
  afterAll(() =>
    s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })),
  )

  test('each PUT makes one, and each stays readable', async () => {
    const { VersionId: first } = await put('v', '1')
    const { VersionId: second } = await put('v', '2')
    expect(first).not.toBe(second)
    expect([await textOf('v'), await textOf('v', first), await textOf('v', second)]).toEqual(['2', '1', '2'])
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'v', CopySource: `${Bucket}/v?versionId=${first}` }))
    expect(await textOf('v')).toBe('1')
    expect(await codeOf(textOf('v', 'A'.repeat(32)))).toBe('NoSuchVersion')
    expect(await codeOf(textOf('v', 'not/an/id'))).toBe('InvalidArgument')
  })

  test('an object from before has the version null', async () => {
    await put('old', 'new')
    expect(await textOf('old', 'null')).toBe('from before')
  })

  test('deleting hides; deleting the marker brings back; deleting a version is for ever', async () => {
    const { VersionId: kept } = await put('d', 'kept')
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd' }))
    expect([marker.DeleteMarker, typeof marker.VersionId]).toEqual([true, 'string'])
    const hidden = await send(aws, { path: `/${Bucket}/d` })
    expect([hidden.code, hidden.headers['x-amz-delete-marker']]).toEqual(['NoSuchKey', 'true'])
    const ofMarker = await send(aws, { path: `/${Bucket}/d?versionId=${marker.VersionId}` })
    expect([ofMarker.status, ofMarker.code]).toEqual([405, 'MethodNotAllowed'])
    expect(await textOf('d', kept)).toBe('kept')
    const undone = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd', ...marker }))
    expect(undone.DeleteMarker).toBe(true)
    expect(await textOf('d')).toBe('kept')
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd', VersionId: kept }))
    expect(await codeOf(textOf('d', kept))).toBe('NoSuchVersion')
  })

  test('suspended, the version null is overwritten and the others stay', async () => {
    const { VersionId: kept } = await put('s', 'kept')
    await s3.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
    )
    await put('s', 'null 1')
    await put('s', 'null 2')
    expect([await textOf('s'), await textOf('s', 'null'), await textOf('s', kept)]).toEqual([
      'null 2',
      'null 2',
      'kept',
    ])
  })
})
