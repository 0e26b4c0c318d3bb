import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf, send } from '../../../test/clients.ts'
import { type Aws, startAws } from '../../aws.ts'
import { encodeListed } from '../listing.ts'

const Bucket = 'listing'
/** Order by UTF-8 bytes differs from JavaScript's at the last two. */
const keys = [
  '.hidden',
  'a',
  'a b+c.csv',
  'a&b<c>"d.csv',
  'a/',
  'a/1',
  'a/2',
  'a/b/1',
  'a/b/2',
  'a0',
  'b/\u0001x',
  'b//c',
  'z~*%',
  'ä/ö',
  '\uFFFD/x',
  '\u{1F600}/y',
]

let aws: Aws
let s3: S3Client

beforeAll(async () => {
  aws = await startAws()
  s3 = clientOf(aws)
  aws.s3.createBucket({ name: Bucket })
  for (const key of keys.toReversed()) await aws.s3.putObject({ bucket: Bucket, key, body: key })
})

afterAll(() => aws.close())

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What a listing has to give, the slow and simple way. */
function expected(all: string[], { prefix = '', delimiter = '', after = '' }): string[] {
  const items = new Set<string>()
  for (const key of all.toSorted(byBytes)) {
    if (!key.startsWith(prefix)) continue
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const item = end < 0 ? key : key.slice(0, end + delimiter.length)
    if (after === '' || byBytes(item, after) > 0) items.add(item)
  }
  return [...items].sort(byBytes)
}

async function pages(input: { Prefix?: string; Delimiter?: string; StartAfter?: string }, size: number) {
  const names: string[] = []
  const counts: number[] = []
  const paginator = paginateListObjectsV2({ client: s3, pageSize: size }, { Bucket, ...input })
  for await (const page of paginator) {
    const here = [
      ...(page.Contents ?? []).map(({ Key }) => Key),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
    ]
    counts.push(here.length)
    expect(page.KeyCount).toBe(here.length)
    names.push(...here.map((name) => name ?? ''))
  }
  expect(counts.slice(0, -1).every((count) => count === size)).toBe(true)
  return names.sort(byBytes)
}

describe('ListObjectsV2', () => {
  test('keys come in the order of their UTF-8 bytes', async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }))
    expect(Contents.map(({ Key }) => Key)).toEqual(keys)
  })

  test.each([1, 2, 3, 1000])('pages of %i cut nothing off and repeat nothing', async (size) => {
    for (const prefix of ['', 'a', 'a/', 'a/b/', 'b/', 'none']) {
      for (const delimiter of ['', '/', 'b/', '//', '\u{1F600}']) {
        for (const after of ['', 'a', 'a/1', 'a/zz', 'b/']) {
          const input = { Prefix: prefix, Delimiter: delimiter, ...(after && { StartAfter: after }) }
          expect(await pages(input, size), JSON.stringify(input)).toEqual(
            expected(keys, { prefix, delimiter, after }),
          )
        }
      }
    }
  })

  test('names are encoded as forms are, on demand', async () => {
    const { Contents = [], EncodingType } = await s3.send(
      new ListObjectsV2Command({ Bucket, EncodingType: 'url' }),
    )
    expect(EncodingType).toBe('url')
    const decoded = Contents.map(({ Key = '' }) => decodeURIComponent(Key.replaceAll('+', ' ')))
    expect(decoded).toEqual(keys)
    expect(Contents.map(({ Key }) => Key)).toContain('a+b%2Bc.csv')
    expect(encodeListed('a~b*c=(é)/ -_.')).toBe('a%7Eb*c%3D%28%C3%A9%29/+-_.')
  })

  test('without encoding, control characters are references and the text stays well-formed', async () => {
    const reply = await send(aws, { path: `/${Bucket}?list-type=2&prefix=b/` })
    expect(reply.text).toContain('<Key>b/&#x1;x</Key>')
    expect((await send(aws, { path: `/${Bucket}?list-type=2&prefix=a%26` })).text).toContain(
      '<Key>a&amp;b&lt;c&gt;&quot;d.csv</Key>',
    )
  })

  test('owners come on demand', async () => {
    const { Contents: without = [] } = await s3.send(new ListObjectsV2Command({ Bucket }))
    const { Contents: with_ = [] } = await s3.send(new ListObjectsV2Command({ Bucket, FetchOwner: true }))
    expect([without[0]?.Owner, with_[0]?.Owner?.ID]).toEqual([
      undefined,
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ])
  })

  test.each([
    ['max-keys=-1', 'InvalidArgument'],
    ['max-keys=x', 'InvalidArgument'],
    ['encoding-type=base64', 'InvalidArgument'],
    ['continuation-token=bogus', 'InvalidArgument'],
  ])('%s is refused', async (query, code) => {
    expect((await send(aws, { path: `/${Bucket}?list-type=2&${query}` })).code).toBe(code)
  })

  test('max-keys=0 is an empty page, and more than 1,000 is 1,000', async () => {
    const none = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false])
    expect((await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 5000 }))).MaxKeys).toBe(1000)
  })

  test('a hundred thousand keys come in a hundred pages', async () => {
    aws.s3.createBucket({ name: 'many' })
    for (let index = 0; index < 100_000; index++) {
      const key = `part-${String((index * 7919) % 100_000).padStart(6, '0')}`
      await aws.s3.putObject({ bucket: 'many', key, body: '' })
    }
    let count = 0
    let last = ''
    let token: string | undefined
    do {
      const query = `list-type=2${token === undefined ? '' : `&continuation-token=${encodeURIComponent(token)}`}`
      const { text } = await send(aws, { path: `/many?${query}` })
      for (const [, key = ''] of text.matchAll(/<Key>([^<]*)</g)) {
        expect(key > last).toBe(true)
        last = key
        count++
      }
      token = /<NextContinuationToken>([^<]*)</.exec(text)?.[1]
    } while (token !== undefined)
    expect(count).toBe(100_000)
    const folded = await s3.send(new ListObjectsV2Command({ Bucket: 'many', Delimiter: '-' }))
    expect(folded.CommonPrefixes).toEqual([{ Prefix: 'part-' }])
  })
})

