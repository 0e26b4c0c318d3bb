import type { S3Entry } from '@penstock/aws'
import { expect, it } from 'vitest'
import { groupEntries } from './table-groups.ts'

const entry = (key: string): S3Entry => ({ container: 'b', key, version: 'v', size: 1, modified: 0 })

async function* pagesOf(keys: readonly string[], size: number) {
  for (let start = 0; start < keys.length; start += size) yield keys.slice(start, start + size).map(entry)
}

const folderName = (key: string) => key.split('/')[1] ?? ''
const keys = ['x/a/1', 'x/a/2', 'x/b/10', 'x/b/11', 'x/😀/1', 'x/😁/1']

const group = (options: { keep?: number; maxObjects?: number; check?: (key: string) => void }) =>
  groupEntries(pagesOf(keys, 4), {
    nameOf: folderName,
    createCheck:
      () =>
      ({ key }) =>
        options.check?.(key),
    maxObjects: options.maxObjects,
    ...(options.keep !== undefined && { keep: options.keep }),
  })

it('keeps the entries of each table, in order', async () => {
  const groups = await group({ keep: 6 })
  expect(groups.map(({ name, entries }) => [name, entries?.map(({ key }) => key)])).toEqual([
    ['a', ['x/a/1', 'x/a/2']],
    ['b', ['x/b/10', 'x/b/11']],
    ['😀', ['x/😀/1']],
    ['😁', ['x/😁/1']],
  ])
})

it('keeps no entries beyond its bound, and tells from where each table lists for itself', async () => {
  const groups = await group({ keep: 5 })
  expect(groups.map(({ prefix, entries }) => [prefix, entries])).toEqual([
    ['x/a/', undefined],
    ['x/b/1', undefined],
    ['x/😀/1', undefined],
    ['x/😁/1', undefined],
  ])
})

it('takes and checks at most so many entries of a table', async () => {
  const checked: string[] = []
  const groups = await group({ maxObjects: 1, check: (key) => checked.push(key) })
  expect(checked).toEqual(['x/a/1', 'x/b/10', 'x/😀/1', 'x/😁/1'])
  expect(groups.map(({ entries }) => entries?.length)).toEqual([1, 1, 1, 1])
})

it('never splits a character where keys part', async () => {
  const [only] = await groupEntries(pagesOf(['x/😀', 'x/😁'], 2), {
    nameOf: () => 'all',
    createCheck: () => () => {},
    maxObjects: undefined,
  })
  expect(only?.prefix).toBe('x/')
})
