import { describe, expect, test } from 'vitest'
import { parseNameMapping } from '../metadata/name-mapping.ts'
import type { PartitionSpec } from '../metadata/spec.ts'
import type { IcebergSchema, NestedField } from '../types.ts'
import { requestedFields, scanColumn } from './scan-columns.ts'

const field = (
  id: number,
  name: string,
  type: NestedField['type'],
  initialDefault?: unknown,
): NestedField => ({
  id,
  name,
  required: false,
  type,
  ...(initialDefault === undefined ? {} : { initialDefault }),
})
const person = field(2, 'person', {
  type: 'struct',
  fields: [
    field(3, 'given', { type: 'string' }),
    field(4, 'age', { type: 'int' }, 5),
    field(5, 'home', { type: 'struct', fields: [field(6, 'city', { type: 'string' })] }),
  ],
})
const schema: IcebergSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    field(1, 'id', { type: 'long' }),
    person,
    field(7, 'tags', { type: 'list', element: field(8, 'element', { type: 'string' }) }),
    field(9, 'u', { type: 'uuid' }),
  ],
}
const plain = { spec: undefined, partition: {}, nameMapping: undefined }
const identity = (sourceId: number): PartitionSpec => ({
  specId: 0,
  fields: [{ sourceIds: [sourceId], fieldId: 1000, name: 'p', transform: { kind: 'identity' } }],
})
const columnsOf = (...paths: [string, ...string[]][]) =>
  requestedFields(schema, paths).map((one) => scanColumn(one, plain))

describe('columns that are asked for', () => {
  test('keep the order of the request, each once', () => {
    expect(columnsOf(['tags'], ['id'], ['tags']).map(({ name }) => name)).toEqual(['tags', 'id'])
  })

  test('are narrowed to the parts that are asked for', () => {
    const [column] = columnsOf(['person', 'home', 'city'], ['person', 'age'])
    expect(column?.type).toEqual({
      type: 'struct',
      fields: [
        { name: 'age', type: { type: 'int', bits: 32, signed: true } },
        { name: 'home', type: { type: 'struct', fields: [{ name: 'city', type: { type: 'string' } }] } },
      ],
    })
    expect(column?.children?.map(({ name }) => name)).toEqual(['age', 'home'])
  })

  test('are whole when all of it is asked for as well', () => {
    expect(columnsOf(['person', 'age'], ['person'])[0]?.children).toHaveLength(3)
  })
})

describe('a column comes', () => {
  test('by id, with its default for files that lack it, in structs and lists, too', () => {
    expect(columnsOf(['person'], ['tags'])).toMatchObject([
      {
        source: { from: 'field-id', id: 2 },
        children: [
          { name: 'given', source: { from: 'field-id', id: 3 } },
          { name: 'age', source: { from: 'field-id', id: 4, absent: 5n } },
          { name: 'home', children: [{ source: { id: 6 } }] },
        ],
      },
      { source: { id: 7 }, children: [{ name: 'element', source: { id: 8 } }] },
    ])
  })

  test('as the value of its identity partition, null included', () => {
    const sourceOf = (id: number, value: bigint | Uint8Array | null) => {
      const found = schema.fields.find((one) => one.id === id) ?? person
      return scanColumn(found, { ...plain, spec: identity(id), partition: { 1000: value } }).source
    }
    expect(sourceOf(1, 7n)).toEqual({ from: 'constant', value: 7n })
    expect(sourceOf(1, null)).toEqual({ from: 'constant', value: null })
    expect(sourceOf(9, new Uint8Array(16))).toEqual({
      from: 'constant',
      value: '00000000-0000-0000-0000-000000000000',
    })
  })

  test('by id when the manifest does not tell the partition value', () => {
    const column = scanColumn(person, { ...plain, spec: identity(2), partition: {} })
    expect(column.source).toEqual({ from: 'field-id', id: 2 })
  })

  test('by the names of the mapping in files without ids', () => {
    const nameMapping = parseNameMapping(
      JSON.stringify([
        { names: ['not in the table'] },
        { 'field-id': 2, names: ['person', 'who'], fields: [{ 'field-id': 3, names: ['first'] }] },
      ]),
    )
    expect(scanColumn(person, { ...plain, nameMapping })).toMatchObject({
      source: { from: 'field-id', id: 2, names: ['person', 'who'] },
      children: [{ source: { id: 3, names: ['first'] } }, { source: { from: 'field-id', id: 4 } }, {}],
    })
  })
})
