import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  actionsS3,
  copy,
  createBucket,
  deleteObjects,
  downloadFile,
  head,
  listFiles,
  listFolders,
  move,
  presign,
  uploadFile,
} from '../src/index.ts'
import { bucket, bytesOf, failure, type Lake, MiB, openLake } from './lake.ts'

let lake: Lake
beforeEach(async () => {
  lake = await openLake()
})

const path = (name: string) => join(lake.folder, name)

async function* streamOf(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += 100_000) yield bytes.subarray(start, start + 100_000)
}

/** Takes stdout. */
const collector = () => {
  const chunks: Uint8Array[] = []
  return { stdout: async (chunk: Uint8Array) => void chunks.push(chunk), bytes: () => Buffer.concat(chunks) }
}

describe('create-bucket', () => {
  test.each(['us-east-1', 'eu-west-1', 'ap-southeast-2', 'sa-east-1'])('in %s', async (region) => {
    const made = await lake.use((context) => createBucket(context, { bucket: 'fresh', region }))
    expect(made).toMatchObject({ bucket: 'fresh', region, created: true })
    expect(lake.aws.s3.bucketNames()).toContain('fresh')
  })

  test("one's own is fine, somebody else's is a conflict, a bad name names its rule", async () => {
    expect(await lake.use((context) => createBucket(context, { bucket }))).toMatchObject({ created: false })
    lake.aws.s3.createBucket({ name: 'foreign', account: '999999999999' })
    expect(await failure(lake.use((context) => createBucket(context, { bucket: 'foreign' })))).toMatchObject({
      kind: 'conflict',
      code: 'BucketAlreadyExists',
    })
    for (const [name, rule] of [
      ['ab', /3 to 63/],
      ['My-Bucket', /no capitals/],
      ['-a-b', /begins and ends/],
      ['a..b', /two dots/],
      ['10.0.0.1', /IPv4/],
      ['xn--abc', /xn--/],
      ['sthree-abc', /sthree-/],
      ['amzn-s3-demo-abc', /amzn-s3-demo-/],
      ['abc-s3alias', /-s3alias/],
      ['abc--ol-s3', /--ol-s3/],
      ['abc.mrap', /\.mrap/],
      ['abc--x-s3', /--x-s3/],
      ['abc--table-s3', /--table-s3/],
    ] as const)
      expect(
        (await failure(lake.use(async (context) => createBucket(context, { bucket: name })))).message,
      ).toMatch(rule)
  })
})

describe('upload-file', () => {
  test('a file goes to a key, or with its name into a folder', async () => {
    writeFileSync(path('a.csv'), 'id\n1\n')
    await lake.use(async (context) => {
      const source = path('a.csv')
      const keys = []
      for (const to of [undefined, 'in/', 'x/y', `s3://${bucket}/url/`, '/slash'])
        keys.push((await uploadFile(context, { source, to })).key)
      keys.push((await uploadFile(context, { source, folder: 'f' })).key)
      expect(keys).toEqual(['a.csv', 'in/a.csv', 'x/y', 'url/a.csv', 'slash', 'f/a.csv'])
    })
    expect((await lake.stored('in/a.csv')).toString()).toBe('id\n1\n')
  })

  test.each([0, 1, 9 * MiB])('stdin of %i bytes and unknown length', async (size) => {
    const bytes = bytesOf(size)
    const written = await lake.use((context) =>
      uploadFile({ ...context, stdin: streamOf(bytes) }, { source: '-', to: 'piped' }),
    )
    expect(written).toMatchObject({ key: 'piped', size })
    expect((await lake.stored('piped')).equals(bytes)).toBe(true)
  })

  test('an empty file', async () => {
    writeFileSync(path('empty'), '')
    expect(await lake.use((context) => uploadFile(context, { source: path('empty') }))).toMatchObject({
      size: 0,
    })
  })

  test('metadata, tags and headers of every kind', async () => {
    writeFileSync(path('a.csv'), 'x')
    await lake.use(async (context) => {
      await uploadFile(context, {
        source: path('a.csv'),
        cacheControl: 'no-cache',
        contentEncoding: 'identity',
        contentDisposition: 'inline',
        metadata: { run: '7' },
        tags: { team: 'a' },
        storageClass: 'STANDARD_IA',
        acl: 'bucket-owner-full-control',
        sse: 'aws:kms',
        kmsKeyId: 'alias/lake',
        bucketKey: true,
        headers: { 'x-amz-website-redirect-location': '/b' },
      })
      expect(await head(context, { path: 'a.csv' })).toMatchObject({
        contentType: 'text/csv',
        cacheControl: 'no-cache',
        contentDisposition: 'inline',
        storageClass: 'STANDARD_IA',
        encryption: 'aws:kms',
        tags: 1,
        metadata: { run: '7' },
      })
    })
  })

  test('nothing is overwritten where that is asked for', async () => {
    writeFileSync(path('a.csv'), 'new')
    await lake.put('a.csv', 'old')
    const error = await failure(
      lake.use((context) => uploadFile(context, { source: path('a.csv'), ifNoneMatch: '*' })),
    )
    expect(error).toMatchObject({ kind: 'conflict', code: 'ObjectExists' })
    expect((await lake.stored('a.csv')).toString()).toBe('old')
  })

  test('stdin without a name, and no stdin at all, say so', async () => {
    const error = await failure(lake.use(async (context) => uploadFile(context, { source: '-', to: 'in/' })))
    expect(error.code).toBe('NoFileName')
    expect((await failure(lake.use((context) => uploadFile(context, { source: '-', to: 'k' })))).code).toBe(
      'NoStream',
    )
  })
})

