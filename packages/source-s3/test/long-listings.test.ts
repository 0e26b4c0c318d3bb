import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { selectTables } from '../src/select.ts'
import { selection } from '../src/selection.ts'
import { type Lake, listed, openLake } from './lake.ts'

let lake: Lake & AsyncDisposable
const count = 2_500

beforeAll(async () => {
  lake = await openLake()
  for (let index = 0; index < count; index++) await lake.put(`long/t${index % 3}/part-${index}.csv`)
})
afterAll(() => lake[Symbol.asyncDispose]())
beforeEach(() => lake.aws.log.clear())

describe('long listings', () => {
  it.each([[{ folder: 'long' }], [{ glob: 'long/(*)/*.csv', table: '{1}' }]])(
    'are listed once, page by page: %j',
    async (input) => {
      const tables = await lake.select(input)
      expect(tables.flatMap(({ keys }) => keys)).toHaveLength(count)
      expect(lake.requests()).toEqual(Array(3).fill('ListObjectsV2'))
    },
  )

  it('of tables that are too many to keep are listed again, each in its part', async () => {
    await lake.use(async (context) => {
      const chosen = selection.parse({ glob: 'long/(*)/*.csv', table: '{1}' })
      const tables = await selectTables(context, chosen, { keepEntries: 1_000 })
      for (const [index, table] of tables.entries()) {
        lake.requests()
        const { keys } = await listed(table, context.signal)
        expect(keys).toHaveLength(index === 0 ? 834 : 833)
        expect(keys.every((key) => key.startsWith(`long/t${index}/`))).toBe(true)
        expect(lake.requests()).toEqual(['ListObjectsV2'])
      }
    })
  })

  it('stop at the first that are enough', async () => {
    const [table] = await lake.select({ folder: 'long', maxObjects: 2 })
    expect(table?.keys).toHaveLength(2)
    expect(lake.requests().length).toBeLessThanOrEqual(2)
  })

  it('end when the caller gives up', async () => {
    await lake.use(async (context) => {
      const [table] = await selectTables(context, selection.parse({ folder: 'long' }))
      const stop = new AbortController()
      const pages = table?.list({ signal: stop.signal })[Symbol.asyncIterator]()
      await pages?.next()
      stop.abort()
      await expect(pages?.next()).rejects.toMatchObject({ name: 'AbortError' })
    })
  })
})
