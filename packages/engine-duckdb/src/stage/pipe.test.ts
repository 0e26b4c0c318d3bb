import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { throughPipe } from './pipe.ts'

const { signal } = new AbortController()

const openFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-pipe-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a reader gets the bytes, and the pipe is gone afterwards', async () => {
  const folder = await openFolder()
  const use = (path: string) => readFile(path, 'utf8')
  expect(await throughPipe(folder, 'p', () => Readable.from([Buffer.from('abc')]), use, signal)).toBe('abc')
  expect(await readdir(folder)).toEqual([])
})

test('bytes that fail at once fail the whole and nothing else, however late the reader is', async () => {
  const folder = await openFolder()
  const bytes = () => {
    const stream = new PassThrough()
    setImmediate(() => stream.destroy(new Error('corrupt')))
    return stream
  }
  const use = async (path: string) => {
    await sleep(50)
    return readFile(path)
  }
  await expect(throughPipe(folder, 'p', bytes, use, signal)).rejects.toThrow('corrupt')
  expect(await readdir(folder)).toEqual([])
})