describe('ListObjects, the first version', () => {
  test.each([1, 3, 1000])('markers lead through pages of %i', async (size) => {
    for (const delimiter of ['', '/']) {
      const names: string[] = []
      let marker: string | undefined = ''
      while (marker !== undefined) {
        const page: ListObjectsCommandOutput = await s3.send(
          new ListObjectsCommand({ Bucket, Delimiter: delimiter, Marker: marker, MaxKeys: size }),
        )
        const here: string[] = (page.Contents ?? []).map(({ Key = '' }) => Key)
        const prefixes = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix)
        names.push(...[...here, ...prefixes].sort(byBytes))
        // Without a delimiter S3 gives no next marker: the last key is it.
        marker = page.IsTruncated ? (page.NextMarker ?? here.at(-1)) : undefined
      }
      expect(names).toEqual(expected(keys, { delimiter }))
    }
  })
})

describe('ListObjectVersions', () => {
  const versioned = 'versioned'
  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: versioned }))
    const put = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: versioned, Key, Body }))
    await put('a', '0')
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration: { Status: 'Enabled' } }),
    )
    for (const body of ['1', '2', '3']) await put('a', body)
    await put('d/x', '1')
    await put('d/y', '1')
    await s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'd/y' }))
    await put('e', '1')
  })

  test.each([1, 2, 1000])('all versions come, newest first, in pages of %i', async (size) => {
    const found: string[] = []
    const input = { Bucket: versioned, MaxKeys: size }
    let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}
    while (next) {
      const page: ListObjectVersionsCommandOutput = await s3.send(
        new ListObjectVersionsCommand({ ...input, ...next }),
      )
      for (const { Key, IsLatest, Size } of page.Versions ?? [])
        found.push(`${Key} ${IsLatest ? 'latest' : 'old'} ${Size}`)
      for (const { Key, IsLatest } of page.DeleteMarkers ?? [])
        found.push(`${Key} ${IsLatest ? 'latest' : 'old'} marker`)
      next = page.IsTruncated
        ? {
            ...(page.NextKeyMarker && { KeyMarker: page.NextKeyMarker }),
            ...(page.NextVersionIdMarker && { VersionIdMarker: page.NextVersionIdMarker }),
          }
        : undefined
    }
    expect(found.toSorted()).toEqual(
      [
        'a latest 1',
        'a old 1',
        'a old 1',
        'a old 1',
        'd/x latest 1',
        'd/y latest marker',
        'd/y old 1',
        'e latest 1',
      ].toSorted(),
    )
  })

  test('a deleted key is in no listing of objects, nor the prefix that it alone had', async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: versioned }))
    expect(Contents.map(({ Key }) => Key)).toEqual(['a', 'd/x', 'e'])
    await s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'd/x' }))
    const folded = await s3.send(new ListObjectsV2Command({ Bucket: versioned, Delimiter: '/' }))
    expect(folded.CommonPrefixes).toBeUndefined()
    const versions = await s3.send(new ListObjectVersionsCommand({ Bucket: versioned, Delimiter: '/' }))
    expect(versions.CommonPrefixes).toEqual([{ Prefix: 'd/' }])
  })
})
