import type { DecodedValue, LogicalType, ScanColumn } from '@penstock/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AvroJson, codecs, writeAvro } from '../../test/write/avro.ts'
import { readAvroRows } from './rows.ts'

/** The bytes in pieces of this size. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

const rowsOf = async (bytes: Uint8Array, columns: readonly ScanColumn[], size = 1000) => {
  const rows: DecodedValue[][] = []
  for await (const page of readAvroRows(pieces(bytes, size), 's3://b/data.avro', columns)) rows.push(...page)
  return rows
}

const column = (
  name: string,
  id: number,
  type: LogicalType,
  further: Partial<ScanColumn> = {},
): ScanColumn => ({
  name,
  type,
  source: { from: 'field-id', id },
  ...further,
})
const long: LogicalType = { type: 'int', bits: 64, signed: true }
const timestamp = (unit: 'us' | 'ns'): LogicalType => ({ type: 'timestamp', unit, zoned: false })
const record = (...fields: readonly (readonly [number | undefined, string, AvroJson])[]): AvroJson => ({
  type: 'record',
  name: 'r',
  fields: fields.map(([id, name, type]) => ({ name, type, ...(id === undefined ? {} : { 'field-id': id }) })),
})

describe('a file of rows', () => {
  test('gives the same rows in pieces of any size, blocks of any length and every codec', async () => {
    const row = fc.record({
      l: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      d: fc.double(),
      s: fc.option(fc.string({ unit: 'binary' }).filter((text) => !/[\ud800-\udfff]/.test(text))),
      b: fc.uint8Array(),
    })
    const schema = record(
      [1, 'l', 'long'],
      [2, 'd', 'double'],
      [3, 's', ['null', 'string']],
      [4, 'b', 'bytes'],
    )
    const columns = [
      column('b', 4, { type: 'binary' }),
      column('l', 1, long),
      column('d', 2, { type: 'double' }),
      column('s', 3, { type: 'string' }),
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.array(row),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(...codecs),
        async (rows, size, perBlock, codec) => {
          const bytes = writeAvro(schema, rows, { codec, perBlock })
          const expected = rows.map(({ l, d, s, b }) => [b, l, d, s])
          expect(await rowsOf(bytes, columns, size)).toEqual(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('gives promoted types in the form of the table', async () => {
    const schema = record(
      [1, 'i', 'int'],
      [2, 'f', 'float'],
      [3, 'day', { type: 'int', logicalType: 'date' }],
      [4, 'ms', { type: 'long', logicalType: 'timestamp-millis' }],
      [5, 'de', { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }],
      [6, 'u', { type: 'fixed', name: 'u', size: 16, logicalType: 'uuid' }],
      [7, 'us', { type: 'long', logicalType: 'timestamp-micros' }],
    )
    const rows = [
      {
        i: 7,
        f: 1.5,
        day: -1,
        ms: 1234,
        de: Uint8Array.of(0xff, 0x38),
        u: new Uint8Array(16).fill(0xab),
        us: 5,
      },
    ]
    const columns = [
      column('i', 1, long),
      column('f', 2, { type: 'double' }),
      column('day', 3, timestamp('us')),
      column('ms', 4, timestamp('us')),
      column('de', 5, { type: 'decimal', precision: 20, scale: 2 }),
      column('u', 6, { type: 'uuid' }),
      column('us', 7, timestamp('ns')),
    ]
    expect(await rowsOf(writeAvro(schema, rows), columns)).toEqual([
      [7n, 1.5, -86_400_000_000n, 1_234_000n, -200n, 'abababab-abab-abab-abab-abababababab', 5000n],
    ])
  })

  test('gives what it lacks as constant, default or null, and nested fields by id', async () => {
    const struct = record([11, 'old_name', 'int'], [12, 'gone', 'string'])
    const schema = record([1, 'id', 'int'], [10, 's', ['null', struct]])
    const child = (name: string, id: number, absent?: bigint): ScanColumn =>
      column(name, id, long, {
        source: { from: 'field-id', id, ...(absent === undefined ? {} : { absent }) },
      })
    const columns: ScanColumn[] = [
      column('region', 2, { type: 'string' }, { source: { from: 'constant', value: 'eu' } }),
      column(
        's',
        10,
        { type: 'struct', fields: [] },
        { children: [child('added', 13, 5n), child('renamed', 11)] },
      ),
      column('missing', 3, long),
      child('defaulted', 4, 9n),
    ]
    const rows = [
      { id: 1, s: { old_name: 3, gone: 'x' } },
      { id: 2, s: null },
    ]
    expect(await rowsOf(writeAvro(schema, rows), columns)).toEqual([
      ['eu', { added: 5n, renamed: 3n }, null, 9n],
      ['eu', null, null, 9n],
    ])
  })

  test('without ids is read by the names of the mapping', async () => {
    const schema = record([undefined, 'a', 'long'], [undefined, 'b', 'long'])
    const columns = [
      column('x', 2, long, { source: { from: 'field-id', id: 2, names: ['bb', 'b'] } }),
      column('y', 1, long),
    ]
    expect(await rowsOf(writeAvro(schema, [{ a: 1, b: 2 }]), columns)).toEqual([[2n, null]])
  })

  test('whose column has another type is an error that names column and file', async () => {
    const bytes = writeAvro(record([1, 'id', 'string']), [{ id: 'x' }])
    await expect(rowsOf(bytes, [column('id', 1, long)])).rejects.toMatchObject({
      kind: 'data',
      message: expect.stringContaining('Column "id" is string in the file'),
      place: { object: 's3://b/data.avro' },
    })
  })

  test('that is cut off anywhere is an error or ends between two blocks', async () => {
    const bytes = writeAvro(
      record([1, 'id', 'long']),
      Array.from({ length: 6 }, (_, id) => ({ id })),
      { perBlock: 2 },
    )
    const whole: number[] = []
    for (let end = 0; end < bytes.length; end++)
      await rowsOf(bytes.subarray(0, end), [column('id', 1, long)]).then(
        (rows) => whole.push(rows.length),
        (error: unknown) => expect(error).toMatchObject({ kind: 'data' }),
      )
    expect(whole).toEqual([0, 2, 4])
  })
})
