import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { bytesOf, temporaryFolder } from '../../test/embedded.ts'
import { rangeWriter, smallFileWriter } from './local-file.ts'

/** Every look at the clock finds it later by so many ms. */
const makeTimeFly = (ms = 1000) => {
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += ms))
  onTestFinished(() => clock.mockRestore())
}

test('a range is written where it belongs, in blocks', async () => {
  const path = join(await temporaryFolder(), 'out')
  const file = await open(path, 'w')
  const bytes = bytesOf(3_000_000)
  const chunks: Uint8Array[] = []
  const positions: number[] = []
  const write = rangeWriter(file, path, 100, {
    block: (block) => void chunks.push(block),
    written: (position) => void positions.push(position),
  })
  for (let start = 0; start < bytes.length; start += 1 << 20)
    await write(bytes.subarray(start, start + (1 << 20)))
  await file.close()
  expect((await readFile(path)).subarray(100).equals(bytes)).toBe(true)
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  expect(positions).toEqual([(1 << 20) + 100, (2 << 20) + 100, 3_000_100])
})

test('behind a disk that makes a write wait the thread pool goes on where it stopped', async () => {
  const path = join(await temporaryFolder(), 'out')
  const file = await open(path, 'w')
  const bytes = bytesOf(1_000_000)
  makeTimeFly()
  const positions: number[] = []
  const write = rangeWriter(file, path, 7, {
    block: () => {},
    written: (position) => void positions.push(position),
  })
  const waits = write(bytes.subarray(0, 300_000))
  expect(waits).toBeInstanceOf(Promise)
  await waits
  await write(bytes.subarray(300_000))
  await file.close()
  expect((await readFile(path)).subarray(7).equals(bytes)).toBe(true)
  expect(positions).toEqual([300_007, 1_000_007])
})

test.skipIf(!existsSync('/dev/full'))('a full disk is an error of the machine', async () => {
  const file = await open('/dev/full', 'w')
  const write = rangeWriter(file, '/stage/out', 0, { block: () => {}, written: () => {} })
  const full = {
    kind: 'resource',
    code: 'ENOSPC',
    message: 'The disk is full: /stage/out could not be written.',
  }
  expect(() => write(bytesOf(10))).toThrow(expect.objectContaining(full))
  await file.close()
})

test('a small file is written, over what was there', async () => {
  const path = join(await temporaryFolder(), 'out')
  const write = smallFileWriter()
  await write(path, [Buffer.from('something long')])
  await write(path, [Buffer.from('a'), Buffer.from('b')])
  expect(await readFile(path, 'utf8')).toBe('ab')
})

test('behind a disk that is slow with files several are written at a time', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'out')
  makeTimeFly(5)
  const write = smallFileWriter()
  expect(write(path, [Buffer.from('something long')])).toBeUndefined()
  const waits = write(path, [Buffer.from('a'), Buffer.from('b')])
  expect(waits).toBeInstanceOf(Promise)
  await waits
  expect(await readFile(path, 'utf8')).toBe('ab')
  await expect(write(join(folder, 'none', 'out'), [])).rejects.toMatchObject({
    kind: 'resource',
    code: 'ENOENT',
  })
})
