import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucket, collect, embeddedAws, entryOf, listAll, openEmbedded } from '../../test/embedded.ts'
import { scanListing } from './list-xml.ts'

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

test('all pages come, in the order of UTF-8 bytes, each key once', async () => {
  const aws = await embeddedAws()
  const keys = Array.from({ length: 2345 }, (_, index) => `k/${String(index).padStart(5, '0')}`)
  for (const key of [...keys, 'other']) await aws.s3.putObject({ bucket, key, body: 'x' })
  const access = openEmbedded(aws)
  expect((await listAll(access, 'k/')).map((entry) => entry.key)).toEqual(keys)
  expect(access.stats().requests).toBe(3)
  const after: string[] = []
  for await (const page of access.list({ prefix: 'k/', startAfter: 'k/02340', pageSize: 2 })) {
    expect(page.entries.length).toBeLessThanOrEqual(2)
    after.push(...page.entries.map((entry) => entry.key))
  }
  expect(after).toEqual(['k/02341', 'k/02342', 'k/02343', 'k/02344'])
})

test('a delimiter gives folders; markers are entries', async () => {
  const aws = await embeddedAws()
  for (const key of ['a/', 'a/b/1', 'a/b/2', 'a/c & d/1', 'a/x.csv', 'z'])
    await aws.s3.putObject({ bucket, key, body: key.endsWith('/') ? '' : 'x' })
  const pages = []
  for await (const page of openEmbedded(aws).list({ prefix: 'a/', delimiter: '/' })) pages.push(page)
  expect(pages).toHaveLength(1)
  expect(pages[0]?.entries.map(({ key, size }) => [key, size])).toEqual([
    ['a/', 0],
    ['a/x.csv', 1],
  ])
  expect(pages[0]?.prefixes).toEqual(['a/b/', 'a/c & d/'])
})

test('an empty bucket is one page without entries', async () => {
  const pages = []
  for await (const page of openEmbedded(await embeddedAws()).list()) pages.push(page)
  expect(pages).toEqual([{ entries: [], prefixes: [] }])
})

test('an entry tells version, size, date and storage class', async () => {
  const aws = await embeddedAws()
  const { etag } = await aws.s3.putObject({ bucket, key: 'a', body: 'text' })
  await aws.s3.putObject({ bucket, key: 'b', body: 'text', storageClass: 'GLACIER' } as never)
  const access = openEmbedded(aws)
  const [first, second] = await listAll(access)
  expect(first).toEqual({
    container: bucket,
    key: 'a',
    version: etag.replaceAll('"', ''),
    size: 4,
    modified: expect.any(Number),
  })
  expect(Math.abs((first?.modified ?? 0) - Date.now())).toBeLessThan(60_000)
  expect(second).toMatchObject({ storageClass: 'GLACIER' })
  expect(await entryOf(access, 'a')).toEqual(first)
})

const odd = [
  'with space',
  'plus+percent%25',
  'quote\'"<>&;',
  'ünïcode/日本語/🎉',
  '../up/./here',
  '//double//slash/',
  '?query=1#hash',
  'back\\slash',
  'line\nbreak\ttab',
  'é'.repeat(512),
  '~tilde!*()',
  '\u{10ffff}\uffee',
  'https://host/a',
]

test('keys of any characters are listed, read and headed as they are', async () => {
  const aws = await embeddedAws()
  for (const key of odd) await aws.s3.putObject({ bucket, key, body: key })
  const access = openEmbedded(aws)
  const entries = await listAll(access)
  expect(entries.map((entry) => entry.key)).toEqual([...odd].sort(byBytes))
  for (const entry of entries) {
    expect(String(await collect(access.file(entry).read()))).toBe(entry.key)
    expect((await access.head(entry.key)).entry).toEqual(entry)
    expect(await listAll(access, entry.key)).toEqual([entry])
  }
})

