import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type ByteRange, ConnectorError } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import {
  type Bench,
  failure,
  file,
  gzip,
  load,
  loadBatches,
  openBench,
  rows,
  texts,
  zstd,
} from './support.ts'

const lines = (count: number) => Array.from({ length: count }, (_, n) => `${n},name ${n},${n % 3 === 0}`)
const csv = `id,name,flag\n${lines(60_000).join('\n')}\n`
const ndjson = `${lines(60_000)
  .map((line, id) => JSON.stringify({ id, name: `name ${id}`, flag: id % 3 === 0, line }))
  .join('\n')}\n`
const json = `[${ndjson.trimEnd().replaceAll('\n', ',\n')}]`

const summary = (bench: Bench) =>
  rows(bench.engine, 'SELECT count(*)::INTEGER, sum(id)::BIGINT::VARCHAR, count_if(flag)::INTEGER FROM t')
const expected = [[60_000, `${(60_000 * 59_999) / 2}`, 20_000]]
/** What is left in the staging folder: nothing. */
const leftOver = (bench: Bench) => {
  try {
    return readdirSync(bench.engine.stagingFolder)
  } catch {
    return []
  }
}

describe('objects without a local copy', () => {
  it.each<[string, string | Uint8Array]>([
    ['a.csv', csv],
    ['a.csv.gz', gzip(csv)],
    ['a.csv.zst', zstd(csv)],
    ['a.ndjson', ndjson],
    ['a.ndjson.gz', gzip(ndjson)],
    ['a.ndjson.zst', zstd(ndjson)],
    ['a.json', json],
    ['a.json.gz', gzip(json)],
    ['utf16.csv', Buffer.from(`\ufeff${csv}`, 'utf16le')],
  ])('%s', async (key, content) => {
    const bench = await openBench()
    await load(bench.engine, [file(bench, key, content, { streamed: true })])
    expect(await summary(bench)).toEqual(expected)
    expect(leftOver(bench)).toEqual([])
  })

  it('next to staged ones, in order', async () => {
    const bench = await openBench()
    await load(bench.engine, [
      file(bench, '1.csv', 'a\n1\n'),
      file(bench, '2.csv', 'a\n2\n', { streamed: true }),
      file(bench, '3.csv', 'a\n3\n'),
      file(bench, '4.csv.gz', gzip('a\n4\n'), { streamed: true }),
    ])
    expect((await texts(bench.engine)).flat().toSorted()).toEqual(['1', '2', '3', '4'])
  })

  it('whose types widen late', async () => {
    const bench = await openBench()
    const content = `${csv}x,last,true\n`
    const { types } = await load(bench.engine, [file(bench, 'a.csv', content, { streamed: true })])
    expect(types).toMatchObject({ id: 'text', flag: 'boolean' })
  })

  it('with bad rows: the place is found', async () => {
    const bench = await openBench()
    const files = [
      file(bench, '1.csv', csv),
      file(bench, '2.csv.gz', gzip(`${csv}x,last,true\n`), { streamed: true }),
    ]
    expect(await failure(load(bench.engine, files))).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/2.csv.gz', line: 60_002, column: 'id', value: 'x' },
    })
    expect(await load(bench.engine, files, { onBadRow: 'reject' })).toMatchObject({
      rowsLoaded: 120_000,
      rowsRejected: 1,
    })
  })

  it('that are corrupt', async () => {
    const bench = await openBench()
    const bad = gzip(csv)
    const error = await failure(
      load(bench.engine, [file(bench, 'a.csv.gz', bad.subarray(0, bad.length - 500), { streamed: true })]),
    )
    expect(error).toMatchObject({ kind: 'data', place: { object: 's3://bucket/a.csv.gz' } })
    expect(leftOver(bench)).toEqual([])
  })

  it('whose stream breaks: the error of the stream comes out', async () => {
    const bench = await openBench()
    const good = file(bench, 'a.csv', csv, { streamed: true })
    const broken = {
      ...good,
      stream: async function* () {
        yield Buffer.from(csv.slice(0, 500_000))
        throw new ConnectorError('network', 'The connection broke off.')
      },
    }
    expect(await failure(load(bench.engine, [broken]))).toMatchObject({ kind: 'network' })
    expect(await bench.engine.tables()).toEqual([])
    expect(leftOver(bench)).toEqual([])
  })

  it.each([0, 1, 300_000])('that stall after %i bytes: an abort ends the load', async (bytes) => {
    const bench = await openBench()
    const abort = new AbortController()
    let stalled: () => void = () => {}
    const isStalled = new Promise<void>((resolve) => {
      stalled = resolve
    })
    const stalling = {
      ...file(bench, 'a.csv', csv, { streamed: true }),
      stream: async function* () {
        if (bytes > 0) yield Buffer.from(csv.slice(0, bytes))
        stalled()
        await new Promise((_resolve, reject) =>
          abort.signal.addEventListener('abort', () => reject(abort.signal.reason)),
        )
      },
    }
    const loading = failure(loadBatches(bench.engine, [[stalling]], {}, abort.signal))
    await isStalled
    abort.abort()
    expect(await loading).toMatchObject({ kind: 'cancelled' })
    expect(leftOver(bench)).toEqual([])
  })

  it('that stall and never answer the abort either', async () => {
    const bench = await openBench()
    const abort = new AbortController()
    let stalled: () => void = () => {}
    const isStalled = new Promise<void>((resolve) => {
      stalled = resolve
    })
    const stalling = {
      ...file(bench, 'a.csv', csv, { streamed: true }),
      stream: async function* () {
        yield Buffer.from(csv.slice(0, 300_000))
        stalled()
        await new Promise(() => {})
      },
    }
    const loading = failure(loadBatches(bench.engine, [[stalling]], {}, abort.signal))
    await isStalled
    abort.abort()
    expect(await loading).toMatchObject({ kind: 'cancelled' })
  })

  it('Parquet without access to its parts is refused', async () => {
    const bench = await openBench()
    expect(
      await failure(load(bench.engine, [file(bench, 'a.parquet', 'PAR1', { streamed: true })])),
    ).toMatchObject({ hint: expect.stringMatching(/stag/i) })
  })
})

