import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/* Objects that are larger than the staging space are loaded all the same, within it. */

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
})
afterAll(() => lake.close())

const records = Array.from({ length: 20_000 }, (_, id) => ({
  id,
  text: createHash('md5').update(String(id)).digest('hex'),
}))
const csv = `id,text\n${records.map(({ id, text }) => `${id},${text}\n`).join('')}`

/** Several row groups, as their usual size has them. */
const parquet = async (): Promise<Buffer> => {
  const path = join(lake.folder, 'source.parquet')
  const engine = await duckdb(':memory:')
  await engine.copyTo('SELECT i AS id, md5(i::VARCHAR) AS text FROM range(400000) t(i)', path, {
    type: 'parquet',
  })
  await engine.close()
  return readFileSync(path)
}

test.each<[string, number, () => string | Buffer | Promise<Buffer>]>([
  ['big.csv', 300_000, () => csv],
  ['big.csv.gz', 300_000, () => gzipSync(csv, { level: 1 })],
  ['big.json', 300_000, () => JSON.stringify(records)],
  ['big.parquet', 7_000_000, parquet],
])('%s', async (key, stagingBytes, body) => {
  const content = await body()
  await lake.put(key, content)
  expect(Buffer.byteLength(content)).toBeGreaterThan(stagingBytes)
  const engine = await duckdb(lake.database)
  let staged = 0
  const record = await extract({
    source: lake.source(),
    tables: [{ object: key, table: 't', mode: 'full' }],
    engine,
    resources: { stagingBytes },
    onProgress: (event) => {
      if (event.type === 'progress') staged = Math.max(staged, event.stagedBytes)
    },
  })
  await engine.close()
  const count = key.endsWith('.parquet') ? 400_000 : records.length
  expect(record).toMatchObject({ status: 'succeeded', tables: [{ rowsLoaded: count, objects: 1 }] })
  expect(staged).toBeLessThanOrEqual(stagingBytes)
  const found = await lake.rows(
    'SELECT count(DISTINCT id)::INT, count_if(text = md5(id::VARCHAR))::INT, min(id)::INT, max(id)::INT FROM t',
  )
  expect(found).toEqual([[count, count, 0, count - 1]])
})
