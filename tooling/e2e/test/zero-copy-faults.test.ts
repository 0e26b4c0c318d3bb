import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TableEngine } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { query } from '@penstock/runtime'
import type { Fault } from '@penstock/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type IcebergLake, openIcebergLake } from '../src/iceberg-lake.ts'

/* Faults of the wire while data files are read in place. Once: the rows are right. For ever: a clear error, no row. */

let lake: IcebergLake
let engine: TableEngine
beforeAll(async () => {
  lake = await openIcebergLake()
  engine = await duckdb(':memory:')
})
afterAll(async () => {
  await engine.close()
  await lake.close()
})
beforeEach(() => lake.aws.faults.clear())

const sum = async (signal?: AbortSignal) => {
  const { result } = await query({
    sql: 'SELECT count(region), count(amount) FROM ice.orders_v1',
    connections: [lake.connection({ maxAttempts: 2 })],
    engine,
    signal,
  })
  const rows: unknown[] = []
  for await (const page of result.rows()) rows.push(...page)
  return rows
}
const left = async () => (await readdir(engine.stagingFolder)).filter((name) => name.startsWith('scan-'))
const when = { operation: 'GetObject', key: '*.parquet' }

const faults: [string, Fault, string][] = [
  ['a reset', { kind: 'reset' }, 'network'],
  ['a body that is cut', { kind: 'truncate-body', afterBytes: 10 }, 'network'],
  ['SlowDown', { kind: 'slow-down' }, 'throttled'],
  ['a server error', { kind: 'internal-error' }, 'network'],
]

describe.each(faults)('%s', (_name, fault, kind) => {
  it('once', async () => {
    lake.aws.faults.add({ when, times: 1, fault })
    expect(await sum()).toEqual([[4, 4]])
    expect(await left()).toEqual([])
  })

  it('for ever', async () => {
    lake.aws.faults.add({ when, fault })
    await expect(sum()).rejects.toMatchObject({
      kind,
      place: { object: expect.stringContaining('.parquet') },
    })
    expect(await left()).toEqual([])
  })
})

it('keys that are refused in mid-query', async () => {
  lake.aws.faults.add({ when, fault: { kind: 'error', status: 403, code: 'AccessDenied', message: 'no' } })
  await expect(sum()).rejects.toMatchObject({
    kind: 'permission',
    message: expect.stringContaining('s3:GetObject'),
  })
  lake.aws.faults.clear()
  lake.aws.faults.add({ when, fault: { kind: 'expired-token' } })
  await expect(sum()).rejects.toMatchObject({ kind: 'auth' })
  expect(await left()).toEqual([])
})

it('an abort ends a request that hangs', async () => {
  lake.aws.faults.add({ when, fault: { kind: 'hang' } })
  const abort = new AbortController()
  const running = sum(abort.signal)
  setTimeout(() => abort.abort(), 300)
  await expect(running).rejects.toMatchObject({ kind: 'cancelled' })
  expect(await left()).toEqual([])
})

it('of a table that is queried again only its metadata file is read, whose name may come back with other content', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-e2e-cache-'))
  const ask = async () => {
    lake.aws.log.clear()
    const running = await query({
      sql: "SELECT count(*) FROM ice.orders_v1 WHERE region = 'eu'",
      connections: [lake.connection()],
      engine,
      cache: { folder, bytes: 64 * 1024 ** 2 },
    })
    const rows: unknown[] = []
    for await (const page of running.result.rows()) rows.push(...page)
    const objects = lake.aws.log.entries().filter(({ operation }) => operation === 'GetObject')
    const keys = objects.map(({ key }) => key?.split('/').at(-1))
    return { rows, keys, requests: running.receipt().metadataRequests }
  }
  const first = await ask()
  expect(first.requests).toBeGreaterThan(1)
  expect(await ask()).toEqual({ rows: first.rows, keys: ['v3.metadata.json'], requests: 0 })
  await rm(folder, { recursive: true })
})
