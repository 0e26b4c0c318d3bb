import { setTimeout as sleep } from 'node:timers/promises'
import type { FileEntry, LoadProgress, StagedFile, TableLoad } from '@penstock/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBudget } from './budget.ts'
import { type PumpOptions, pump } from './pump.ts'

const entry = (index: number, size: number): FileEntry => ({
  container: 'b',
  key: `k${index}`,
  version: 'v',
  size,
  modified: 0,
})

/** A pump over files of the given sizes whose downloads and loads take random turns. */
const world = (sizes: readonly number[], ceiling: number, turns: () => number) => {
  const budget = createBudget(ceiling)
  const loaded: string[] = []
  const open = new Set<string>()
  const state = {
    running: 0,
    mostRunning: 0,
    failStage: -1,
    failLoad: -1,
    fullAfter: Number.POSITIVE_INFINITY,
  }
  const entries = async function* () {
    for (let start = 0; start < sizes.length; start += 3)
      yield sizes.slice(start, start + 3).map((size, index) => entry(start + index, size))
  }
  const load: TableLoad = {
    addFiles: async (files: readonly StagedFile[]): Promise<LoadProgress> => {
      await sleep(turns())
      if (files.some((file) => file.entry.key === `k${state.failLoad}`)) throw new Error('load failed')
      for (const file of files) {
        expect(file.stream !== undefined || open.has(file.entry.key)).toBe(true)
        loaded.push(file.entry.key)
      }
      return { files: loaded.length, rows: loaded.length, rejected: 0 }
    },
    addRows: () => Promise.reject(new Error('no rows here')),
    full: () => loaded.length >= state.fullAfter,
    finish: () => Promise.reject(new Error('not finished here')),
  }
  const options: PumpOptions = {
    signal: new AbortController().signal,
    filesInFlight: 2,
    smallFilesInFlight: 4,
    budget,
    stage: async (file, ordinal, signal) => {
      state.mostRunning = Math.max(state.mostRunning, ++state.running)
      try {
        const common = {
          entry: file,
          url: file.key,
          format: { type: 'csv', compression: 'none' },
          constants: {},
        } as const
        if (file.size > ceiling)
          return {
            file: { ...common, stream: () => (async function* () {})() },
            held: 0,
            release: async () => {},
          }
        await budget.take(file.size, signal)
        try {
          await sleep(turns(), undefined, { signal })
          if (ordinal === state.failStage) throw new Error('stage failed')
        } catch (error) {
          budget.give(file.size)
          throw error
        }
        open.add(file.key)
        const release = async () => {
          open.delete(file.key)
          budget.give(file.size)
        }
        return { file: { ...common, path: file.key }, held: file.size, release }
      } finally {
        state.running--
      }
    },
    onStaged: () => {},
    onLoaded: () => {},
  }
  return { budget, loaded, open, state, load, options, entries }
}

const sizes = fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 40 })
const turns = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 20 })
const cycle = (values: readonly number[]) => {
  let next = 0
  return () => values[next++ % values.length] ?? 0
}

test('more small files are on their way at once than others', async () => {
  for (const [size, most] of [
    [256 * 1024, 4],
    [256 * 1024 + 1, 2],
  ] as const) {
    const { state, load, options, entries } = world(Array(12).fill(size), 1e9, () => 1)
    await pump(entries(), load, options)
    expect(state.mostRunning).toBe(most)
  }
})

test('every file is loaded once, in order, within the ceiling, and every byte is given back', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, turns, async (files, delays) => {
      const { budget, loaded, open, state, load, options, entries } = world(files, 100, cycle(delays))
      const total = await pump(entries(), load, options)
      expect(loaded).toEqual(files.map((_, index) => `k${index}`))
      expect(total).toEqual({ objects: files.length, bytes: files.reduce((sum, size) => sum + size, 0) })
      expect(budget.peak()).toBeLessThanOrEqual(100)
      expect([budget.used(), open.size, state.running]).toEqual([0, 0, 0])
      expect(state.mostRunning).toBeLessThanOrEqual(4)
    }),
    { numRuns: 60 },
  )
})

test('after any failure or cancellation nothing runs on and nothing is held', async () => {
  const failure = fc.constantFrom('stage', 'load', 'cancel', 'listing')
  await fc.assert(
    fc.asyncProperty(sizes, turns, failure, fc.nat(39), async (files, delays, kind, at) => {
      const index = files.length === 0 ? 0 : at % files.length
      const { budget, open, state, load, options, entries } = world(files, 100, cycle(delays))
      const controller = new AbortController()
      if (kind === 'stage') state.failStage = index
      if (kind === 'load') state.failLoad = index
      const listing = async function* () {
        yield* entries()
        if (kind === 'listing') throw new Error('listing failed')
        if (kind === 'cancel') controller.abort()
      }
      await pump(listing(), load, { ...options, signal: controller.signal }).catch(() => {})
      expect([budget.used(), open.size, state.running]).toEqual([0, 0, 0])
    }),
    { numRuns: 60 },
  )
})

test('a failed listing fails the load, and never counts as the end of it', async () => {
  const { load, options, entries } = world([1, 2, 3], 100, () => 0)
  const listing = async function* () {
    yield* entries()
    throw new Error('listing failed')
  }
  await expect(pump(listing(), load, options)).rejects.toThrow('listing failed')
})

test('a limit that is reached stops the downloads', async () => {
  const { loaded, state, load, options, entries } = world(Array(500).fill(60), 100, () => 0)
  state.fullAfter = 2
  await pump(entries(), load, options)
  expect(loaded.length).toBeLessThan(10)
})
