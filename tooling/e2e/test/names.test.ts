import { readdir } from 'node:fs/promises'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/* Hostile names of objects, tables and columns: all load, nothing is injected, no file is written outside staging. */

let lake: Lake
beforeAll(async () => {
  lake = await openLake()
})
afterAll(() => lake.close())

const keys = [
  'odd/with space.csv',
  "odd/quo'te.csv",
  'odd/double"quote.csv',
  "odd/'; DROP TABLE t; --.csv",
  'odd/100%.csv',
  'odd/a+b=c&d.csv',
  'odd/ünï/cödé 😀.csv',
  'odd/../../../escape.csv',
  'odd//double//slash.csv',
  'odd/back\\slash.csv',
  'odd/new\nline.csv',
  `odd/${'k'.repeat(1024 - 8)}.csv`,
]

const run = async (tables: Record<string, unknown>[]) => {
  const engine = await duckdb(lake.database)
  try {
    return await extract({ source: lake.source(), tables: tables as [], engine })
  } finally {
    await engine.close()
  }
}

test('object names', async () => {
  for (const [index, key] of keys.entries()) await lake.put(key, `id,x\n${index},1\n`)
  const record = await run([{ folder: 'odd/', table: 'odd', lineage: ['_file'] }])
  expect(record.error).toBeUndefined()
  const files = (await lake.rows('SELECT _file FROM odd'))
    .flat()
    .map((url) => String(url).replace('s3://lake/', ''))
  expect(files.toSorted()).toEqual(keys.toSorted())
  const names = await readdir(lake.folder)
  expect(names.filter((name) => !name.startsWith('warehouse.duckdb'))).toEqual([])
})

test('a table per object, named after it', async () => {
  const record = await run([
    { object: ["odd/quo'te.csv", "odd/'; DROP TABLE t; --.csv", 'odd/with space.csv'] },
  ])
  expect(record.tables.map(({ name, status }) => [name, status])).toEqual([
    ["'; DROP TABLE t; --", 'succeeded'],
    ["quo'te", 'succeeded'],
    ['with space', 'succeeded'],
  ])
  expect(await lake.rows(`SELECT x::INT FROM "'; DROP TABLE t; --"`)).toEqual([[1]])
})

test.each(['select', 'a"b', 'a.b', 'ORDER BY', "ta'ble", 'main', '😀'])(
  'a table named %s in every mode',
  async (table) => {
    await lake.put('named/a.csv', 'select,"gr""oup","a.b"\n1,2,3\n')
    for (const mode of ['full', 'delta', 'merge'])
      expect(
        (await run([{ folder: 'named/', table, mode, ...(mode === 'merge' && { key: ['select'] }) }])).error,
      ).toBeUndefined()
    expect(
      await lake.rows(`SELECT "select"::INT, "gr""oup"::INT FROM "${table.replaceAll('"', '""')}"`),
    ).toEqual([[1, 2]])
  },
)
