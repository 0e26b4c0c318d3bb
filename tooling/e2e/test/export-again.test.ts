import { join } from 'node:path'
import type { TableEngine } from '@penstock/core'
import { s3Destination } from '@penstock/destination-s3'
import { duckdb } from '@penstock/engine-duckdb'
import { exportTo } from '@penstock/runtime'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/* Runs of one export that follow each other: each has names of its own, and one that failed does not stand in the way. */

let lake: Lake
let engine: TableEngine
let now: Date
beforeAll(async () => {
  lake = await openLake('exports')
  engine = await duckdb(join(lake.folder, 'again.duckdb'))
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})
beforeEach(async () => {
  now = new Date(Math.floor(Date.now() / 1000) * 1000 + 300)
  for (const key of lake.aws.s3.listKeys(lake.bucket)) await lake.remove(key)
})

const exported = (name: string, options: { keyTemplate?: string } = {}) =>
  exportTo({
    destination: s3Destination({
      ...{ region: 'us-east-1', bucket: lake.bucket, endpoint: lake.aws.endpoint },
      auth: { method: 'access-key', ...lake.aws.root },
    }),
    engine,
    name,
    streams: [{ sql: 'SELECT 1 AS id', name: 'ones' }],
    options,
    clock: () => now,
  })
const keys = () => lake.aws.s3.listKeys(lake.bucket).filter((key) => !key.startsWith('.penstock/'))

const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
/** `2025_04_14_11_23_45` */
const dateTime = (at: Date) => at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_')

test('two appends within a second have names of two seconds, by default', async () => {
  for (let run = 0; run < 3; run++) expect((await exported('quick')).error).toBeUndefined()
  const names = (seconds: readonly number[]) =>
    seconds.map((at) => `${dateTime(later(at)).replaceAll('_', '').replace(/.{8}/, '$&_')}.csv`)
  const found = () => keys().map((key) => /\d{8}_\d{6}\.csv$/.exec(key)?.[0])
  expect(found()).toEqual(names([0, 1, 2]))
  // When the clock has caught up, it counts again.
  now = later(60)
  await exported('quick')
  expect(found()).toEqual(names([-60, -59, -58, 0]))
})

test('a name that is taken ends a run; the next one is a new run, with a name of its time', async () => {
  const options = { keyTemplate: 'out/{date_time}.csv' }
  const taken = `out/${dateTime(now)}.csv`
  await lake.put(taken, 'theirs')
  const failed = await exported('taken', options)
  expect(failed.error).toMatchObject({ kind: 'conflict', code: 'KeyTaken' })
  now = later(60)
  const next = await exported('taken', options)
  expect(next.error).toBeUndefined()
  expect(next.export).toMatchObject({ retried: false, commitId: next.runId })
  expect(keys()).toEqual([taken, `out/${dateTime(now)}.csv`])
  expect(String(await lake.aws.s3.getObject(lake.bucket, taken))).toBe('theirs')
})

test('the way out that the error names works', async () => {
  await exported('daily', { keyTemplate: 'daily.csv' })
  const { error } = await exported('daily', { keyTemplate: 'daily.csv' })
  expect(error).toMatchObject({ code: 'KeyTaken', hint: expect.stringContaining('{run_id}') })
  expect((await exported('daily', { keyTemplate: 'daily-{run_id}.csv' })).error).toBeUndefined()
  expect(keys()).toHaveLength(2)
})