describe('download-file', () => {
  test('to a file, to a folder, to stdout, with its time', async () => {
    const modified = new Date('2024-05-06T07:08:09Z')
    await lake.aws.s3.putObject({
      bucket,
      key: 'photos/2019/a.jpg',
      body: 'jpg',
      contentType: 'image/jpeg',
      lastModified: modified,
    })
    mkdirSync(path('folder'))
    await lake.use(async (context) => {
      const result = await downloadFile(context, { path: '/photos/2019/a.jpg', to: path('made/here.jpg') })
      expect(result).toMatchObject({ size: 3, contentType: 'image/jpeg', file: path('made/here.jpg') })
      await downloadFile(context, { path: `s3://${bucket}/photos/2019/a.jpg`, to: path('folder') })
      const out = collector()
      expect(
        await downloadFile({ ...context, stdout: out.stdout }, { path: 'photos/2019/a.jpg', to: '-' }),
      ).not.toHaveProperty('file')
      expect(out.bytes().toString()).toBe('jpg')
    })
    expect(readFileSync(path('folder/a.jpg'), 'utf8')).toBe('jpg')
    expect(statSync(path('folder/a.jpg')).mtime).toEqual(modified)
  })

  test('a file that is there is not overwritten unless asked', async () => {
    await lake.put('a', 'new')
    writeFileSync(path('a'), 'old')
    await lake.use(async (context) => {
      expect(await failure(downloadFile(context, { path: 'a', to: path('a') }))).toMatchObject({
        code: 'FileExists',
      })
      expect(readFileSync(path('a'), 'utf8')).toBe('old')
      await downloadFile(context, { path: 'a', to: lake.folder, overwrite: true })
    })
    expect(readFileSync(path('a'), 'utf8')).toBe('new')
  })

  test('an object that is missing or archived leaves no file', async () => {
    await lake.aws.s3.putObject({ bucket, key: 'cold', body: 'x', storageClass: 'GLACIER' })
    await lake.use(async (context) => {
      expect((await failure(downloadFile(context, { path: 'none', to: path('x') }))).kind).toBe('not-found')
      expect((await failure(downloadFile(context, { path: 'cold', to: path('x') }))).code).toBe(
        'InvalidObjectState',
      )
    })
    expect(existsSync(path('x'))).toBe(false)
  })
})

