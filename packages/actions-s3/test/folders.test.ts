import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { downloadFile, sync } from '../src/index.ts'
import { targetFolder } from '../src/local/folder.ts'
import { failure, type Lake, openLake } from './lake.ts'

let lake: Lake
let target: string
beforeEach(async () => {
  lake = await openLake()
  target = join(lake.folder, 'target')
})

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

const down = (input: Partial<Parameters<typeof sync>[1]> = {}) =>
  lake.use((context) => sync(context, { from: 's3://lake/p/', to: target, ...input }))
const up = (input: Partial<Parameters<typeof sync>[1]> = {}) =>
  lake.use((context) => sync(context, { from: target, to: 's3://lake/p', ...input }))

/** Below the prefix p/. */
const oddKeys = [
  '../x',
  '/abs',
  'a\\b',
  'con',
  'folder/sub',
  'nul\0byte',
  'q/../../b',
  './c',
  'd//e',
  'é',
  'A',
  'a',
  '%2F',
  'f/',
]

describe('keys that are no names', () => {
  test('stay in the folder, each a file of its own, and go up again as the same keys', async () => {
    for (const key of oddKeys) await lake.put(`p/${key}`, `body of ${key}`)
    writeFileSync(join(lake.folder, 'x'), 'precious')
    await down()
    const files = filesBelow(target)
    expect(files).toHaveLength(oddKeys.length)
    for (const file of files) expect(resolve(file).startsWith(target + sep)).toBe(true)
    expect(files.map((file) => readFileSync(file, 'utf8')).sort()).toEqual(
      oddKeys.map((key) => `body of ${key}`).sort(),
    )
    expect(readFileSync(join(lake.folder, 'x'), 'utf8')).toBe('precious')
    await lake.use((context) => sync(context, { from: target, to: 's3://lake/again/' }))
    expect(lake.keys('again/').map((key) => key.slice('again/'.length))).toEqual(
      lake.keys('p/').map((key) => key.slice('p/'.length)),
    )
  })

  test.each(['../x', '..', '/abs/', 'dir/../evil'])(
    'one of them, %j, downloads into the folder or not at all',
    async (key) => {
      await lake.put(key, 'body')
      mkdirSync(target)
      const before = filesBelow(lake.folder).filter((file) => !file.includes('.state'))
      await lake
        .use((context) => downloadFile(context, { path: `s3://lake/${key}`, to: target }))
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'NoFileName' }))
      const made = filesBelow(lake.folder).filter((file) => !before.includes(file))
      for (const file of made) expect(file.startsWith(target + sep)).toBe(true)
    },
  )

  test('a link that leads out of the folder is not followed', async () => {
    const outside = join(lake.folder, 'outside')
    mkdirSync(outside)
    mkdirSync(target)
    symlinkSync(outside, join(target, 'link'))
    await lake.put('p/link/passwd', 'evil')
    expect((await failure(down())).code).toBe('UnsafeName')
    expect(readdirSync(outside)).toEqual([])
  })

  test('a link in the place of a file is replaced, not written through', async () => {
    const outside = join(lake.folder, 'outside')
    writeFileSync(outside, 'precious')
    mkdirSync(target)
    symlinkSync(outside, join(target, 'file'))
    await lake.put('p/file', 'body')
    await down()
    expect([readFileSync(outside, 'utf8'), readFileSync(join(target, 'file'), 'utf8')]).toEqual([
      'precious',
      'body',
    ])
  })

  test('two that a file system without capitals takes for one are a conflict', () => {
    const folder = targetFolder(target, { foldsCase: true })
    folder.place('Data/a.csv')
    expect(() => folder.place('data/A.csv')).toThrow(/differ by capitals alone/)
    expect(folder.place('Data/a.csv')).toBe(join(folder.path, 'Data/a.csv'))
  })

  test('a key that is the beginning of another one fails, and the others arrive', async () => {
    for (const key of ['p/a', 'p/a/b', 'p/c']) await lake.put(key)
    const error = await failure(down())
    expect(error.message).toMatch(/1 of 3 objects failed/)
    expect(existsSync(join(target, 'c'))).toBe(true)
  })
})

