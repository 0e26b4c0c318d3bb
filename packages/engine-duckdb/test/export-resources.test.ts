import { readdirSync } from 'node:fs'
import type { ExportFile } from '@penstock/core'
import { describe, expect, test } from 'vitest'
import { csv, makeTable, open, signal, write } from './export-support.ts'
import { failure, openBench, rows } from './support.ts'

describe('resources', () => {
  test('what is not released stops the writing at the ceiling, and goes on when it is', async () => {
    const bench = await openBench()
    const from = { sql: "SELECT repeat('x', 1000) AS t FROM range(4000)" }
    const opened = await open(bench, { from }, 1_000_000)
    const taken: ExportFile[] = []
    const held = () => taken.reduce((sum, { size }) => sum + size, 0)
    for await (const file of opened.streams[0]?.files({ format: csv(), maxRows: 100 }) ?? []) {
      taken.push(file)
      expect(held()).toBeLessThanOrEqual(1_000_000)
      if (taken.length < 5) continue
      for (const one of taken.splice(0)) await one.release()
    }
    for (const one of taken) await one.release()
    await opened.close()
  })

  test('one file that is larger than the ceiling is an error that says so', async () => {
    const bench = await openBench()
    const from = { sql: "SELECT repeat('x', 1000) AS t FROM range(4000)" }
    const opened = await open(bench, { from }, 1_000_000)
    const error = await failure(Array.fromAsync(opened.streams[0]?.files({ format: csv() }) ?? []))
    expect(error).toMatchObject({ kind: 'resource', code: 'StagingFull' })
    await opened.close()
  })

  test('an abort ends the writing and leaves nothing on the disk', async () => {
    const bench = await openBench()
    const controller = new AbortController()
    const opened = await bench.engine.openExport(
      [{ id: 'id', name: 's', from: { sql: 'SELECT range AS i FROM range(1000000000)' } }],
      { signal: controller.signal },
    )
    const reading = (async () => {
      for await (const file of opened.streams[0]?.files({ format: csv(), maxRows: 1000 }) ?? []) {
        await file.release()
        controller.abort()
      }
    })()
    expect(await failure(reading)).toMatchObject({ kind: 'cancelled' })
    await opened.close()
    expect(readdirSync(bench.engine.stagingFolder).filter((name) => name !== 'spill')).toEqual([])
  })

  test('a query that fails on its way is an error, and no file that looks complete', async () => {
    const sql = "SELECT CASE WHEN i = 50000 THEN error('broken') ELSE i END AS i FROM range(100000) r(i)"
    const error = await failure(
      write(await openBench(), { from: { sql } }, { format: csv(), maxRows: 10_000 }),
    )
    expect(error.message).toContain('broken')
  })

  test('an iterator that is left without an end does not keep the export from closing', async () => {
    const bench = await openBench()
    const opened = await open(bench, { from: { sql: 'SELECT range AS i FROM range(100000000)' } })
    const files = opened.streams[0]?.files({ format: csv(), maxRows: 10 })[Symbol.asyncIterator]()
    expect((await files?.next())?.value).toMatchObject({ part: 1, rows: 10 })
    await opened.close()
    expect(await rows(bench.engine, 'SELECT 1')).toEqual([[1]])
  })

  test('streams show one snapshot, one after another, and rows come as pages', async () => {
    const bench = await openBench()
    await makeTable(bench)
    const selections = ['a', 'b'].map((name) => ({ id: name, name, from: { table: 'numbers' } }))
    const opened = await bench.engine.openExport(selections, { signal })
    const transaction = await bench.engine.begin({ runId: 'more', signal })
    await transaction.execute("INSERT INTO numbers VALUES (1, 'later', 0)")
    const counts = opened.streams.map(async (stream) => {
      let rows = 0
      for await (const page of stream.rows()) rows += page.length
      return rows
    })
    expect(await Promise.all(counts)).toEqual([9000, 9000])
    await transaction.rollback()
    await opened.close()
  })
})
