import { rm } from 'node:fs/promises'
import { duckdb } from '@penstock/engine-duckdb'
import { extract } from '@penstock/runtime'
import type { Fault } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Lake, openLake } from '../src/lake.ts'

/*
 * Every fault of the embedded S3, once and for ever. Once: the load succeeds with the right rows. For ever: it fails
 * with an error of the right kind that names the object, and the table stays as it was.
 */

let lake: Lake
const objects = 6
const rowsPerObject = 3_000

const body = (object: number, version: string) => {
  const lines = ['id,version,text']
  for (let row = 0; row < rowsPerObject; row++)
    lines.push(`${object * rowsPerObject + row},${version},text ${row}`)
  return lines.join('\n')
}

beforeAll(async () => {
  lake = await openLake()
  for (let object = 0; object < objects; object++) await lake.put(`t/${object}.csv`, body(object, 'a'))
})
afterAll(() => lake.close())
beforeEach(() => lake.aws.faults.clear())

const load = async (mode: 'full' | 'delta' = 'full') => {
  const engine = await duckdb(lake.database)
  try {
    return await extract({ source: lake.source(), tables: [{ folder: 't/', table: 't', mode }], engine })
  } finally {
    await engine.close()
  }
}

const count = () => lake.rows('SELECT count(*)::INT, count(DISTINCT id)::INT FROM t')
const all = [[objects * rowsPerObject, objects * rowsPerObject]]

/** Name, the fault once, the fault for ever (without it a resumed transfer gets there in the end), kinds of error. */
const faults: [string, Fault, Fault | undefined, string[]][] = [
  ['slow-down', { kind: 'slow-down' }, undefined, ['throttled']],
  ['internal-error', { kind: 'internal-error' }, undefined, ['network', 'throttled']],
  ['reset', { kind: 'reset' }, undefined, ['network']],
  [
    'reset-body',
    { kind: 'reset-body', afterBytes: 1000 },
    { kind: 'reset-body', afterBytes: 0 },
    ['network'],
  ],
  [
    'truncate-body',
    { kind: 'truncate-body', afterBytes: 1000 },
    { kind: 'truncate-body', afterBytes: 0 },
    ['network'],
  ],
  ['corrupt-body', { kind: 'corrupt-body', atByte: 2000 }, undefined, ['data', 'network']],
]

describe.each(faults)('%s', (_, fault, lasting, kinds) => {
  test('once on some objects: the right rows', async () => {
    lake.aws.faults.add({ when: { operation: 'GetObject' }, times: 3, fault })
    expect((await load()).error).toBeUndefined()
    expect(await count()).toEqual(all)
  })

  test('for ever on one object: a clear error, the table as it was', async () => {
    await rm(lake.database, { force: true })
    await load()
    lake.aws.faults.add({ when: { operation: 'GetObject', key: 't/3.csv' }, fault: lasting ?? fault })
    const record = await load()
    expect(record.status).toBe('failed')
    expect(kinds).toContain(record.error?.kind)
    expect(JSON.stringify(record.error)).toContain('t/3.csv')
    expect(await count()).toEqual(all)
  })
})

test('a slow drip and latency only cost time', async () => {
  lake.aws.faults.add({
    when: { key: 't/1.csv' },
    times: 1,
    fault: { kind: 'slow-drip', bytesPerSecond: 200_000 },
  })
  lake.aws.faults.add({ when: { key: 't/2.csv' }, fault: { kind: 'latency', ms: 50 } })
  expect((await load()).status).toBe('succeeded')
  expect(await count()).toEqual(all)
})

test('a listing that breaks off is repeated, never taken for the end', async () => {
  lake.aws.faults.add({
    when: { operation: 'ListObjectsV2' },
    times: 2,
    fault: { kind: 'truncate-body', afterBytes: 300 },
  })
  expect((await load()).status).toBe('succeeded')
  expect(await count()).toEqual(all)
})

test('an object that changes after the listing is read as a whole, in its new version', async () => {
  lake.aws.faults.add({
    when: { operation: 'GetObject', key: 't/2.csv' },
    times: 1,
    fault: { kind: 'change-object', body: body(2, 'b') },
  })
  expect((await load()).status).toBe('succeeded')
  expect(await lake.rows(`SELECT version, count(*)::INT FROM t GROUP BY 1 ORDER BY 1`)).toEqual([
    ['a', (objects - 1) * rowsPerObject],
    ['b', rowsPerObject],
  ])
  await lake.put('t/2.csv', body(2, 'a'))
})

test('an object that is gone after the listing ends the load with its name', async () => {
  const record = await (async () => {
    lake.aws.faults.add({
      when: { operation: 'GetObject', key: 't/4.csv' },
      fault: { kind: 'error', status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' },
    })
    return load()
  })()
  expect(record.status).toBe('failed')
  expect(JSON.stringify(record.error)).toContain('t/4.csv')
  expect(await count()).toEqual(all)
})
