import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConnectorError, type FileEntry, type FileTable, type TransferOptions } from '@penstock/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createStaging, type Staging, stageFile } from './staging.ts'

let parent: string
let staging: Staging
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'penstock-staging-'))
  staging = await createStaging(parent)
})
afterEach(() => rm(parent, { recursive: true }))

const entry = (size: number): FileEntry => ({ container: 'b', key: 'k.csv', version: 'v', size, modified: 0 })

/** A table whose objects have `arriving` bytes, whatever the listing says. */
const tableOf = (arriving: number): FileTable => ({
  kind: 'files',
  name: 't',
  list: async function* () {},
  format: () => ({ type: 'csv', compression: 'none' }),
  open: (file) => ({
    entry: file,
    url: 's3://b/k.csv',
    async *read(_range, options: TransferOptions = {}) {
      options.onBytes?.(arriving)
      yield Buffer.alloc(arriving, 'x')
    },
  }),
})

const stage = (listed: number, arriving: number, onBytes = (_bytes: number) => {}) =>
  stageFile(tableOf(arriving), entry(listed), staging, {
    signal: new AbortController().signal,
    ordinal: 7,
    streamable: () => false,
    onBytes,
  })

test('a small object is in memory, and gets a file for those who ask for its path', async () => {
  let told = 0
  const held = await stage(1_000, 1_000, (bytes) => {
    told += bytes
  })
  expect(told).toBe(1_000)
  expect(held.file.bytes).toHaveLength(1_000)
  expect(readdirSync(staging.folder)).toEqual([])
  const { path = '' } = held.file
  expect(readFileSync(path)).toEqual(held.file.bytes)
  expect([staging.memory.used(), staging.budget.used()]).toEqual([1_000, 1_000])
  await held.release()
  expect(existsSync(path)).toBe(false)
  expect([staging.memory.used(), staging.budget.used()]).toEqual([0, 0])
})

test('what has no room in memory is on the disk', async () => {
  const large = await stage(70_000, 70_000)
  expect(large.file.bytes).toBeUndefined()
  expect(staging.memory.tryTake(64 * 1024 ** 2)).toBe(true)
  await large.release()
  const small = await stage(1_000, 1_000)
  expect(small.file.bytes).toBeUndefined()
  expect(readFileSync(small.file.path ?? '')).toHaveLength(1_000)
  await small.release()
  expect(staging.budget.used()).toBe(0)
})

test('a small object that arrives in part is an error that names it, and holds nothing', async () => {
  await expect(stage(1_000, 999)).rejects.toMatchObject({
    kind: 'network',
    place: { object: 's3://b/k.csv' },
  })
  expect([staging.memory.used(), staging.budget.used()]).toEqual([0, 0])
})

/** Stages an object of 100 bytes that changes to `size` while others hold or wait for all else of the ceiling, 300 bytes. */
const stageChanging = async (size: number, streamable: boolean) => {
  const { budget, ...others } = await createStaging(parent, 400)
  const { signal } = new AbortController()
  const begun = Promise.withResolvers<void>()
  const changed = Promise.withResolvers<void>()
  const table: FileTable = {
    ...tableOf(size),
    open: (file) => {
      const remote = tableOf(size).open(file)
      if (file.version !== 'v') return remote
      return {
        ...remote,
        // biome-ignore lint/correctness/useYield: it fails before the first byte
        async *read() {
          begun.resolve()
          await changed.promise
          throw new ConnectorError('conflict', 'changed')
        },
      }
    },
    refresh: async () => ({ ...entry(size), version: 'w' }),
  }
  const staging = { ...others, budget }
  const staged = stageFile(table, entry(100), staging, { signal, ordinal: 0, streamable: () => streamable })
  await begun.promise
  await budget.take(200, signal)
  const next = budget.take(100, signal)
  changed.resolve()
  return { staged, next, budget }
}

test.each([
  [100, false],
  [40, false],
  [200, true],
  [1000, true],
])('an object that changes to %i bytes waits for nobody behind it', async (size, isStreamed) => {
  const { staged, next, budget } = await stageChanging(size, true)
  const { file, release } = await staged
  expect(file).toMatchObject({ entry: { version: 'w', size } })
  expect(file.stream !== undefined).toBe(isStreamed)
  await release()
  await next
  expect(budget.used()).toBe(300)
})

test('where it has grown and can not be streamed, the change is the error', async () => {
  const { staged, next, budget } = await stageChanging(200, false)
  await expect(staged).rejects.toMatchObject({ kind: 'conflict', place: { object: 's3://b/k.csv' } })
  await next
  expect(budget.used()).toBe(300)
})
