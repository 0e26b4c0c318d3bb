import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ScanDelete } from '@penstock/core'
import { expect, it } from 'vitest'
import {
  ask,
  fileTable,
  memoryFile,
  mountOf,
  openEngine,
  openWriter,
  temporaryFolder,
} from './mount-support.ts'

/* A query that needs more than the disk may hold reads its table in parts, where each row of its result is one of the table. */

const rowCount = 20_000
const select = `SELECT i AS id, i % 7 AS shop, md5(i::VARCHAR) || md5('a' || i) AS note FROM range(${rowCount}) t(i)`
const bigint = { type: 'int', bits: 64, signed: true } as const

const open = async () => {
  const writer = await openWriter()
  await writer.connection.run(`CREATE SCHEMA sales; CREATE TABLE sales.orders AS ${select}`)
  await writer.connection.run('DELETE FROM sales.orders WHERE shop = 3 OR id IN (4, 9000, 9001)')
  const column = { name: 'shop', type: bigint, source: { from: 'name', name: 'shop' } } as const
  const equality: ScanDelete = {
    kind: 'equality',
    columns: [column],
    file: {
      file: memoryFile('s3://lake/deletes.parquet', await writer.parquet('SELECT 3::BIGINT AS shop')),
      format: { type: 'parquet', compression: 'none' },
      columns: [column],
      deletes: [],
      residual: true,
    },
  }
  const files = []
  for (const first of [0, 8000, 9000, 16_000]) {
    const end = { 0: 8000, 8000: 9000, 9000: 16_000 }[first] ?? rowCount
    const bytes = await writer.parquet(
      `SELECT * FROM (${select}) WHERE id >= ${first} AND id < ${end}`,
      'ROW_GROUP_SIZE 2048',
    )
    const rows = [4n, 9000n, 9001n].filter((id) => id >= first && id < end).map((id) => id - BigInt(first))
    const positions: ScanDelete = { kind: 'positions', load: async () => BigUint64Array.from(rows) }
    files.push({
      file: memoryFile(`s3://lake/${first}.parquet`, bytes),
      deletes: rows.length > 0 ? [equality, positions] : [equality],
      more: [column],
    })
  }
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(select), files) })]
  const size = files.reduce((sum, { file }) => sum + file.size, 0)
  return {
    writer,
    engine: await openEngine(),
    options: { mounts, limits: { diskBytes: Math.floor(size / 2.5) } },
  }
}

/** Bytes of the local files that queries have made. */
const staged = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

it('its rows come part by part, within the ceiling, and nothing is left of it', async () => {
  const { writer, engine, options } = await open()
  const sql = "SELECT id * 2 AS twice, note FROM sales.orders WHERE note > '1'"
  const query = await engine.queryMounted(sql, options)
  const rows: unknown[][] = []
  for await (const page of query.result.rows()) {
    rows.push(...page.map((row) => [String(row[0]), row[1]]))
    expect(staged(engine.stagingFolder)).toBeLessThanOrEqual(options.limits.diskBytes)
  }
  const expected = await writer.rows(sql)
  expect(rows.toSorted()).toEqual(expected.map(([twice, note]) => [String(twice), note]).toSorted())
  const { receipt } = { receipt: query.receipt() }
  expect(receipt.bytesNeeded).toBeGreaterThan(options.limits.diskBytes)
  expect(receipt.rowGroupsSkipped).toBe(0)
  expect(receipt.bytesFetched).toBeLessThanOrEqual(receipt.bytesNeeded * 1.2)
  expect(staged(engine.stagingFolder)).toBe(0)
})

it('one that is closed in the middle leaves nothing behind', async () => {
  const { engine, options } = await open()
  const query = await engine.queryMounted('SELECT id, note FROM sales.orders', options)
  for await (const _ of query.result.rows()) break
  await query.close()
  expect(staged(engine.stagingFolder)).toBe(0)
  expect((await ask(engine, 'SELECT count(*)::INTEGER FROM sales.orders', options)).rows).toEqual([[17_140]])
})

it('it is kept in a table or written to a file as a whole', async () => {
  const { writer, engine, options } = await open()
  const [expected] = await writer.rows(
    'SELECT count(*)::INTEGER, sum(id)::VARCHAR, max(note) FROM sales.orders',
  )
  const made = await ask(engine, 'CREATE TABLE kept AS SELECT * FROM sales.orders', options)
  expect(made.rows).toEqual([[expected?.[0]]])
  const total = 'SELECT count(*)::INTEGER, sum(id)::VARCHAR, max(note) FROM kept'
  expect((await Array.fromAsync((await engine.query(total)).rows())).flat()).toEqual([expected])
  const path = join(temporaryFolder(), 'orders.csv')
  const copied = await engine.copyMounted('SELECT id FROM sales.orders', path, { ...options, type: 'csv' })
  expect(copied.rows).toBe(expected?.[0])
  expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(1 + copied.rows)
})

it('one whose rows are made of several rows of the table is refused', async () => {
  const { engine, options } = await open()
  for (const sql of [
    'SELECT max(note), max(id) FROM sales.orders',
    'SELECT id, note FROM sales.orders ORDER BY length(note), note',
    'SELECT DISTINCT note, id FROM sales.orders',
    'SELECT id, note, row_number() OVER () FROM sales.orders',
    'SELECT a.note, b.id FROM sales.orders a JOIN sales.orders b ON a.id = b.id',
  ]) {
    await expect(engine.queryMounted(sql, options), sql).rejects.toMatchObject({ code: 'StagingLimit' })
    await expect(engine.explainMounted(sql, options), sql).rejects.toMatchObject({ code: 'StagingLimit' })
  }
})

it('its explanation tells the parts, and reads no column', async () => {
  const { engine, options } = await open()
  const sql = 'SELECT id, note FROM sales.orders'
  const explained = await engine.explainMounted(sql, options)
  expect(explained.notes).toEqual([expect.stringMatching(/it is read in [3-9]\d? parts\.$/)])
  const { receipt } = await ask(engine, sql, options)
  expect(explained).toMatchObject({ bytesNeeded: receipt.bytesNeeded, rowGroups: receipt.rowGroups })
  expect(explained.bytesFetched).toBeLessThan(receipt.bytesNeeded / 10)
})
