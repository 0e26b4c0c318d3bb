import type { LogicalType, Scan, ScanColumn, ZeroCopyTable } from '@penstock/core'
import { expect, it } from 'vitest'
import { ask, fileTable, memoryFile, mountOf, openEngine, openWriter } from './mount-support.ts'

const select = "SELECT i AS id, 'n' || i AS name, i * 2 AS twice FROM range(100) t(i)"

it('columns that DuckDB asks for against the plan are fetched, and the query runs again', async () => {
  const writer = await openWriter()
  const file = memoryFile('s3://lake/a.parquet', await writer.parquet(select))
  const mounts = [mountOf({ 'sales.orders': fileTable(await writer.schema(select), [{ file }]) })]
  const engine = await openEngine()
  // The plan is made with this optimizer, so that only here all columns are read.
  await Array.fromAsync((await engine.query("SET GLOBAL disabled_optimizers = 'unused_columns'")).rows())
  const { rows, receipt } = await ask(engine, 'SELECT max(name) FROM sales.orders WHERE id < 50', { mounts })
  expect(rows).toEqual([['n9']])
  expect(receipt.repairs).toBe(1)
  expect(receipt.tables[0]?.columns.toSorted()).toEqual(['id', 'name', 'twice'])
})

it('a default of a field within a list is refused by name, for files that lack the field', async () => {
  const writer = await openWriter()
  const items = "SELECT [{'a': 1::BIGINT}] AS items, 7::BIGINT AS id"
  const bigint: LogicalType = { type: 'int', bits: 64, signed: true }
  const fields = [
    { name: 'a', type: bigint },
    { name: 'b', type: bigint },
  ]
  const element: LogicalType = { type: 'struct', fields }
  const type: LogicalType = { type: 'list', element }
  const column: ScanColumn = {
    name: 'items',
    type,
    source: { from: 'name', name: 'items' },
    children: [
      {
        name: 'element',
        type: element,
        source: { from: 'name', name: 'element' },
        children: [
          { name: 'a', type: bigint, source: { from: 'name', name: 'a' } },
          { name: 'b', type: bigint, source: { from: 'field-id', id: 9, absent: 5n } },
        ],
      },
    ],
  }
  const schema = {
    columns: [
      { name: 'items', type, nullable: true },
      { name: 'id', type: bigint, nullable: true },
    ],
  }
  const file = memoryFile('s3://lake/lists.parquet', await writer.parquet(items))
  const plain = fileTable(schema, [{ file }])
  const table: ZeroCopyTable = {
    ...plain,
    scan: async (request) => {
      const scan = (await plain.scan(request)) as Extract<Scan, { kind: 'files' }>
      const withDefault = (own: ScanColumn) => (own.name === 'items' ? column : own)
      return { ...scan, files: scan.files.map((one) => ({ ...one, columns: one.columns.map(withDefault) })) }
    },
  }
  const mounts = [mountOf({ 'sales.orders': table })]
  const engine = await openEngine()
  await expect(ask(engine, 'SELECT items FROM sales.orders', { mounts })).rejects.toMatchObject({
    code: 'UnsupportedColumn',
    message: expect.stringContaining('its field b has a default within a list or map'),
    place: { object: 's3://lake/lists.parquet' },
  })
  expect((await ask(engine, 'SELECT id::INTEGER FROM sales.orders', { mounts })).rows).toEqual([[7]])
})
