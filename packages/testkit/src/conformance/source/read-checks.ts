import type { AnySource, RowTable } from '@penstock/core'
import { collectGarbage } from '../collect-garbage.ts'
import { endsWhenCancelled, fail, sameRows, show } from '../expectations.ts'
import { throughProxy } from '../fault-checks.ts'
import type { Check, CheckContext } from '../suite.ts'
import type { SourceOptions } from './options.ts'
import {
  applyDelta,
  connectSource,
  highestCursor,
  isAfter,
  isRowTable,
  readPages,
  withTables,
} from './reading.ts'

/** Pages of a large table that are read; a connector that keeps them all keeps many more than these few. */
const largePages = 50
const pagesAlive = 5

/** Reading of tables of rows: full, from a cursor on, empty, large, cancelled, slowly. */
export const readChecks = (connector: AnySource, options: SourceOptions): Check[] => {
  const eachTable = async (
    { signal, skip }: CheckContext,
    use: (table: RowTable) => Promise<void>,
    wanted: { readonly has?: (table: RowTable) => boolean; readonly config?: unknown } = {},
  ) =>
    withTables(connectSource(connector, options, wanted.config), options, { signal }, async (tables) => {
      const fitting = tables.filter(isRowTable).filter(wanted.has ?? (() => true))
      if (fitting.length === 0) skip('No table of rows has what this check is about.')
      for (const table of fitting) await use(table)
    })
  const hasCursor = { has: (table: RowTable) => table.schema.cursor !== undefined }

  return [
    {
      id: 'read/full-twice',
      title: 'Two full reads give the same rows',
      run: (context) =>
        eachTable(context, async (table) => {
          const first = (await readPages(table, undefined, context.signal)).flat()
          const second = (await readPages(table, undefined, context.signal)).flat()
          sameRows(second, first, { found: 'The second read', wanted: 'the first' })
        }),
    },
    {
      id: 'read/resume',
      title: 'A read that goes on from any page gives all rows, none twice',
      run: (context) =>
        eachTable(
          context,
          async (table) => {
            const pages = await readPages(table, undefined, context.signal)
            const all = pages.flat()
            for (let count = 1; count <= pages.length; count++) {
              const present = pages.slice(0, count).flat()
              const since = highestCursor(table, present)
              const rest = (await readPages(table, since, context.signal)).flat()
              sameRows(applyDelta(table, present, rest, since), all, {
                found: `Table ${table.name} after a stop at page ${count}`,
                wanted: 'the full read',
              })
            }
          },
          hasCursor,
        ),
    },
    {
      id: 'read/delta',
      title: 'A delta after growth, and one after it, give what a full read gives then',
      run: async (context) => {
        const grow = options.grow ?? context.skip('No way to add rows was given (grow).')
        await eachTable(
          context,
          async (table) => {
            let present = (await readPages(table, undefined, context.signal)).flat()
            for (const round of ['a delta', 'a delta after a delta']) {
              const since = highestCursor(table, present)
              await grow()
              const delta = (await readPages(table, since, context.signal)).flat()
              const after = (await readPages(table, undefined, context.signal)).flat()
              if (after.length <= present.length) fail(`grow() added no row to table ${table.name}.`)
              present = applyDelta(table, present, delta, since)
              sameRows(present, after, { found: `Table ${table.name} with ${round}`, wanted: 'a full read' })
            }
          },
          hasCursor,
        )
      },
    },
    {
      id: 'read/delta-alone',
      title: 'A delta brings nothing from before its cursor',
      run: (context) =>
        eachTable(
          context,
          async (table) => {
            const { cursor = '' } = table.schema
            const all = (await readPages(table, undefined, context.signal)).flat()
            const since = highestCursor(table, all)
            for (const row of (await readPages(table, since, context.signal)).flat())
              if (isAfter(table, since, row[cursor]))
                fail(`Table ${table.name} brings ${show(row[cursor])} again after ${show(since)}.`)
          },
          hasCursor,
        ),
    },
    {
      id: 'read/empty',
      title: 'A table without rows is read without an error',
      run: async (context) => {
        const config = options.empty ?? context.skip('No empty configuration was given (empty).')
        await eachTable(
          context,
          async (table) => {
            const rows = (await readPages(table, undefined, context.signal)).flat()
            if (rows.length > 0) fail(`Table ${table.name} has ${rows.length} rows.`)
          },
          { config },
        )
      },
    },
    {
      id: 'read/memory',
      title: 'Pages that were taken are not kept in memory',
      run: async (context) => {
        const config = options.large ?? context.skip('No large configuration was given (large).')
        const pages: number[] = []
        await eachTable(
          context,
          async (table) => void pages.push(await requirePagesReleased(table, context.signal)),
          { config },
        )
        if (Math.max(...pages) < largePages)
          fail(`The largest table has ${Math.max(...pages)} pages; one with ${largePages} is needed (large).`)
      },
    },
    {
      id: 'read/cancelled',
      title: 'A read ends within a second after it was cancelled, also while it waits for an answer',
      run: (context) =>
        throughProxy(options, context.skip, (proxy, config) =>
          eachTable(
            context,
            (table) =>
              endsWhenCancelled(`The read of table ${table.name}`, (signal) => {
                proxy.inject({ kind: 'hang' })
                return readPages(table, undefined, signal)
              }),
            { config },
          ),
        ),
    },
    {
      id: 'read/backpressure',
      title: 'Pages are fetched when they are asked for, not all ahead',
      run: (context) =>
        throughProxy(options, context.skip, (proxy, config) =>
          eachTable(
            context,
            (table) => requireBackpressure(table, proxy.requests, options.requestsAhead ?? 3),
            { config },
          ),
        ),
    },
  ]
}

/** Gives the number of pages that were read; of a table with fewer than are needed it says nothing. */
const requirePagesReleased = async (table: RowTable, signal: AbortSignal): Promise<number> => {
  const pages: WeakRef<object>[] = []
  for await (const page of table.read({ since: undefined, signal })) {
    pages.push(new WeakRef(page))
    if (pages.length === largePages) break
  }
  if (pages.length < largePages) return pages.length
  await collectGarbage()
  const alive = pages.filter((page) => page.deref() !== undefined).length
  if (alive > pagesAlive) fail(`${alive} of ${largePages} pages of table ${table.name} are still in memory.`)
  return pages.length
}

const requireBackpressure = async (table: RowTable, requests: () => number, limit: number): Promise<void> => {
  const controller = new AbortController()
  const before = requests()
  const iterator = table.read({ since: undefined, signal: controller.signal })[Symbol.asyncIterator]()
  await iterator.next()
  await new Promise((resolve) => setTimeout(resolve, 200))
  const sent = requests() - before
  await iterator.return?.()
  controller.abort()
  if (sent > limit)
    fail(`Table ${table.name}: ${sent} requests were sent while nobody asked for more than one page.`)
}
