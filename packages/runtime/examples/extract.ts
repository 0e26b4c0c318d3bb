import { connect, defineSource, table } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { extract, plan } from '@penstock/runtime'
import { z } from 'zod'

// node --conditions=penstock:source examples/extract.ts
// A source that yields rows, loaded twice: the second run reads what is new since the cursor of the first.
const issues = [
  { id: 1, title: 'It leaks', updated: '2026-01-01T00:00:00Z' },
  { id: 2, title: 'It drips', updated: '2026-01-02T00:00:00Z' },
]

const tracker = defineSource({
  name: 'tracker',
  config: z.object({}),
  check: async () => {},
  tables: () => [
    table({
      name: 'issues',
      row: z.object({ id: z.int(), title: z.string(), updated: z.iso.datetime() }),
      key: ['id'],
      cursor: 'updated',
      async *read({ since }) {
        yield issues.filter(({ updated }) => since === undefined || updated >= since)
      },
    }),
  ],
})

const source = connect(tracker, {})
const engine = await duckdb(':memory:')
const tables = [{ table: 'issues', mode: 'merge' as const, key: ['id'] }]

const load = async () => {
  const run = await extract({ source, tables, engine })
  for (const { name, rowsRead, rowsLoaded } of run.tables)
    console.log(`${run.status}: ${name}, ${rowsRead} rows read, ${rowsLoaded} loaded`)
}

await load()
issues[1] = { id: 2, title: 'It pours', updated: '2026-01-03T00:00:00Z' }
for (const { name, mode } of (await plan({ source, tables, engine })).tables)
  console.log(`next: ${mode} ${name}`)
await load()

const result = await engine.query('SELECT id, title FROM issues ORDER BY id')
for await (const rows of result.rows()) for (const row of rows) console.log(row)
await engine.close()
