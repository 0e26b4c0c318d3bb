import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ended, killAfter, startChild } from '../src/child-process.ts'
import type { ChildTask } from '../src/extract-child.ts'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * Kill -9 at random moments of loads whose data changes between runs. After each kill the table is as it was before
 * the run or as it is after it; after a rerun it is right. `PENSTOCK_KILLS=50` does it fifty times for each mode.
 */

const kills = Number(process.env.PENSTOCK_KILLS ?? 2)
// Few kills come with every run of the tests: there the loads are short.
const rowsPerObject = kills < 10 ? 5_000 : 20_000

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
})
afterAll(() => lake.close())

const start = (task: ChildTask) => startChild('./extract-child.ts', task)

/** Runs to the end; returns how long the work took, in ms from the moment at which it started. */
const runToEnd = async (task: ChildTask): Promise<number> => {
  const { code, output, duration } = await ended(start(task))
  expect(`${code} ${output}`).toMatch(/^0 /)
  return duration
}

/** Objects of round n: ids of an object are unique to it, and `version` tells which upload it was. */
const objectBody = (object: number, version: number): string => {
  const lines = ['id,object,version,text']
  for (let row = 0; row < rowsPerObject; row++)
    lines.push(`${object * rowsPerObject + row},${object},${version},some text of row ${row}`)
  return `${lines.join('\n')}\n`
}

/** Row count and sum of versions per object: enough to see a missing, doubled or mixed object. */
const state = (table: string, database: string) =>
  lake.rows(
    `SELECT object, count(*)::INT, count(DISTINCT id)::INT, min(version)::INT, max(version)::INT FROM "${table}" GROUP BY 1 ORDER BY 1`,
    database,
  )

const expected = (versions: ReadonlyMap<number, number>) =>
  [...versions]
    .toSorted(([a], [b]) => a - b)
    .map(([object, version]) => [BigInt(object), rowsPerObject, rowsPerObject, version, version])

const normal = (rows: unknown[][]) => rows.map((row) => row.map(Number))

test.each(['full', 'delta', 'merge'] as const)(
  'killed at random moments, a %s load loses nothing and doubles nothing',
  async (mode) => {
    const prefix = `${mode}/`
    // Of its own: what another mode's kills left must not be what this one finds or mends.
    const database = join(lake.folder, `${mode}.duckdb`)
    const task: ChildTask = {
      endpoint: lake.aws.endpoint,
      ...lake.aws.root,
      bucket: lake.bucket,
      database,
      tables: [{ folder: prefix, table: mode, mode, ...(mode === 'merge' && { key: ['id'] }) }],
    }
    const versions = new Map<number, number>()
    const change = async (round: number) => {
      const added = versions.size
      versions.set(added, round)
      await lake.put(`${prefix}${added}.csv`, objectBody(added, round))
      // A delta refuses changed objects by default; the other modes take them.
      if (mode === 'delta' || added === 0) return
      const changed = round % added
      versions.set(changed, round)
      await lake.put(`${prefix}${changed}.csv`, objectBody(changed, round))
    }
    for (let object = 0; object < 4; object++) await change(0)
    let duration = await runToEnd(task)
    expect(normal(await state(mode, database))).toEqual(normal(expected(versions)))
    for (let round = 1; round <= kills; round++) {
      const before = normal(await state(mode, database))
      await change(round)
      const after = normal(expected(versions))
      await killAfter(start(task), Math.random() * duration * 1.1)
      const found = normal(await state(mode, database))
      expect([before, after]).toContainEqual(found)
      duration = await runToEnd(task)
      expect(normal(await state(mode, database))).toEqual(after)
      const ledger = await lake.rows(
        `SELECT count(*)::INT, sum(rows)::INT FROM _penstock.ledger WHERE table_name = '${mode}'`,
        database,
      )
      expect(ledger).toEqual([[versions.size, versions.size * rowsPerObject]])
    }
    const left = (await readdir(lake.folder)).filter((name) => name.includes('staging'))
    for (const folder of left) expect(await readdir(join(lake.folder, folder))).toEqual([])
  },
  600_000 + kills * 30_000,
)