describe('sync', () => {
  const write = (name: string, body = name) => {
    mkdirSync(join(target, name, '..'), { recursive: true })
    writeFileSync(join(target, name), body)
    const past = Date.now() / 1000 - 100
    utimesSync(join(target, name), past, past)
  }

  test('moves what is new or different, and nothing the second time', async () => {
    write('a.txt')
    write('a/b.csv')
    write('ü/c')
    expect(await up()).toMatchObject({ uploaded: 3, deleted: 0 })
    expect(await up()).toMatchObject({ uploaded: 0 })
    write('a.txt', 'longer now')
    expect((await up()).items).toMatchObject([{ action: 'upload', why: 'size', key: 'a.txt' }])
    writeFileSync(join(target, 'a.txt'), 'newer text')
    utimesSync(join(target, 'a.txt'), new Date(), new Date(Date.now() + 5000))
    expect((await up()).items).toMatchObject([{ why: 'time', key: 'a.txt' }])
    expect((await lake.stored('p/a.txt')).toString()).toBe('newer text')
  })

  test('deletes at the target only when asked, after a dry run that changes nothing', async () => {
    write('keep')
    await up()
    for (const key of ['p/gone/1', 'p/gone/2']) await lake.put(key)
    expect(await up()).toMatchObject({ deleted: 0 })
    expect(await up({ delete: true, dryRun: true })).toMatchObject({ deleted: 2, dryRun: true })
    expect(lake.keys()).toHaveLength(3)
    expect(await up({ delete: true })).toMatchObject({ deleted: 2 })
    expect(lake.keys()).toEqual(['p/keep'])
    write('extra')
    expect(await down({ delete: true })).toMatchObject({ deleted: 1, downloaded: 0 })
    expect(filesBelow(target)).toEqual([join(target, 'keep')])
  })

  test('a dry run makes no folder', async () => {
    await lake.put('p/a')
    expect(await down({ dryRun: true })).toMatchObject({ downloaded: 1 })
    expect(existsSync(target)).toBe(false)
  })

  test('includes and excludes hold for deletions as well', async () => {
    for (const key of ['a.csv', 'x/b.csv', 'x/c.txt', 'x/tmp/d.csv']) await lake.put(`p/${key}`)
    const chosen = { include: ['*.csv'], exclude: ['x/tmp/**'] }
    expect((await down(chosen)).items.map(({ key }) => key).sort()).toEqual(['a.csv', 'x/b.csv'])
    write('x/tmp/own.csv')
    expect(await down({ ...chosen, delete: true })).toMatchObject({ deleted: 0 })
  })

  test('by checksum, a change that keeps size and time is seen', async () => {
    write('a', 'one')
    await up()
    write('a', 'two')
    expect(await up()).toMatchObject({ uploaded: 0 })
    expect((await up({ compare: 'checksum' })).items).toMatchObject([{ why: 'checksum' }])
    expect(await up({ compare: 'checksum' })).toMatchObject({ uploaded: 0 })
  })

  test('one that fails does not hold up the others, and the end is an error', async () => {
    for (const name of ['a', 'b', 'c']) write(name)
    lake.aws.faults.add({
      when: { operation: 'PutObject', key: 'p/b' },
      fault: { kind: 'error', status: 403, code: 'AccessDenied', message: 'no' },
    })
    const error = await failure(up())
    expect(error).toMatchObject({ kind: 'permission' })
    expect(error.message).toMatch(
      /^1 of 3 objects failed\. The first: .*s3:PutObject on arn:aws:s3:::lake\/p\/b/,
    )
    expect(lake.keys()).toEqual(['p/a', 'p/c'])
  })

  test('two folders, two prefixes, a missing folder, a file: refused', async () => {
    await lake.use(async (context) => {
      expect((await failure(sync(context, { from: 'a', to: 'b' }))).code).toBe('Usage')
      expect((await failure(sync(context, { from: join(target, 'none'), to: 's3://lake/p' }))).code).toBe(
        'NoFolder',
      )
    })
  })
})