test('any key at all survives list and get', async () => {
  const aws = await embeddedAws()
  const access = openEmbedded(aws)
  const key = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 60 })
    .filter((text) => text.isWellFormed() && !text.includes('\0'))
  await fc.assert(
    fc.asyncProperty(key, async (name) => {
      await aws.s3.putObject({ bucket, key: name, body: name })
      const [entry] = await listAll(access, name)
      expect(entry?.key).toBe(name)
      expect(String(await collect(access.file(entry as never).read()))).toBe(name)
      aws.s3.deleteObject(bucket, name)
    }),
    { numRuns: 60 },
  )
})

test('buckets are also addressed by host name', async () => {
  const aws = await embeddedAws()
  for (const key of odd) await aws.s3.putObject({ bucket, key, body: key })
  const config = { endpoint: `http://s3.localhost:${aws.port}`, forcePathStyle: false }
  const access = openEmbedded(aws, { config })
  const entries = await listAll(access)
  expect(entries).toHaveLength(odd.length)
  for (const entry of entries) expect(String(await collect(access.file(entry).read()))).toBe(entry.key)
  expect(await access.location()).toBe('eu-central-1')
  expect((await access.headBucket()).region).toBe('eu-central-1')
})

test('a listing that is not read to its end sends no further requests', async () => {
  const aws = await embeddedAws()
  for (let index = 0; index < 10; index++) await aws.s3.putObject({ bucket, key: `${index}`, body: '' })
  const access = openEmbedded(aws)
  for await (const page of access.list({ pageSize: 1 })) if (page.entries[0]?.key === '2') break
  expect(access.stats().requests).toBeLessThanOrEqual(4)
})

const listing = (inner: string): string =>
  `<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`
const contents = (key: string, more = ''): string =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;abc&quot;</ETag><Size>7</Size>${more}</Contents>`

test('an answer that is not URL-encoded is XML text', () => {
  const xml = listing(
    `<IsTruncated>false</IsTruncated>${contents('a&amp;b+c%20&#233;&#x1F389;&lt;Contents&gt;')}`,
  )
  expect(scanListing(xml, 'b')).toEqual({
    entries: [
      {
        container: 'b',
        key: 'a&b+c%20é🎉<Contents>',
        version: 'abc',
        size: 7,
        modified: Date.parse('2026-01-02T03:04:05.000Z'),
      },
    ],
    prefixes: [],
  })
})

test('an owner, a checksum and line breaks between elements do not confuse the scan', () => {
  const more =
    '<StorageClass>STANDARD_IA</StorageClass><Owner><ID>1</ID><DisplayName>Key</DisplayName></Owner><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>'
  const xml = listing(
    `<Prefix>p</Prefix>\n<EncodingType>url</EncodingType>\n<IsTruncated>true</IsTruncated>\n<NextContinuationToken>a&amp;b=</NextContinuationToken>\n${contents('a+b%2Bc', more)}\n<CommonPrefixes>\n<Prefix>x+y/</Prefix>\n</CommonPrefixes>`,
  )
  expect(scanListing(xml, 'b')).toMatchObject({
    entries: [{ key: 'a b+c', storageClass: 'STANDARD_IA' }],
    prefixes: ['x y/'],
    next: 'a&b=',
  })
})

test.each([
  ['is no listing', '<html>login</html>'],
  ['breaks off', '<ListBucketResult><Contents><Key>a</Key>'],
  ['goes on without a token', listing('<IsTruncated>true</IsTruncated>')],
  ['has an object without a size', listing('<Contents><Key>a</Key></Contents>')],
])('an answer that %s is an error, not a shorter list', (_, xml) => {
  expect(() => scanListing(xml, 'b')).toThrow(
    expect.objectContaining({ kind: 'data', code: 'MalformedListing' }),
  )
})

test('an encoded key is decoded as XML first', () => {
  const contents =
    '<Contents><Key>it&apos;s%20%22it%22%26</Key><Size>1</Size><LastModified>2025-01-01T00:00:00Z</LastModified><ETag>&quot;e&quot;</ETag></Contents>'
  const xml = `<ListBucketResult><EncodingType>url</EncodingType>${contents}</ListBucketResult>`
  expect(scanListing(xml, 'b').entries).toMatchObject([{ key: 'it\'s "it"&', version: 'e' }])
})
