import type { ByteRange } from '@penstock/core'
import type { MadeColumn } from './constant-column.ts'
import { ordinalField } from './constant-column.ts'
import type { ParquetFooter } from './footer.ts'
import type { LocalNode } from './mapping.ts'
import type { KeptGroup } from './prune.ts'
import { encodeStruct, fieldAt, type ThriftStruct, thriftType, withField } from './thrift.ts'

const { i32, i64, binary, list, struct } = thriftType

/** A piece of the source and its place in the local file. */
export interface PlacedRange {
  readonly source: ByteRange
  readonly target: number
}

/**
 * The local file that DuckDB reads instead of the object: Parquet of its own, with the row groups and columns that a
 * query needs, packed. Pages are the source's, byte for byte; names are the table's.
 */
export interface LocalLayout {
  readonly ranges: readonly PlacedRange[]
  /** Bytes that do not come from the source, by their place. */
  readonly made: readonly { readonly target: number; readonly bytes: Uint8Array }[]
  readonly size: number
  readonly rows: number
}

const magic = new TextEncoder().encode('PAR1')

export const planLocalFile = (
  footer: Pick<ParquetFooter, 'raw'>,
  groups: readonly KeptGroup[],
  columns: readonly LocalNode[],
  made: readonly MadeColumn[],
): LocalLayout => {
  const ranges: PlacedRange[] = []
  const literals: { target: number; bytes: Uint8Array }[] = [{ target: 0, bytes: magic }]
  let position = magic.length
  const leaves = columns.flatMap((column) => leavesOf(column, []))

  const rowGroups = groups.map(({ group, firstRow }, ordinal): ThriftStruct => {
    const start = position
    const chunks = leaves.map(({ leaf, path }): ThriftStruct => {
      const chunk = group.columns[leaf] as (typeof group.columns)[number]
      const shift = position - chunk.range.start
      ranges.push({ source: chunk.range, target: position })
      position += chunk.range.end - chunk.range.start
      return columnChunk(shifted(chunk.meta, shift, path), chunk.range.start + shift)
    })
    for (const column of made) {
      const { pages, meta } = column.chunk(group.rows, firstRow)
      literals.push({ target: position, bytes: pages })
      chunks.push(columnChunk(meta(position), position))
      position += pages.length
    }
    const bytes = BigInt(position - start)
    return {
      fields: [
        { id: 1, type: list, value: { elementType: struct, items: chunks } },
        { id: 2, type: i64, value: bytes },
        { id: 3, type: i64, value: BigInt(group.rows) },
        { id: 5, type: i64, value: BigInt(start) },
        { id: 6, type: i64, value: bytes },
        ordinalField(ordinal),
      ],
    }
  })

  const rows = groups.reduce((sum, { group }) => sum + group.rows, 0)
  const schema = [
    rootElement(columns.length + made.length),
    ...columns.flatMap(elementsOf),
    ...made.map((column) => column.element),
  ]
  const tail = trailer({
    fields: [
      { id: 1, type: i32, value: fieldAt(footer.raw, 1) ?? 1 },
      { id: 2, type: list, value: { elementType: struct, items: schema } },
      { id: 3, type: i64, value: BigInt(rows) },
      { id: 4, type: list, value: { elementType: struct, items: rowGroups } },
      // Readers trust statistics by who wrote them.
      ...footer.raw.fields.filter(({ id }) => id === 6),
    ],
  })
  literals.push({ target: position, bytes: tail })
  return { ranges, made: literals, size: position + tail.length, rows }
}

/** Columns of a local schema with their place in the source's row groups and their path. */
const leavesOf = (
  node: LocalNode,
  parents: readonly string[],
): { leaf: number; path: readonly string[] }[] => {
  const path = [...parents, node.name]
  return node.leaf === undefined
    ? node.children.flatMap((child) => leavesOf(child, path))
    : [{ leaf: node.leaf, path }]
}

const elementsOf = (node: LocalNode): ThriftStruct[] => [node.element, ...node.children.flatMap(elementsOf)]

const rootElement = (children: number): ThriftStruct => ({
  fields: [
    { id: 4, type: binary, value: new TextEncoder().encode('schema') },
    { id: 5, type: i32, value: children },
  ],
})

const columnChunk = (meta: ThriftStruct, offset: number): ThriftStruct => ({
  fields: [
    { id: 2, type: i64, value: BigInt(offset) },
    { id: 3, type: struct, value: meta },
  ],
})

/** Column metadata at another place: page offsets move, indexes and bloom filters are not there any more. */
const shifted = (meta: ThriftStruct, shift: number, path: readonly string[]): ThriftStruct => {
  let result: ThriftStruct = { fields: meta.fields.filter(({ id }) => ![8, 10, 14, 15, 16, 17].includes(id)) }
  for (const id of [9, 11]) {
    const offset = fieldAt(meta, id)
    if (typeof offset === 'bigint' && offset > 0n) result = withField(result, id, i64, offset + BigInt(shift))
  }
  const encoder = new TextEncoder()
  const items = path.map((name) => encoder.encode(name))
  return withField(result, 3, list, { elementType: binary, items })
}

const trailer = (metadata: ThriftStruct): Uint8Array => {
  const bytes = encodeStruct(metadata)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([bytes, length, magic])
}
