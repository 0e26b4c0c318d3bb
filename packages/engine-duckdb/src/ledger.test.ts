import type { FileEntry, LedgerComparison, TableEngine } from '@penstock/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { file, load, openBench } from '../test/support.ts'

const entry = (key: string, version = 'v1', more: Partial<FileEntry> = {}): FileEntry => ({
  container: 'bucket',
  key,
  version,
  size: 10,
  modified: 1_700_000_000_000,
  ...more,
})

async function* inPages(entries: readonly FileEntry[], size = 1_000): AsyncGenerator<readonly FileEntry[]> {
  for (let start = 0; start < entries.length; start += size) yield entries.slice(start, start + size)
}

const compare = async <Result>(
  engine: TableEngine,
  entries: readonly FileEntry[],
  use: (comparison: LedgerComparison) => Promise<Result>,
): Promise<Result> => {
  const transaction = await engine.begin({ runId: 'r', signal: new AbortController().signal })
  try {
    return await use(await transaction.compare('t', inPages(entries)))
  } finally {
    await transaction.rollback()
  }
}

const all = ['added', 'changed', 'unchanged'] as const

const collect = async (
  comparison: LedgerComparison,
  kinds: readonly (typeof all)[number][] = all,
): Promise<FileEntry[]> => {
  const entries: FileEntry[] = []
  for await (const page of comparison.entries(kinds)) entries.push(...page)
  return entries
}

test('tells what is new, changed, unchanged and gone, with objects and bytes', async () => {
  const bench = await openBench()
  const [kept, changed, gone] = ['kept.csv', 'changed.csv', 'gone.csv'].map((key) =>
    file(bench, key, 'id\n1\n'),
  )
  if (!kept || !changed || !gone) throw new Error('unreachable')
  await load(bench.engine, [kept, changed, gone], { mode: 'delta' })
  const listed = [
    entry('new.csv', 'v', { size: 7, versionId: 'x1' }),
    kept.entry,
    { ...changed.entry, version: 'other', size: 99 },
  ]
  await compare(bench.engine, listed, async (comparison) => {
    expect(comparison).toMatchObject({
      listed: { objects: 3, bytes: 7 + kept.entry.size + 99 },
      added: { objects: 1, bytes: 7 },
      changed: { objects: 1, bytes: 99 },
      unchanged: { objects: 1, bytes: kept.entry.size },
      deleted: { objects: 1, bytes: gone.entry.size },
    })
    expect(await comparison.sample('added', 5)).toEqual([listed[0]])
    expect(await comparison.sample('changed', 5)).toEqual([listed[2]])
    expect(await comparison.sample('deleted', 5)).toEqual([gone.entry])
    expect(await comparison.sample('deleted', 0)).toEqual([])
    expect(await collect(comparison)).toEqual([listed[2], kept.entry, listed[0]])
    expect(await collect(comparison, ['added'])).toEqual([listed[0]])
    expect(await collect(comparison, [])).toEqual([])
  })
})

test('the same key in two containers is two objects; the same bytes under a new time are unchanged', async () => {
  const bench = await openBench()
  const loaded = file(bench, 'a.csv', 'id\n1\n')
  await load(bench.engine, [loaded], { mode: 'delta' })
  const touched = { ...loaded.entry, modified: loaded.entry.modified + 5_000 }
  await compare(bench.engine, [touched, { ...loaded.entry, container: 'other' }], async (comparison) => {
    expect(comparison).toMatchObject({ unchanged: { objects: 1 }, added: { objects: 1 } })
  })
})

test('an object that two pages tell of counts once, as the later page tells it', async () => {
  const bench = await openBench()
  const listed = [entry('a', 'old'), entry('b'), entry('a', 'new')]
  await compare(bench.engine, listed, async (comparison) => {
    expect(comparison.listed).toEqual({ objects: 2, bytes: 20 })
    expect(await collect(comparison)).toEqual([entry('a', 'new'), entry('b')])
  })
})

test('an empty listing of an empty ledger', async () => {
  const bench = await openBench()
  await compare(bench.engine, [], async (comparison) => {
    expect(comparison.listed).toEqual({ objects: 0, bytes: 0 })
    expect(await collect(comparison)).toEqual([])
  })
})

test('keys come in the order of their UTF-8 bytes, whatever they hold', async () => {
  const bench = await openBench()
  const key = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !text.includes('\0'))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { maxLength: 40 }), async (keys) => {
      const ordered = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      await compare(
        bench.engine,
        keys.map((name) => entry(name)),
        async (comparison) => {
          expect((await collect(comparison)).map((found) => found.key)).toEqual(ordered)
        },
      )
    }),
    { numRuns: 25 },
  )
})

test('100,000 objects stream in pages, also while the transaction does something else', async () => {
  const bench = await openBench()
  const listed = Array.from({ length: 100_000 }, (_, index) =>
    entry(`folder/part-${index}.csv.gz`, `etag-${index}`),
  )
  const transaction = await bench.engine.begin({ runId: 'r', signal: new AbortController().signal })
  const comparison = await transaction.compare('t', inPages(listed))
  expect(comparison.added).toEqual({ objects: 100_000, bytes: 1_000_000 })
  let last = ''
  let count = 0
  for await (const page of comparison.entries(['added', 'changed'])) {
    expect(page.length).toBeLessThanOrEqual(1_000)
    await transaction.cursor('t')
    for (const { key } of page) {
      if (key <= last) throw new Error(`${key} comes after ${last}`)
      last = key
    }
    count += page.length
  }
  expect(count).toBe(100_000)
  for await (const _page of comparison.entries(['added'])) break
  await transaction.rollback()
})
