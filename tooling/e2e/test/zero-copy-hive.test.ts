import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnyZeroCopy, connectUnknown, type TableEngine } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { explain, query } from '@penstock/runtime'
import { type Aws, startAws } from '@penstock/testkit'
import { zeroCopyGlue } from '@penstock/zero-copy-glue'
import { afterAll, beforeAll, expect, it } from 'vitest'

/* Hive-style tables as they come to be over the years: partitions of other formats, columns in other cases. */

let aws: Aws
let engine: TableEngine

beforeAll(async () => {
  aws = await startAws()
  aws.s3.createBucket({ name: 'lake', region: 'eu-central-1' })
  aws.glue.createDatabase({ name: 'shop' })
  engine = await duckdb(':memory:')
  const put = (key: string, body: string | Uint8Array) => aws.s3.putObject({ bucket: 'lake', key, body })
  const parquet = async (select: string) => {
    const path = join(engine.stagingFolder, 'written.parquet')
    await engine.copyTo(select, path, { type: 'parquet' })
    return readFile(path)
  }
  await put('mixed/year=2024/a.parquet', await parquet('SELECT 1::BIGINT AS "ID", \'parquet\' AS note'))
  await put('mixed/year=2025/a.json', '{"id":2,"note":"json"}\n')
  await put('mixed/year=2026/a.orc', 'ORC')
  // DuckDB writes no two columns that differ by case alone; others do.
  const cases = await parquet('SELECT 1::BIGINT AS "Key", \'a\' AS "Note", \'b\' AS "NOTF"')
  await put('cases/a.parquet', Buffer.from(cases.toString('latin1').replaceAll('NOTF', 'NOTE'), 'latin1'))
  const columns = [
    { name: 'id', type: 'bigint' },
    { name: 'note', type: 'string' },
  ]
  const formats = { 2024: undefined, 2025: 'json', 2026: 'orc' } as const
  aws.glue.createTable({
    database: 'shop',
    name: 'mixed',
    format: 'parquet',
    location: 's3://lake/mixed/',
    columns,
    partitionKeys: [{ name: 'year', type: 'int' }],
    partitions: Object.entries(formats).map(([year, format]) => ({
      values: [year],
      location: `s3://lake/mixed/year=${year}/`,
      ...(format && { format }),
    })),
  })
  aws.glue.createTable({
    database: 'shop',
    name: 'cases',
    format: 'parquet',
    location: 's3://lake/cases/',
    columns: [{ name: 'key', type: 'bigint' }, ...columns.slice(1)],
  })
})

afterAll(async () => {
  await engine.close()
  await aws.close()
})

const connectionOf = () => {
  const { accessKeyId, secretAccessKey } = aws.root
  return connectUnknown(
    zeroCopyGlue as unknown as AnyZeroCopy,
    {
      region: 'eu-central-1',
      endpoint: aws.endpoint,
      stsEndpoint: aws.endpoint,
      catalog: 'glue-api',
      catalogEndpoint: aws.endpoint,
      auth: { method: 'access-key', accessKeyId, secretAccessKey },
    },
    { name: 'lake' },
  )
}

const rowsOf = async (sql: string) => {
  const { result } = await query({ sql, connections: [connectionOf()], engine })
  return (await Array.fromAsync(result.rows())).flat()
}

it('reads a partition by its own SerDe, and one that it cannot read is named', async () => {
  expect(
    await rowsOf('SELECT id::VARCHAR, note, year FROM shop.mixed WHERE year < 2026 ORDER BY id'),
  ).toEqual([
    ['1', 'parquet', 2024],
    ['2', 'json', 2025],
  ])
  await expect(rowsOf('SELECT note FROM shop.mixed')).rejects.toMatchObject({
    code: 'UnsupportedTable',
    message: expect.stringMatching(/s3:\/\/lake\/mixed\/year=2026\/a\.orc .*OrcSerde/),
  })
})

it('a LIMIT over partitions takes no more rows than it says', async () => {
  expect(await rowsOf('SELECT year FROM shop.mixed WHERE year <> 2026 LIMIT 1')).toHaveLength(1)
})

it('the explanation counts the partitions that are left out; a query, for which Glue leaves them out, says so', async () => {
  const sql = 'SELECT note FROM shop.mixed WHERE year = 2025'
  const options = { sql, connections: [connectionOf()], engine }
  expect(await explain(options)).toMatchObject({ files: 1, skipped: { partition: 2 } })
  const { result, receipt } = await query(options)
  expect((await Array.fromAsync(result.rows())).flat()).toEqual([['json']])
  expect(receipt().tables).toMatchObject([{ notes: [expect.stringContaining('year = 2025')] }])
})

it('a LIMIT looks into no more partitions than it needs, unless their files have too few rows', async () => {
  const days = Array.from({ length: 40 }, (_, index) => `2026-01-${String(index + 1).padStart(2, '0')}`)
  const path = join(engine.stagingFolder, 'rows.parquet')
  const bytesOf = async (select: string) => {
    await engine.copyTo(select, path, { type: 'parquet' })
    return readFile(path)
  }
  const [none, some] = [
    await bytesOf('SELECT 1::BIGINT AS id LIMIT 0'),
    await bytesOf('SELECT 1::BIGINT AS id FROM range(3)'),
  ]
  const location = (day: string) => `s3://lake/days/${day}/`
  for (const [index, day] of days.entries())
    await aws.s3.putObject({
      bucket: 'lake',
      key: `days/${day}/a.parquet`,
      body: index > 35 ? some : none,
    })
  const table = {
    database: 'shop',
    format: 'parquet' as const,
    location: 's3://lake/elsewhere/',
    columns: [{ name: 'id', type: 'bigint' }],
    partitionKeys: [{ name: 'day', type: 'string' }],
  }
  const partitions = days.map((day) => ({ values: [day], location: location(day) }))
  aws.glue.createTable({ ...table, name: 'empty_first', partitions })
  aws.glue.createTable({ ...table, name: 'full_first', partitions: partitions.toReversed() })
  expect(await rowsOf('SELECT id::VARCHAR FROM shop.empty_first LIMIT 7')).toHaveLength(7)
  aws.log.clear()
  expect(await rowsOf('SELECT id::VARCHAR FROM shop.full_first LIMIT 7')).toHaveLength(7)
  expect(aws.log.entries().filter(({ operation }) => operation === 'ListObjectsV2').length).toBeLessThan(8)
})

it('a column is found in any case; where two fields differ by case alone, it is refused', async () => {
  expect(await rowsOf('SELECT key::VARCHAR FROM shop.cases')).toEqual([['1']])
  await expect(rowsOf('SELECT note FROM shop.cases')).rejects.toMatchObject({
    code: 'UnsupportedColumn',
    message: expect.stringMatching(/Column note .*s3:\/\/lake\/cases\/a\.parquet.*Note and NOTE/),
  })
})
