import type { AnySource, RowTable, SourceTable } from '@penstock/core'
import { canonical, fail, notExpected, sameRows, show } from '../expectations.ts'
import type { Check, CheckContext } from '../suite.ts'
import type { SourceOptions } from './options.ts'
import { connectSource, isAfter, isRowTable, readPages, withTables } from './reading.ts'

/** Schemas, keys and cursors of tables. */
export const tableChecks = (connector: AnySource, options: SourceOptions): Check[] => {
  const inTables = <Result>(signal: AbortSignal, use: (tables: readonly SourceTable[]) => Promise<Result>) =>
    withTables(connectSource(connector, options), options, { signal }, use)

  /** Runs for each table of rows that has what `wanted` asks for; skipped where there is none. */
  const eachRowTable = (
    { signal, skip }: CheckContext,
    wanted: { readonly what: string; readonly has: (table: RowTable) => boolean },
    use: (table: RowTable, rows: readonly Readonly<Record<string, unknown>>[]) => void,
  ) =>
    inTables(signal, async (tables) => {
      const fitting = tables.filter(isRowTable).filter(wanted.has)
      if (fitting.length === 0) skip(`No table of rows ${wanted.what}.`)
      for (const table of fitting) use(table, (await readPages(table, undefined, signal)).flat())
    })

  return [
    {
      id: 'tables/stable',
      title: 'Tables and schemas are the same at each call',
      run: async ({ signal }) => {
        const look = () =>
          inTables(signal, async (tables) =>
            tables.map((table) => [table.name, table.kind, isRowTable(table) ? table.schema : undefined]),
          )
        const first = canonical(await look())
        const second = canonical(await look())
        if (first !== second) fail(`First: ${show(first)}, then: ${show(second)}.`)
      },
    },
    {
      id: 'tables/unique-names',
      title: 'No two tables have one name',
      run: ({ signal }) =>
        inTables(signal, async (tables) => {
          const seen = new Set<string>()
          for (const { name } of tables) {
            if (seen.has(name)) fail(`Two tables have the name ${name}.`)
            seen.add(name)
          }
        }),
    },
    {
      id: 'tables/rows-fit',
      title: 'Every row fits the schema of its table',
      run: (context) => eachRowTable(context, { what: 'is there', has: () => true }, () => {}),
    },
    {
      id: 'tables/keys',
      title: 'Keys are there and unique',
      run: (context) =>
        eachRowTable(
          context,
          { what: 'declares a key', has: (table) => table.schema.key !== undefined },
          (table, rows) => {
            const seen = new Set<string>()
            for (const row of rows) {
              const key = (table.schema.key ?? []).map((column) => row[column])
              if (key.some((part) => part === null || part === undefined))
                fail(`Table ${table.name} has a row without its key: ${show(row)}.`)
              const text = canonical(key)
              if (seen.has(text)) fail(`Table ${table.name} has two rows with the key ${text}.`)
              seen.add(text)
            }
          },
        ),
    },
    {
      id: 'tables/cursor-order',
      title: 'Rows come in the order of the cursor, so that a read that stops early loses none',
      run: (context) =>
        eachRowTable(
          context,
          { what: 'declares a cursor', has: (table) => table.schema.cursor !== undefined },
          (table, rows) => {
            const cursor = table.schema.cursor ?? ''
            let last: unknown
            for (const row of rows) {
              const value = row[cursor]
              if (value === null || value === undefined)
                fail(`Table ${table.name} has a row without its cursor ${cursor}: ${show(row)}.`)
              if (last !== undefined && isAfter(table, last, value))
                fail(`Table ${table.name}: ${cursor} goes back from ${show(last)} to ${show(value)}.`)
              last = value
            }
          },
        ),
    },
    {
      id: 'tables/values',
      title: 'Values arrive to the letter: 64-bit integers, decimals, timestamps',
      run: async ({ signal, skip }) => {
        const expected = options.expected ?? skip('No expected rows were given (expected).')
        await inTables(signal, async (tables) => {
          for (const [name, wanted] of Object.entries(expected)) {
            const table = tables.filter(isRowTable).find((candidate) => candidate.name === name)
            if (!table) return fail(`There is no table of rows ${name}.`)
            const rows = (await readPages(table, undefined, signal)).flat()
            sameRows(rows, wanted, { found: `Table ${name}`, wanted: 'what was expected' })
          }
          const missing = tables.filter((table) => isRowTable(table) && !(table.name in expected))
          if (missing.length > 0) skip(notExpected(missing.map(({ name }) => name)))
        })
      },
    },
  ]
}
