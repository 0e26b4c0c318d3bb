import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, defineDestination, type TableEngine } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo, planExport, runCheck } from '@penstock/runtime'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import folderDestination from '../src/third-party-destination.ts'

/* A destination in one file runs through the same export as S3. */

let folder: string
let engine: TableEngine

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-destination-'))
  engine = await duckdb(join(folder, 'w.duckdb'))
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

const destination = () => connect(folderDestination, { folder: join(folder, 'out') }, { name: 'files' })
const numbers = (to: number) => ({ sql: `SELECT range AS n FROM range(1, ${to} + 1)`, name: 'numbers' })

const lines = async () => {
  const root = join(folder, 'out')
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.csv')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(root, name), 'utf8')))
  return texts.flatMap((text) => text.trim().split('\n').slice(1).map(Number)).sort((a, b) => a - b)
}

test('writes the streams of one snapshot, in parts as told', async () => {
  expect(await runCheck(destination())).toMatchObject([{ status: 'passed' }])
  const record = await exportTo({
    destination: destination(),
    streams: [numbers(25), { sql: "SELECT 'x' AS letter", name: 'letters' }],
    options: { maxRows: 10 },
    engine,
  })
  expect(record).toMatchObject({
    status: 'succeeded',
    command: 'export',
    tables: [],
    export: {
      retried: false,
      streams: [
        { name: 'numbers', rows: 25, files: 3, columns: [{ name: 'n', type: 'bigint' }] },
        { name: 'letters', rows: 1, files: 1 },
      ],
    },
  })
  expect(record.export?.streams[0]?.written.map(({ rows }) => rows)).toEqual([10, 10, 5])
  expect(await engine.runs()).toMatchObject([{ runId: record.runId, export: { commitId: record.runId } }])
})

test('append adds a run, overwrite replaces the former ones', async () => {
  const common = { destination: destination(), engine }
  await exportTo({ ...common, streams: [numbers(2)] })
  await exportTo({ ...common, streams: [numbers(2)] })
  expect(await lines()).toEqual([1, 1, 2, 2])
  const record = await exportTo({ ...common, streams: [numbers(3)], mode: 'overwrite' })
  expect(await lines()).toEqual([1, 2, 3])
  expect(record.export?.removed).toBe(2)
})

test('a plan writes nothing', async () => {
  const plan = await planExport({ destination: destination(), engine, streams: [numbers(1000)] })
  expect(plan).toMatchObject({ streams: [{ name: 'numbers', rows: 1000, dropped: 0 }], files: [] })
  expect(plan.warnings).toHaveLength(1)
  expect(await engine.runs()).toEqual([])
})

test('a run that failed is retried with its commit id and leaves one copy', async () => {
  let fails = true
  const failing = connect(
    defineDestination({
      ...folderDestination,
      write: async (context, request) => {
        const result = await folderDestination.write(context, request)
        if (fails) throw new Error('the answer was lost')
        return result
      },
    }),
    { folder: join(folder, 'out') },
  )
  const common = { destination: failing, engine, streams: [numbers(3)] }
  const first = await exportTo(common)
  expect(first).toMatchObject({ status: 'failed', export: { retried: false } })
  fails = false
  const second = await exportTo(common)
  expect(second).toMatchObject({ status: 'succeeded', export: { retried: true, commitId: first.runId } })
  expect(await lines()).toEqual([1, 2, 3])
  const third = await exportTo(common)
  expect(third).toMatchObject({ export: { retried: false, commitId: third.runId } })
})

test('rows that a destination loses, or does not read, fail the run', async () => {
  const options = z.strictObject({ reads: z.boolean() })
  const losing = connect(
    defineDestination({
      name: 'losing',
      config: z.object({}),
      options,
      capabilities: { modes: ['append'], fileTypes: [] },
      check: async () => {},
      write: async (_context, { streams, options }) => {
        if (options.reads) for (const stream of streams) await Array.fromAsync(stream.rows())
        return { files: [] }
      },
    }),
    {},
  )
  const common = { destination: losing, engine, streams: [numbers(3)] }
  expect((await exportTo({ ...common, options: { reads: false } })).error?.message).toBe(
    'The destination did not read "numbers" to its end.',
  )
  expect((await exportTo({ ...common, options: { reads: true } })).error?.message).toBe(
    'The destination wrote 0 rows of "numbers"; there are 3.',
  )
})
