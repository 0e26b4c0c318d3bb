import { gunzipSync } from 'node:zlib'
import type { ExportFile, FileLayout } from '@penstock/core'
import { expect, test } from 'vitest'
import { openDatabase } from '../src/database.ts'
import { openTwins } from '../src/export/twins.ts'
import { csv, makeTable, open, signal, write } from './export-support.ts'
import { failure, openBench, rows } from './support.ts'

/* Files smaller than a row group are written several at a time, each on a connection of its own. */

const from = { table: 'numbers' }
const threads = "SELECT current_setting('threads')::BIGINT"
const ids = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => i % 10 !== 7)

const idsOf = (bytes: Buffer, { format }: FileLayout): number[] => {
  const plain = 'compression' in format && format.compression === 'gzip' ? gunzipSync(bytes) : bytes
  const lines = plain.toString('utf8').trimEnd().split('\n')
  return format.type === 'ndjson'
    ? lines.map((line) => JSON.parse(line).i)
    : lines.slice(1).map((line) => Number(line.split(',')[0]))
}

test.each<FileLayout>([
  { format: csv(), maxRows: 700 },
  { format: csv({}, 'gzip'), maxRows: 2500 },
  { format: { type: 'ndjson', compression: 'none' }, maxRows: 100 },
  { format: csv(), maxRows: 8_999 },
])('they come in order, whole, and with their numbers: %j', async (layout) => {
  const bench = await openBench()
  await makeTable(bench)
  const written = await write(bench, { from }, layout)
  expect(written.map(({ part }) => part)).toEqual(written.map((_, index) => index + 1))
  for (const { rows, bytes, size } of written) {
    expect(idsOf(bytes, layout)).toHaveLength(rows)
    expect(size).toBe(bytes.length)
  }
  expect(written.flatMap(({ bytes }) => idsOf(bytes, layout))).toEqual(ids)
  expect(written.slice(0, -1).every((file) => file.rows === layout.maxRows)).toBe(true)
  expect(await rows(bench.engine, threads)).toEqual([[2]])
})

test('they show one snapshot, whatever is committed meanwhile', async () => {
  const bench = await openBench()
  await makeTable(bench)
  const opened = await open(bench, { from })
  let count = 0
  for await (const file of opened.streams[0]?.files({ format: csv(), maxRows: 500 }) ?? []) {
    if (count === 0) {
      const transaction = await bench.engine.begin({ runId: 'meanwhile', signal })
      await transaction.execute('DELETE FROM numbers WHERE i > 5000')
      await transaction.commit({
        runId: 'meanwhile',
        command: 'test',
        connector: 'test',
        status: 'succeeded',
        startedAt: '2026-01-01T00:00:00Z',
        tables: [],
      })
    }
    count += file.rows
    await file.release()
  }
  await opened.close()
  expect(count).toBe(ids.length)
})

test('they keep to the staging ceiling, together', async () => {
  const bench = await openBench()
  await makeTable(bench)
  const opened = await open(bench, { from }, 40_000)
  const taken: ExportFile[] = []
  for await (const file of opened.streams[0]?.files({ format: csv(), maxRows: 300 }) ?? []) {
    taken.push(file)
    expect(taken.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(40_000)
    if (taken.length === 4) for (const one of taken.splice(0)) await one.release()
  }
  for (const one of taken) await one.release()
  await opened.close()
})

test('a row that can not be written is named, and DuckDB has its threads again', async () => {
  const bench = await openBench()
  await makeTable(bench)
  const layout = { format: csv({ quote: '', delimiter: '4' }), maxRows: 1000 }
  const error = await failure(write(bench, { from }, layout))
  expect(error).toMatchObject({ kind: 'data', code: 'Unwritable', place: { line: 5 } })
  expect(await rows(bench.engine, threads)).toEqual([[2]])
})

test('connections of one snapshot: none where somebody committed in between', async () => {
  const database = await openDatabase(':memory:', { threads: 2 })
  try {
    const other = await database.connect()
    await other.run('CREATE TABLE t AS SELECT 1 AS a')
    const begun = async () => {
      const connection = await database.connect()
      await connection.run('BEGIN TRANSACTION READ ONLY')
      await connection.run('SELECT txid_current()')
      return connection
    }
    const first = await begun()
    const twins = await openTwins(database, first)
    expect(twins).toHaveLength(2)
    await other.run('INSERT INTO t VALUES (2)')
    for (const twin of [first, ...twins])
      expect((await twin.runAndReadAll('SELECT count(*) FROM t')).getRows()).toEqual([[1n]])
    const late = await begun()
    await other.run('INSERT INTO t VALUES (3)')
    expect(await openTwins(database, late)).toEqual([])
  } finally {
    await database.close()
  }
})
