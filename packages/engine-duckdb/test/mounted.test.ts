import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ask,
  fileTable,
  memoryFile,
  mountOf,
  openEngine,
  openWriter,
  temporaryFolder,
} from './mount-support.ts'

const columns = `
  i AS id,
  'name ' || (i % 1000) AS name,
  CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 3.25)::DECIMAL(18,2) END AS amount,
  DATE '2024-01-01' + (i // 1000)::INTEGER AS day,
  {'city': 'c' || (i % 50), 'home': {'zip': i % 97}} AS buyer,
  [i, i + 1] AS pair,
  i / 8 AS ratio`
const rowsOf = (from: number, to: number) => `SELECT ${columns} FROM range(${from}, ${to}) t(i)`

const threeFiles = async () => {
  const writer = await openWriter()
  const files = await Promise.all(
    [0, 1, 2].map(async (part) =>
      memoryFile(
        `s3://lake/${part}.parquet`,
        await writer.parquet(rowsOf(part * 20_000, (part + 1) * 20_000), 'ROW_GROUP_SIZE 4096'),
      ),
    ),
  )
  const table = fileTable(
    await writer.schema(rowsOf(0, 1)),
    files.map((file) => ({ file, rows: 20_000 })),
  )
  await writer.connection.run(`CREATE SCHEMA sales; CREATE TABLE sales.orders AS ${rowsOf(0, 60_000)}`)
  return { writer, files, table, engine: await openEngine(), mounts: [mountOf({ 'sales.orders': table })] }
}

