import { existsSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { bytesOf, temporaryFolder } from '../../test/embedded.ts'
import { createCrc } from '../checksum/crc.ts'
import { createWriters } from './writers.ts'

/** Every look at the clock finds it later by so many ms: the disk seems to be that slow. */
const makeTimeFly = (ms: number) => {
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += ms))
  onTestFinished(() => clock.mockRestore())
}

const writersOf = (threads?: number) => {
  const writers = createWriters(threads)
  onTestFinished(() => writers.close())
  return writers
}

const crcOf = (bytes: Uint8Array) => {
  const crc = createCrc('crc64nvme')
  crc.update(bytes)
  return crc.digest()
}

/** At once, by threads, and by both in turn. */
const speeds = [0, 20, 1000]

test.each(speeds)('ranges are written where they belong, with their CRC (%i ms a write)', async (ms) => {
  makeTimeFly(ms)
  const path = join(await temporaryFolder(), 'out')
  const file = await open(path, 'w')
  const bytes = bytesOf(3_000_000)
  const writers = writersOf(2)
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 3 }),
      fc.integer({ min: 50_000, max: 700_000 }),
      async (cuts, step) => {
        await file.truncate(0)
        const ends = [...cuts.sort((a, b) => a - b), bytes.length]
        await Promise.all(
          ends.map(async (end, index) => {
            const start = ends[index - 1] ?? 0
            const sink = writers.range({ descriptor: file.fd, start, algorithm: 'crc64nvme' }, path)
            for (let at = start; at < end; at += step) {
              // Memory that is used again after each write.
              const block = Buffer.from(new SharedArrayBuffer(step)).subarray(0, Math.min(step, end - at))
              block.set(bytes.subarray(at, at + block.length))
              await sink.write(block)
              block.fill(0)
            }
            expect(await sink.end()).toBe(crcOf(bytes.subarray(start, end)))
          }),
        )
        expect((await readFile(path)).equals(bytes)).toBe(true)
      },
    ),
    { numRuns: 8 },
  )
  await file.close()
})

test.each(speeds)('small files replace what was there, with their time (%i ms a file)', async (ms) => {
  makeTimeFly(ms)
  const folder = await temporaryFolder()
  const writers = writersOf(2)
  const names = Array.from({ length: 20 }, (_, index) => `file-${index}`)
  for (const text of ['something long', 'ab'])
    await Promise.all(
      names.map((name) =>
        writers.small({
          path: join(folder, `${name}.part`),
          bytes: new TextEncoder().encode(`${text} ${name}`),
          place: { path: join(folder, name), modified: 1_700_000_000_000 },
        }),
      ),
    )
  for (const name of names) {
    expect(await readFile(join(folder, name), 'utf8')).toBe(`ab ${name}`)
    expect((await stat(join(folder, name))).mtimeMs).toBe(1_700_000_000_000)
    expect(existsSync(join(folder, `${name}.part`))).toBe(false)
  }
})

test.skipIf(!existsSync('/dev/full')).each(speeds)(
  'a full disk is an error of the machine (%i ms a write)',
  async (ms) => {
    makeTimeFly(ms)
    const file = await open('/dev/full', 'w')
    const writers = writersOf()
    const full = {
      kind: 'resource',
      code: 'ENOSPC',
      message: 'The disk is full: /stage/out could not be written.',
    }
    for (let time = 0; time < 3; time++) {
      const sink = writers.range({ descriptor: file.fd, start: 0, algorithm: undefined }, '/stage/out')
      await expect((async () => sink.write(bytesOf(10)))()).rejects.toMatchObject(full)
      sink.cancel()
    }
    await file.close()
  },
)

test.each(speeds)(
  'a small file that has no place is an error, and nothing is left (%i ms a file)',
  async (ms) => {
    makeTimeFly(ms)
    const folder = await temporaryFolder()
    const writers = writersOf()
    const path = join(folder, 'part')
    for (let time = 0; time < 3; time++) {
      const write = async () =>
        writers.small({
          path,
          bytes: new Uint8Array(3),
          place: { path: join(folder, 'none', 'file'), modified: 0 },
        })
      await expect(write()).rejects.toMatchObject({ kind: 'resource', code: 'ENOENT' })
      expect(existsSync(path)).toBe(false)
    }
  },
)

test('without threads, all is written', async () => {
  makeTimeFly(1000)
  const path = join(await temporaryFolder(), 'out')
  const writers = writersOf(0)
  for (const text of ['one', 'two']) await writers.small({ path, bytes: new TextEncoder().encode(text) })
  expect(await readFile(path, 'utf8')).toBe('two')
})

test('what is being written when the connection is closed is cancelled', async () => {
  makeTimeFly(1000)
  const folder = await temporaryFolder()
  const writers = createWriters(1)
  const write = (name: string) => writers.small({ path: join(folder, name), bytes: new Uint8Array(9) })
  await write('first')
  const waits = write('second')
  writers.close()
  await expect(waits).rejects.toMatchObject({ kind: 'cancelled' })
})