describe('Parquet in parts', () => {
  const select = `SELECT i AS id, 'name ' || i AS name, {'x': i, 'l': [i, NULL]} AS s, i / 4 AS quarter,
    if(i % 7 = 0, NULL, DATE '2020-01-01' + (i % 3000)::INTEGER) AS day FROM range(50000) t(i)`

  /** A file whose bytes are read by range, with so much room for its parts. */
  const inParts = async (bench: Bench, stagingBytes: number, change = (bytes: Buffer) => bytes) => {
    const path = join(bench.folder, 'source.parquet')
    const writer = await DuckDBInstance.create(':memory:')
    const connection = await writer.connect()
    await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 4096)`)
    connection.closeSync()
    writer.closeSync()
    const bytes = change(readFileSync(path))
    const read = async function* ({ start, end }: ByteRange) {
      yield bytes.subarray(start, end)
    }
    const streamed = file(bench, 'a.parquet', bytes, { streamed: true })
    return { whole: file(bench, 'a.parquet', bytes), parts: { ...streamed, ranges: { read, stagingBytes } } }
  }

  it('has the rows of the whole, in little space', async () => {
    const bench = await openBench()
    const { whole, parts } = await inParts(bench, 150_000)
    const lineage = ['_row', '_file'] as const
    await load(bench.engine, [whole], { table: 'whole', lineage })
    const loaded = await load(
      bench.engine,
      [file(bench, '0.parquet', readFileSync(whole.path ?? '')), parts],
      {
        lineage,
      },
    )
    expect(loaded).toMatchObject({ rowsRead: 100_000, rowsLoaded: 100_000 })
    const ofParts = "(FROM t WHERE _file = 's3://bucket/a.parquet')"
    const difference = `SELECT count(*)::INTEGER FROM (FROM whole EXCEPT ALL ${ofParts})`
    expect(await rows(bench.engine, difference)).toEqual([[0]])
    expect(leftOver(bench)).toEqual([])
  })

  it('names a row that does not fit by its number in the whole', async () => {
    const bench = await openBench()
    const { parts } = await inParts(bench, 150_000)
    const columnTypes = { id: { type: 'int', bits: 16, signed: true } } as const
    expect(await failure(load(bench.engine, [parts], { columnTypes }))).toMatchObject({
      kind: 'data',
      message: expect.stringContaining('s3://bucket/a.parquet, record 32769, column "id"'),
    })
  })

  it('of a row group without room: the way out', async () => {
    const bench = await openBench()
    const { parts } = await inParts(bench, 1_000)
    expect(await failure(load(bench.engine, [parts]))).toMatchObject({
      kind: 'resource',
      hint: expect.stringContaining('--staging'),
    })
  })

  it('that is cut off is named', async () => {
    const bench = await openBench()
    const { parts } = await inParts(bench, 150_000, (bytes) => bytes.subarray(0, -100))
    expect(await failure(load(bench.engine, [parts]))).toMatchObject({
      kind: 'data',
      place: { object: 's3://bucket/a.parquet' },
    })
  })
})
