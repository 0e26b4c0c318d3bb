import { type TableSchema, text } from '@penstock/core'
import { describe, expect, it } from 'vitest'
import { ask, fileTable, memoryFile, mountOf, openEngine } from './mount-support.ts'

const schema: TableSchema = {
  columns: [
    { name: 'id', type: { type: 'int', bits: 64, signed: true }, nullable: true },
    { name: 'name', type: text, nullable: true },
  ],
}

const mountsOf = (lines: string) => {
  const file = memoryFile('s3://lake/a.json', Buffer.from(lines))
  const format = { type: 'ndjson', compression: 'none' } as const
  return [mountOf({ 'sales.orders': fileTable(schema, [{ file, format }]) })]
}

describe('a mounted table of JSON', () => {
  it('takes keys in any case for a column, as Hive does', async () => {
    const mounts = mountsOf('{"ID":1,"Name":"Ada"}\n{"ID":2,"Name":null,"other":true}\n')
    const { rows } = await ask(await openEngine(), 'SELECT id::VARCHAR, name FROM sales.orders ORDER BY 1', {
      mounts,
    })
    expect(rows).toEqual([
      ['1', 'Ada'],
      ['2', null],
    ])
  })

  it('refuses keys that differ by case alone, and names them', async () => {
    const mounts = mountsOf('{"id":1,"Name":"Ada","name":"Grace"}\n')
    await expect(ask(await openEngine(), 'SELECT name FROM sales.orders', { mounts })).rejects.toMatchObject({
      kind: 'data',
      code: 'AmbiguousKeys',
      message: expect.stringContaining('Name, name'),
    })
  })
})
