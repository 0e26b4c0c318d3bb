import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planScan, selectVersion } from '../src/index.ts'
import { memoryReader } from './local-reader.ts'
import { fulfils } from './reference/evaluate.ts'
import { buildTable } from './write/build-table.ts'
import { randomTable } from './write/random-table.ts'

const { signal } = new AbortController()
const runs = Number(process.env.PENSTOCK_PROPERTY_RUNS ?? 400)

test('pruning loses no row, whatever the data, specs, metrics and predicates', async () => {
  let pruned = 0
  let surelyPassing = 0
  await fc.assert(
    fc.asyncProperty(randomTable, async (table) => {
      const { metadata, objects, files } = buildTable(table)
      const reader = memoryReader((path) => objects.get(path) ?? new Uint8Array())
      const columns = table.columns.map(({ name }) => [name] as const)
      const scan = await planScan({
        metadata,
        version: selectVersion(metadata),
        request: { columns, filter: table.filter, signal },
        reader,
      })
      const planned = new Map(scan.files.map((file) => [file.file.url, file]))
      for (const [path, rows] of files) {
        const file = planned.get(path)
        const passing = rows.filter((row) => fulfils(table.filter, row))
        if (!file) expect(passing).toEqual([])
        else if (!file.residual) expect(passing).toEqual(rows)
        if (!file) pruned++
        else if (!file.residual) surelyPassing++
      }
      if (scan.receipt.metadataRequests > 0)
        expect(scan.receipt.files + scan.receipt.filesSkipped).toBe(files.size)
      if (scan.exact) {
        const rows = [...files.values()].flat().filter((row) => fulfils(table.filter, row))
        expect(scan.exact.rows).toBe(BigInt(rows.length))
        for (const [name, { min, max }] of Object.entries(scan.exact.bounds)) {
          const column = [name] as const
          const reached = (value: typeof min) =>
            rows.some((row) => fulfils({ kind: 'compare', column, operator: '=', value }, row))
          const outside = (operator: '<' | '>', value: typeof min) =>
            rows.some((row) => fulfils({ kind: 'compare', column, operator, value }, row))
          expect([reached(min), reached(max), outside('<', min), outside('>', max)]).toEqual([
            true,
            true,
            false,
            false,
          ])
        }
      }
    }),
    { numRuns: runs },
  )
  // A planner that prunes nothing would pass all of the above.
  expect(pruned).toBeGreaterThan(runs / 10)
  expect(surelyPassing).toBeGreaterThan(runs / 100)
}, 120_000)
