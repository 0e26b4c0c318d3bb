import { readdirSync, readFileSync } from 'node:fs'
import type { FileLayout, GrowingFile, OpenedStream } from '@penstock/core'
import { expect, test } from 'vitest'
import { csv, makeTable, open, signal, write } from './export-support.ts'
import { type Bench, failure, openBench } from './support.ts'

const sql = "SELECT i, 'row ' || i AS t, i % 3 AS g FROM range(300000) r(i)"

const growing = (stream: OpenedStream | undefined, layout: FileLayout): AsyncIterable<GrowingFile> =>
  stream?.growingFiles?.(layout) ?? { [Symbol.asyncIterator]: () => expect.unreachable() }

/** Reads a file behind its end; what was there at each look. */
const follow = async (file: GrowingFile): Promise<Buffer[]> => {
  const looks: Buffer[] = []
  for (let beyond = 0; ; beyond = looks.at(-1)?.length ?? 0) {
    const { bytes, complete } = await file.grown(beyond, signal)
    if (bytes > 0 || complete) looks.push(readFileSync(file.path).subarray(0, bytes))
    if (complete) return looks
    expect(bytes).toBeGreaterThan(beyond)
  }
}

const empty = (bench: Bench): void =>
  expect(readdirSync(bench.engine.stagingFolder).filter((name) => name !== 'spill')).toEqual([])

test.each<[string, FileLayout]>([
  ['csv', { format: csv() }],
  ['csv in parts', { format: csv(), maxRows: 125_000 }],
  ['csv, utf-16', { format: csv({ encoding: 'utf-16' }) }],
  ['csv, gzip', { format: csv({}, 'gzip') }],
  ['csv, zstd, in folders', { format: csv({}, 'zstd'), partitionBy: ['g'] }],
  ['ndjson', { format: { type: 'ndjson', compression: 'none' } }],
  ['ndjson with a limit in bytes', { format: { type: 'ndjson', compression: 'none' }, maxBytes: 3_000_000 }],
  ['parquet', { format: { type: 'parquet', compression: 'zstd' } as FileLayout['format'], maxRows: 130_000 }],
])('a growing file is at any time a beginning of what it is in the end: %s', async (_, layout) => {
  const bench = await openBench()
  // A sort that nobody can tell the rows of beforehand: several batches of a query.
  const from = { sql: `SELECT * FROM (${sql}) ORDER BY g, i` }
  const expected = await write(bench, { from }, layout)
  const opened = await open(bench, { from })
  const written = []
  for await (const file of growing(opened.streams[0], layout)) {
    const { part, partition } = file
    const looks = await follow(file)
    const bytes = looks.at(-1) ?? Buffer.of()
    for (const look of looks) expect(bytes.subarray(0, look.length).equals(look)).toBe(true)
    written.push({ part, partition, ...(await file.finished), bytes })
    await file.release()
  }
  await opened.close()
  expect(written.map(({ part, partition, rows, size }) => [part, partition, rows, size])).toEqual(
    expected.map(({ part, partition, rows, size }) => [part, partition, rows, size]),
  )
  for (const [index, { bytes }] of written.entries())
    expect(bytes.equals(expected[index]?.bytes ?? Buffer.of())).toBe(true)
  empty(bench)
})

test('a table without rows is one complete file', async () => {
  const bench = await openBench()
  await makeTable(bench)
  for (const format of [csv(), csv({}, 'gzip')]) {
    const opened = await open(bench, { from: { sql: 'FROM numbers WHERE i < 0' } })
    const [file, ...others] = await Array.fromAsync(growing(opened.streams[0], { format }))
    const { size, rows } = (await file?.finished) ?? {}
    expect([rows, others]).toEqual([0, []])
    expect(await file?.grown(0)).toEqual({ bytes: size, complete: true })
    await opened.close()
  }
  empty(bench)
})

test.each<FileLayout['format']>([
  csv(),
  csv({}, 'gzip'),
  { type: 'parquet', compression: 'zstd' } as FileLayout['format'],
])('a file whose writing fails was handed out before, and tells why: $type', async (format) => {
  const bench = await openBench()
  const broken = `SELECT CASE WHEN i = 250000 THEN error('broken') ELSE t END AS t FROM (${sql})`
  const opened = await open(bench, { from: { sql: broken } })
  const failures: Promise<Error>[] = []
  const reading = (async () => {
    for await (const file of growing(opened.streams[0], { format }))
      failures.push(failure(file.finished), failure(follow(file)))
  })()
  const error = await failure(reading)
  expect(error.message).toContain('broken')
  expect(await Promise.all(failures)).toEqual([error, error])
  await opened.close()
  empty(bench)
})

test("who waits for a file is told of an abort, its own or the export's", async () => {
  const bench = await openBench()
  const stop = new AbortController()
  // No table scan alone: its rows would be counted first.
  const sql = 'SELECT range AS i FROM range(100000000000) UNION ALL SELECT 1'
  const endless = { id: 'id', name: 's', from: { sql } }
  const opened = await bench.engine.openExport([endless], { signal: stop.signal })
  const files = growing(opened.streams[0], { format: csv() })[Symbol.asyncIterator]()
  const file = (await files.next()).value as GrowingFile
  const mine = new AbortController()
  const waiting = failure(file.grown(Number.MAX_SAFE_INTEGER, mine.signal))
  mine.abort()
  expect(await waiting).toMatchObject({ kind: 'cancelled' })
  const others = [failure(file.grown(Number.MAX_SAFE_INTEGER)), failure(file.finished)]
  const next = failure(files.next())
  stop.abort()
  expect(await next).toMatchObject({ kind: 'cancelled' })
  for (const error of await Promise.all(others)) expect(error).toMatchObject({ kind: 'cancelled' })
  await opened.close()
  empty(bench)
})

test('a file that is given back while it is written leaves its space when it is complete', async () => {
  const bench = await openBench()
  const from = { sql: "SELECT repeat('x', 1000) AS t FROM range(4000) ORDER BY random()" }
  const opened = await open(bench, { from }, 1_000_000)
  let files = 0
  for await (const file of growing(opened.streams[0], { format: csv(), maxRows: 100 })) {
    await file.release()
    await file.release()
    files++
  }
  expect(files).toBe(40)
  await opened.close()
  empty(bench)
})