describe('a query over mounted files', () => {
  it('gives the rows of an unpruned reader', async () => {
    const { writer, engine, mounts } = await threeFiles()
    for (const sql of [
      'SELECT count(*)::INTEGER, count(amount)::INTEGER FROM sales.orders',
      'SELECT id::INTEGER, name, amount::VARCHAR, day::VARCHAR, pair::VARCHAR FROM sales.orders WHERE id = 41234',
      "SELECT id::INTEGER FROM sales.orders WHERE day = '2024-01-15' AND name LIKE 'name 99%' ORDER BY id",
      "SELECT buyer.home.zip::INTEGER, count(*)::INTEGER FROM sales.orders WHERE buyer.city = 'c7' GROUP BY ALL ORDER BY ALL",
      'SELECT id::INTEGER, ratio FROM sales.orders ORDER BY ratio DESC, id LIMIT 5',
      'SELECT sum(pair[2])::INTEGER FROM sales.orders WHERE id < 1000',
      'SELECT a.id::INTEGER FROM sales.orders a JOIN sales.orders b ON b.id = a.id + 30000 WHERE a.id < 3 ORDER BY 1',
      'WITH x AS (SELECT day, sum(amount) s FROM sales.orders GROUP BY day) SELECT max(s)::VARCHAR FROM x',
      'SELECT id::INTEGER FROM sales.orders WHERE false',
      'SELECT id::INTEGER FROM sales.orders QUALIFY row_number() OVER (PARTITION BY day ORDER BY id DESC) = 1 ORDER BY 1 LIMIT 3',
    ]) {
      const { rows, receipt } = await ask(engine, sql, { mounts })
      expect(receipt.notes, sql).toEqual([])
      expect(receipt.repairs, sql).toBe(0)
      expect(rows, sql).toEqual(await writer.rows(sql))
    }
  })

  it('joins tables of a database that is open for reading only', async () => {
    const { mounts } = await threeFiles()
    const path = join(temporaryFolder(), 'local.duckdb')
    const writing = await openEngine(path)
    await ask(writing, 'CREATE TABLE mine AS SELECT 7 AS id', { mounts })
    await writing.close()
    const engine = await openEngine(path, { readOnly: true })
    const sql = 'SELECT name FROM mine JOIN sales.orders USING (id)'
    expect((await ask(engine, sql, { mounts })).rows).toEqual([['name 7']])
    await engine.close()
  })

  it('moves the bytes of what it needs', async () => {
    const { engine, mounts, files } = await threeFiles()
    const { receipt } = await ask(engine, 'SELECT amount FROM sales.orders WHERE id = 41234', { mounts })
    expect(receipt).toMatchObject({ files: 3, rowGroups: 15, rowGroupsSkipped: 14 })
    expect(receipt.skipped).toEqual({ 'row groups by statistics': 14 })
    expect(receipt.bytesNeeded).toBeLessThan(receipt.bytesTotal / 10)
    expect(receipt.bytesFetched).toBe(
      files.flatMap((file) => file.reads).reduce((sum, { start, end }) => sum + end - start, 0),
    )
    expect(receipt.requests).toBe(files.flatMap((file) => file.reads).length)
  })

  it('counts rows without a request', async () => {
    const { engine, mounts, files } = await threeFiles()
    const { rows, receipt } = await ask(engine, 'SELECT count(*) FROM sales.orders', { mounts })
    expect(rows).toEqual([[60_000]])
    expect(receipt).toMatchObject({ requests: 0, tables: [{ fromMetadata: true }] })
    expect(files.flatMap((file) => file.reads)).toEqual([])
  })

  it('stops early at a LIMIT', async () => {
    const { engine, mounts, files } = await threeFiles()
    const { rows, receipt } = await ask(engine, 'SELECT id FROM sales.orders LIMIT 10', { mounts })
    expect(rows).toHaveLength(10)
    expect(receipt.rowGroups - receipt.rowGroupsSkipped).toBe(1)
    expect(files[1]?.reads).toEqual([])
  })

  it('stops early at a LIMIT behind a filter, as soon as there are rows enough', async () => {
    const { writer } = await threeFiles()
    const files = await Promise.all(
      Array.from({ length: 40 }, async (_, part) =>
        memoryFile(`s3://lake/${part}.parquet`, await writer.parquet(rowsOf(part * 100, part * 100 + 100))),
      ),
    )
    const table = fileTable(
      await writer.schema(rowsOf(0, 1)),
      files.map((file) => ({ file, rows: 100 })),
    )
    const engine = await openEngine()
    const count = async (condition: string) => {
      for (const { reads } of files) reads.length = 0
      const sql = `SELECT id FROM sales.orders WHERE ${condition} LIMIT 10`
      const { rows, receipt } = await ask(engine, sql, { mounts: [mountOf({ 'sales.orders': table })] })
      const read = files.filter(({ reads }) => reads.length > 0).length
      expect([receipt.files, receipt.skipped.limit ?? 0]).toEqual([read, 40 - read])
      return [rows.length, read]
    }
    expect(await count("name LIKE '%7'")).toEqual([10, 4])
    expect(await count("name LIKE '%77'")).toEqual([10, 32])
    expect(await count("name LIKE '%777'")).toEqual([4, 40])
    expect(await count('id < 0')).toEqual([0, 40])
  })

  it('reads small files of which nearly all is needed with one request each', async () => {
    const { writer } = await threeFiles()
    const files = await Promise.all(
      Array.from({ length: 12 }, async (_, part) =>
        memoryFile(
          `s3://lake/${part}.parquet`,
          await writer.parquet(rowsOf(part * 5000, part * 5000 + 5000)),
        ),
      ),
    )
    const table = fileTable(
      await writer.schema(rowsOf(0, 1)),
      files.map((file) => ({ file, rows: 5000 })),
    )
    const engine = await openEngine()
    const sql = 'SELECT count(*)::INTEGER, sum(hash(orders))::VARCHAR FROM sales.orders'
    const { rows, receipt } = await ask(engine, sql, { mounts: [mountOf({ 'sales.orders': table })] })
    expect(rows).toEqual(await writer.rows(sql))
    // The first files tell what is needed of the others.
    expect(files.slice(8).map(({ reads }) => reads.length)).toEqual([1, 1, 1, 1])
    expect(receipt.bytesFetched).toBeLessThan(receipt.bytesNeeded * 1.05)

    const point = 'SELECT * FROM sales.orders WHERE id = 7'
    const found = await ask(engine, point, { mounts: [mountOf({ 'sales.orders': table })] })
    expect(found.rows).toHaveLength(1)
    // All of one file does not tell that all of the others is needed.
    const guesses = 8 * 16 * 1024
    expect(found.receipt.bytesFetched).toBeLessThan(found.receipt.bytesNeeded * 1.05 + guesses)
  })
})