describe('list-files and list-folders', () => {
  const keys = ['a/b/1', 'a/b/2', 'a/c', 'ab/x', 'a', 'ü/ö', 'sp ace/+%&', 'b//c', '/lead']

  test('prefixes by the letter, with and without slash, all of unicode', async () => {
    for (const key of keys) await lake.put(key)
    await lake.use(async (context) => {
      const files = async (prefix?: string) =>
        (await listFiles(context, { prefix })).files.map(({ key }) => key)
      expect(await files()).toEqual([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
      expect(await files('a/')).toEqual(['a/b/1', 'a/b/2', 'a/c'])
      expect(await files('a')).toEqual(['a', 'a/b/1', 'a/b/2', 'a/c', 'ab/x'])
      expect(await files('none')).toEqual([])
      const folders = async (prefix?: string) =>
        (await listFolders(context, { prefix })).folders.map((folder) => folder.prefix)
      expect(await folders()).toEqual(['/', 'a/', 'ab/', 'b/', 'sp ace/', 'ü/'])
      expect(await folders('a')).toEqual(['a/', 'ab/'])
      expect(await folders('a/')).toEqual(['a/b/'])
      expect(await folders('b/')).toEqual(['b//'])
      expect((await listFolders(context, { prefix: '', delimiter: 'c' })).folders).toEqual([
        { prefix: 'a/c' },
        { prefix: 'b//c' },
        { prefix: 'sp ac' },
      ])
    })
  })

  test('all pages, handed out as they come, or up to a limit', async () => {
    for (let index = 0; index < 2100; index++) await lake.put(`k/${index}`, '')
    await lake.use(async (context) => {
      let emitted = 0
      const streamed = await listFiles(context, { prefix: 'k/' }, async () => void emitted++)
      expect([emitted, streamed.count, streamed.files.length]).toEqual([2100, 2100, 0])
      const limited = await listFiles(context, { prefix: 'k/', limit: 1500 })
      expect([limited.files.length, limited.truncated]).toEqual([1500, true])
      lake.operations()
      await listFiles(context, { prefix: 'k/', limit: 3 })
      expect(lake.operations().length).toBeLessThanOrEqual(2)
    })
  })
})

describe('copy and move', () => {
  test('an object, into a folder, to another name', async () => {
    await lake.put('from/a.csv', 'x')
    await lake.use(async (context) => {
      await copy(context, { from: 'from/a.csv', to: 'to/' })
      const moved = await move(context, { from: 'from/a.csv', to: 'b.csv' })
      expect(moved.items).toEqual([{ size: 1, from: 's3://lake/from/a.csv', to: 's3://lake/b.csv' }])
    })
    expect(lake.keys()).toEqual(['b.csv', 'to/a.csv'])
  })

  test('a folder, to another bucket; dry run changes nothing', async () => {
    lake.aws.s3.createBucket({ name: 'archive', region: 'eu-central-1' })
    for (const key of ['d/1', 'd/x/2', 'other']) await lake.put(key)
    await lake.use(async (context) => {
      const input = { from: 'd', to: 's3://archive/old', recursive: true }
      expect(await move(context, { ...input, dryRun: true })).toMatchObject({ count: 2, dryRun: true })
      expect(lake.keys()).toEqual(['d/1', 'd/x/2', 'other'])
      await move(context, input)
    })
    expect(lake.aws.s3.listKeys('archive')).toEqual(['old/1', 'old/x/2'])
    expect(lake.keys()).toEqual(['other'])
  })

  test('what changes between copy and delete is not deleted', async () => {
    await lake.put('a', 'first')
    lake.aws.faults.add({
      when: { operation: 'DeleteObject' },
      fault: { kind: 'change-object', body: 'second' },
    })
    const error = await failure(lake.use((context) => move(context, { from: 'a', to: 'b' })))
    expect(error.kind).toBe('conflict')
    expect((await lake.stored('a')).toString()).toBe('second')
    expect((await lake.stored('b')).toString()).toBe('first')
  })

  test('onto itself, or into itself, is refused', async () => {
    await lake.put('d/1')
    await lake.use(async (context) => {
      expect((await failure(move(context, { from: 'd/1', to: 'd/1' }))).code).toBe('SameObject')
      const inside = { from: 'd', to: 'd/e', recursive: true }
      expect((await failure(copy(context, inside))).code).toBe('Overlap')
    })
    expect(lake.keys()).toEqual(['d/1'])
  })
})

describe('delete', () => {
  test('one, a prefix, a dry run; the whole bucket only when confirmed', async () => {
    for (const key of ['a', 'd/1', 'd/2', 'e']) await lake.put(key)
    await lake.use(async (context) => {
      expect(await deleteObjects(context, { path: 'a' })).toMatchObject({ deleted: 1 })
      expect(await deleteObjects(context, { path: 'd/', recursive: true, dryRun: true })).toMatchObject({
        deleted: 2,
        items: [{ key: 'd/1' }, { key: 'd/2' }],
      })
      await deleteObjects(context, { path: 'd/', recursive: true })
      expect(lake.keys()).toEqual(['e'])
      const all = { path: `s3://${bucket}`, recursive: true }
      expect((await failure(deleteObjects(context, all))).code).toBe('WholeBucket')
      await deleteObjects(context, { ...all, everything: true })
    })
    expect(lake.keys()).toEqual([])
  })
})

test('presign, with a life of its own', async () => {
  await lake.put('a b', 'hello')
  const { url, expires } = await lake.use((context) => presign(context, { path: 'a b', expiresIn: '15m' }))
  expect(Date.parse(expires) - Date.now()).toBeGreaterThan(14 * 60_000)
  expect(await (await fetch(url)).text()).toBe('hello')
  const tooLong = await failure(lake.use(async (context) => presign(context, { path: 'a', expiresIn: '8d' })))
  expect(tooLong.message).toContain('604800')
})

test('what actions give is what their output schemas say', async () => {
  await lake.put('a', 'x')
  await lake.use(async (context) => {
    const results = {
      'list-files': await listFiles(context, {}),
      'list-folders': await listFolders(context, {}),
      head: await head(context, { path: 'a' }),
      presign: await presign(context, { path: 'a' }),
      copy: await copy(context, { from: 'a', to: 'b' }),
      delete: await deleteObjects(context, { path: 'b' }),
      'download-file': await downloadFile(context, { path: 'a', to: path('a') }),
      'upload-file': await uploadFile(context, { source: path('a') }),
      'create-bucket': await createBucket(context, { bucket: 'fresh' }),
    }
    for (const [name, result] of Object.entries(results))
      expect(actionsS3.actions[name as keyof typeof results].output.parse(result)).toEqual(result)
  })
})
