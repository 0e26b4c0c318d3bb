import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TableEngine } from '@penstock/core'
import { expect, onTestFinished, test } from 'vitest'
import { duckdb } from '../src/index.ts'
import { startChild } from './processes/child.ts'
import { rows } from './support.ts'

/** More than one row group of DuckDB (122,880 rows), so that rows reach the file before the commit. */
const rowsPerFile = 130_000
const rounds = 4

const one = async (engine: TableEngine, sql: string): Promise<unknown[]> => (await rows(engine, sql))[0] ?? []

/** Generation of each table by its rows, after checking that rows and ledger tell the same. */
const verify = async (engine: TableEngine): Promise<{ replaced: number; appended: number }> => {
  const runIds = new Set((await engine.runs()).map(({ runId }) => runId))
  const tables = await engine.tables()
  let replaced = 0
  let appended = 0
  if (tables.includes('replaced')) {
    const [count, low, high] = await one(
      engine,
      'SELECT count(*), min(generation), max(generation) FROM replaced',
    )
    expect(low).toBe(high)
    expect(count).toBe(2 * rowsPerFile)
    const ledger = await rows(
      engine,
      `SELECT key, version, rows, run_id FROM _penstock.ledger WHERE table_name = 'replaced' ORDER BY key`,
    )
    const run = `replaced-${high}`
    expect(ledger).toEqual(['a.csv', 'b.csv'].map((key) => [key, `v${high}`, rowsPerFile, run]))
    expect(runIds).toContain(run)
    replaced = Number(high)
  }
  if (tables.includes('appended')) {
    const perGeneration = await rows(
      engine,
      'SELECT generation, count(*) FROM appended GROUP BY generation ORDER BY generation',
    )
    // A killed run's generation comes with the next one, so some generation loads two files.
    const total = perGeneration.reduce((sum, [, count]) => sum + Number(count), 0)
    const ledger = await one(
      engine,
      `SELECT count(*), count(DISTINCT key), sum(rows)::BIGINT FROM _penstock.ledger WHERE table_name = 'appended'`,
    )
    expect(ledger).toEqual([total / rowsPerFile, total / rowsPerFile, total])
    appended = Number(perGeneration.at(-1)?.[0])
    expect(total).toBe(appended * rowsPerFile)
    expect(runIds).toContain(`appended-${appended}`)
  }
  const leftovers = await rows(
    engine,
    `SELECT table_name FROM duckdb_tables() WHERE NOT internal AND table_name NOT IN ('replaced', 'appended') AND schema_name = 'main'`,
  )
  expect(leftovers).toEqual([])
  return { replaced, appended }
}

test('a killed process leaves the old rows or the new ones, with a ledger that says the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-killed-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const database = join(folder, 'w.duckdb')
  const csv = join(folder, 'rows.csv')
  writeFileSync(
    csv,
    `id,name\n${Array.from({ length: rowsPerFile }, (_, id) => `${id},name ${id}\n`).join('')}`,
  )

  for (let round = 0; round < rounds; round++) {
    const child = startChild('load-forever.ts', [database, csv])
    await child.line('ready')
    if (round % 2 === 0) await child.line('committed appended')
    await delay(Math.random() * 400)
    await child.kill()

    const engine = await duckdb(database, { threads: 2 })
    try {
      const found = await verify(engine)
      const committed = child.lines.filter((line) => line.startsWith('committed'))
      for (const table of ['replaced', 'appended'] as const) {
        const last = committed.findLast((line) => line.startsWith(`committed ${table}-`))
        // What was reported as committed is there; the generation after it may be.
        if (last) expect([0, 1]).toContain(found[table] - Number(last.split('-')[1]))
      }
      expect(readdirSync(`${database}.penstock-staging`)).toHaveLength(1)
    } finally {
      await engine.close()
    }
    expect(readdirSync(folder).toSorted()).toEqual(['rows.csv', 'w.duckdb'])
  }
}, 120_000)
