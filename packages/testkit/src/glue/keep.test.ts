import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetPartitionsCommand, GetTableCommand, GlueClient } from '@aws-sdk/client-glue'
import { afterAll, expect, it } from 'vitest'
import { startAws } from '../aws.ts'

const data = mkdtempSync(join(tmpdir(), 'penstock-catalogs-'))
afterAll(() => rmSync(data, { recursive: true, force: true }))

it('a folder keeps databases, tables and partitions as it keeps objects', async () => {
  const first = await startAws({ data })
  first.glue.createDatabase({ name: 'sales' })
  first.glue.createTable({
    database: 'sales',
    name: 'orders',
    format: 'parquet',
    location: 's3://lake/orders/',
    columns: [{ name: 'id', type: 'bigint' }],
    partitionKeys: [{ name: 'day', type: 'date' }],
    partitions: [{ values: ['2026-01-01'], location: 's3://lake/orders/day=2026-01-01/' }],
  })
  await first.close()
  const second = await startAws({ data })
  const glue = new GlueClient({ region: 'us-east-1', endpoint: second.endpoint, credentials: second.root })
  const table = { DatabaseName: 'sales', Name: 'orders' }
  expect((await glue.send(new GetTableCommand(table))).Table).toMatchObject({ Name: 'orders' })
  const partitions = await glue.send(new GetPartitionsCommand({ DatabaseName: 'sales', TableName: 'orders' }))
  expect(partitions.Partitions?.map(({ Values }) => Values)).toEqual([['2026-01-01']])
  glue.destroy()
  await second.close()
})
