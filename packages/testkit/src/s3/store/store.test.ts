import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { send } from '../../../test/clients.ts'
import { type Aws, startAws } from '../../aws.ts'
import { afterPrefix, createSortedKeys } from './sorted-keys.ts'

let folder: string
let aws: Aws | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-store-'))
})

afterEach(async () => {
  await aws?.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = async () => {
  await aws?.close()
  aws = await startAws({ data: folder, rootAccessKeyId: 'AKIAROOT', rootSecretAccessKey: 'secret' })
  return aws
}

const blobs = () =>
  readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )

describe('a store in a folder', () => {
  test('everything is there again after a restart', async () => {
    const first = await start()
    first.s3.createBucket({ name: 'kept', region: 'eu-west-1', publicRead: true, versioning: 'Enabled' })
    await first.s3.putObject({ bucket: 'kept', key: '../../odd key', body: 'one', metadata: { a: 'ä' } })
    await first.s3.putObject({ bucket: 'kept', key: '../../odd key', body: Buffer.alloc(3_000_000, 'x') })
    const region = 'eu-west-1'
    const begun = await send(first, { path: '/kept/open?uploads', method: 'POST', region })
    const id = /<UploadId>([^<]*)/.exec(begun.text)?.[1]
    const part = { path: `/kept/open?partNumber=1&uploadId=${id}`, method: 'PUT', body: 'part', region }
    const etag = (await send(first, part)).headers.etag

    const second = await start()
    expect((await send(second, { path: '/kept/../../odd%20key', credentials: null })).body).toHaveLength(
      3_000_000,
    )
    const versions = await send(second, { path: '/kept?versions', region })
    expect(versions.text.match(/<Version>/g)).toHaveLength(2)
    expect((await send(second, { path: '/kept?location' })).text).toContain('eu-west-1')
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
    await send(second, { path: `/kept/open?uploadId=${id}`, method: 'POST', body, region })

    const third = await start()
    expect((await third.s3.getObject('kept', 'open')).toString()).toBe('part')
    expect(third.s3.listUploads('kept')).toEqual([])
  })

  test('what is overwritten or deleted leaves no file; copies share theirs', async () => {
    const { s3 } = await start()
    s3.createBucket({ name: 'files' })
    await s3.putObject({ bucket: 'files', key: 'a', body: 'one' })
    await s3.putObject({ bucket: 'files', key: 'a', body: 'two' })
    await send(aws as Aws, { path: '/files/b', method: 'PUT', headers: { 'x-amz-copy-source': 'files/a' } })
    await expect.poll(() => blobs().length).toBe(1)
    s3.deleteObject('files', 'a')
    expect((await s3.getObject('files', 'b')).toString()).toBe('two')
    s3.deleteObject('files', 'b')
    await expect.poll(() => blobs().length).toBe(0)
  })

  test('a line that was not written to its end, and a body that nothing names, do not count', async () => {
    const { s3 } = await start()
    s3.createBucket({ name: 'torn' })
    await s3.putObject({ bucket: 'torn', key: 'a', body: 'x' })
    await aws?.close()
    aws = undefined
    appendFileSync(join(folder, 'journal.ndjson'), '[{"type":"version","bucket":"torn","key":"b","vers')
    writeFileSync(join(folder, 'blobs', '00', '00orphan'), 'left over')
    const again = await start()
    expect(again.s3.listKeys('torn')).toEqual(['a'])
    expect(blobs()).toHaveLength(1)
    await again.s3.putObject({ bucket: 'torn', key: 'c', body: 'y' })
    expect((await start()).s3.listKeys('torn')).toEqual(['a', 'c'])
  })

  test('one folder serves one process at a time', async () => {
    await start()
    await expect(startAws({ data: folder })).rejects.toThrow('in use')
    await aws?.close()
    aws = undefined
    expect(existsSync(join(folder, 'lock'))).toBe(false)
    writeFileSync(join(folder, 'lock'), '999999999')
    await start()
  })

  test('a body that is being read stays whole when it is overwritten or deleted', async () => {
    const { s3, port } = await start()
    s3.createBucket({ name: 'busy', publicRead: true })
    const body = Buffer.alloc(20_000_000, 'old')
    await s3.putObject({ bucket: 'busy', key: 'k', body })
    const response = await fetch(`http://127.0.0.1:${port}/busy/k`)
    const reader = response.body?.getReader()
    let size = (await reader?.read())?.value?.length ?? 0
    await s3.putObject({ bucket: 'busy', key: 'k', body: 'new' })
    for (let step = await reader?.read(); step && !step.done; step = await reader?.read())
      size += step.value.length
    expect(size).toBe(body.length)
    expect((await s3.getObject('busy', 'k')).toString()).toBe('new')
    await expect.poll(() => blobs().length).toBe(1)
  })
})

describe('sorted keys', () => {
  test('keep their order through any inserts and deletes', () => {
    const sorted = createSortedKeys<number>()
    const model = new Map<string, number>()
    let state = 7
    const random = (limit: number) => {
      state = (state * 48_271) % 2_147_483_647
      return state % limit
    }
    for (let step = 0; step < 30_000; step++) {
      const key = `k${random(8000)}`
      if (random(3) === 0) {
        sorted.delete(key)
        model.delete(key)
      } else if (!model.has(key)) {
        sorted.add(key, step)
        model.set(key, step)
      }
    }
    const found: [string, number | undefined][] = []
    for (const cursor = sorted.cursor(''); cursor.key !== undefined; cursor.advance())
      found.push([cursor.key, cursor.value])
    expect(found).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)))
    expect(sorted.size).toBe(model.size)
    const cursor = sorted.cursor('k5')
    cursor.seek('k77')
    expect(cursor.key).toBe([...model.keys()].sort().find((key) => key >= 'k77'))
  })

  test('the end of a prefix', () => {
    expect([afterPrefix('a/'), afterPrefix('a\u00ff'), afterPrefix('\u00ff'), afterPrefix('')]).toEqual([
      'a0',
      'b',
      undefined,
      undefined,
    ])
  })
})
