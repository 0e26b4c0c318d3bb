import type { Scalar } from '@penstock/core'
import { parseTableMetadata, type TableMetadata } from '../../src/index.ts'
import type { PartitionSummary } from '../../src/manifest/manifest-list.ts'
import type { PartitionSpec } from '../../src/metadata/spec.ts'
import { applyTransform } from '../../src/transforms/apply.ts'
import { describeTransform, type Transform } from '../../src/transforms/transform.ts'
import { describeIcebergType, type PrimitiveType } from '../../src/types.ts'
import { uuidFromText, type Value } from '../../src/values/value.ts'
import { type WrittenFile, writeManifest, writeManifestList } from './manifests.ts'
import type { RandomColumn, RandomRow, RandomTable } from './random-table.ts'
import { boundBytes, extremes, truncateBound } from './values.ts'

export interface BuiltTable {
  readonly metadata: TableMetadata
  readonly objects: ReadonlyMap<string, Uint8Array>
  /** Rows of each data file, by path. */
  readonly files: ReadonlyMap<string, readonly RandomRow[]>
}

/** Writes the metadata of a random table: files by commit, spec and partition, a manifest for each commit and spec. */
export const buildTable = (table: RandomTable): BuiltTable => {
  const objects = new Map<string, Uint8Array>()
  const files = new Map<string, readonly RandomRow[]>()
  const specs = table.specs.map(
    (fields, specId): PartitionSpec => ({
      specId,
      fields: fields.map(({ column, transform }, index) => ({
        sourceIds: [idOf(table, column)],
        fieldId: 1000 + specId * 10 + index,
        name: `p${specId}_${index}`,
        transform,
      })),
    }),
  )
  const groups = Map.groupBy(table.rows, ({ commit, spec }) => `${commit}-${spec % specs.length}`)
  const manifests = [...groups].map(([group, entries]) => {
    const spec = specs[Number(group.split('-')[1])] ?? { specId: 0, fields: [] }
    const typeOf = (fieldId: number) => resultType(table, spec, fieldId)
    const partitions = Map.groupBy(entries, ({ row }) => JSON.stringify(tupleOf(table, spec, row), bigints))
    const written = [...partitions.values()].map((rows, index) => {
      const path = `s3://b/${group}-${index}.parquet`
      const values = rows.map(({ row }) => row)
      files.set(path, values)
      return fileOf(table, path, values, tupleOf(table, spec, values[0] ?? {}))
    })
    const path = `s3://b/${group}.avro`
    objects.set(path, writeManifest(written, spec, typeOf))
    return {
      path,
      specId: spec.specId,
      liveFiles: BigInt(written.length),
      ...(table.summaries ? { partitions: summariesOf(spec, typeOf, written, table.nanCounts) } : {}),
    }
  })
  objects.set('s3://b/list.avro', writeManifestList(manifests))
  const metadata = {
    'format-version': 2,
    location: 's3://b',
    'current-schema-id': 0,
    schemas: [
      {
        type: 'struct',
        'schema-id': 0,
        fields: table.columns.map((column) => ({
          id: idOf(table, column),
          name: column.name,
          required: false,
          type: describeIcebergType(column.type),
        })),
      },
    ],
    'default-spec-id': 0,
    'partition-specs': specs.map(({ specId, fields }) => ({
      'spec-id': specId,
      fields: fields.map(({ sourceIds, fieldId, name, transform }) => ({
        'source-id': sourceIds[0],
        'field-id': fieldId,
        name,
        transform: describeTransform(transform),
      })),
    })),
    'current-snapshot-id': 1,
    snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1, 'manifest-list': 's3://b/list.avro' }],
  }
  return {
    metadata: parseTableMetadata(Buffer.from(JSON.stringify(metadata)), 's3://b/v1.json'),
    objects,
    files,
  }
}

const bigints = (_: string, value: unknown) =>
  typeof value === 'bigint'
    ? `${value}n`
    : typeof value === 'number'
      ? `${Object.is(value, -0) ? '-' : ''}${value}`
      : value

const idOf = (table: RandomTable, column: RandomColumn): number => table.columns.indexOf(column) + 1

const valueOfRow = (row: RandomRow, column: RandomColumn): Value | null =>
  valueOfScalar(column, (row[column.name] ?? null) as Scalar | null)

export const valueOfScalar = (column: RandomColumn, scalar: Scalar | null): Value | null =>
  column.type.type === 'uuid' && typeof scalar === 'string' ? (uuidFromText(scalar) ?? null) : scalar

const columnOf = (table: RandomTable, sourceId: number | undefined): RandomColumn => {
  const column = table.columns[(sourceId ?? 0) - 1]
  if (!column) throw new Error('no such column')
  return column
}

const tupleOf = (table: RandomTable, spec: PartitionSpec, row: RandomRow): Record<number, Value | null> =>
  Object.fromEntries(
    spec.fields.map(({ sourceIds, fieldId, transform }) => {
      const column = columnOf(table, sourceIds[0])
      const value = valueOfRow(row, column)
      return [
        fieldId,
        value === null ? null : partitionValue(column.type, transform, value, table.oldRounding),
      ]
    }),
  )

/** What a writer stores; old ones rounded times before 1970 toward zero. */
export const partitionValue = (
  type: PrimitiveType,
  transform: Transform,
  value: Value,
  oldRounding: boolean,
): Value | null => {
  if (transform.kind === 'unknown') return String(value)
  const result = applyTransform(transform, type, value) ?? null
  const isDate = ['year', 'month', 'day', 'hour'].includes(transform.kind)
  if (!oldRounding || !isDate || typeof result !== 'bigint' || result >= 0n) return result
  // One higher, unless the value is the very first of its partition.
  const before = applyTransform(transform, type, (value as bigint) - 1n)
  return before === result ? result + 1n : result
}

const resultType = (table: RandomTable, spec: PartitionSpec, fieldId: number): PrimitiveType => {
  const field = spec.fields.find((candidate) => candidate.fieldId === fieldId)
  const { type } = columnOf(table, field?.sourceIds[0])
  switch (field?.transform.kind) {
    case 'identity':
    case 'truncate':
    case 'void':
      return type
    case 'unknown':
      return { type: 'string' }
    default:
      return { type: 'int' }
  }
}

const fileOf = (
  table: RandomTable,
  path: string,
  rows: readonly RandomRow[],
  partition: Record<number, Value | null>,
): WrittenFile => {
  const valueCounts = new Map<number, bigint>()
  const nullCounts = new Map<number, bigint>()
  const nanCounts = new Map<number, bigint>()
  const lower = new Map<number, Uint8Array>()
  const upper = new Map<number, Uint8Array>()
  for (const column of table.metrics === 'none' ? [] : table.columns) {
    const id = idOf(table, column)
    const values = rows.map((row) => valueOfRow(row, column))
    valueCounts.set(id, BigInt(values.length))
    nullCounts.set(id, BigInt(values.filter((value) => value === null).length))
    if (table.nanCounts && (column.type.type === 'float' || column.type.type === 'double'))
      nanCounts.set(id, BigInt(values.filter((value) => Number.isNaN(value)).length))
    const found = extremes(values)
    if (!found || table.metrics === 'counts') continue
    const width = typeof table.metrics === 'number' ? table.metrics : Number.POSITIVE_INFINITY
    const low = truncateBound(found[0], 'lower', width)
    const high = truncateBound(found[1], 'upper', width)
    if (low !== undefined) lower.set(id, boundBytes(column.type, low))
    if (high !== undefined) upper.set(id, boundBytes(column.type, high))
  }
  return { path, partition, records: BigInt(rows.length), valueCounts, nullCounts, nanCounts, lower, upper }
}

const summariesOf = (
  spec: PartitionSpec,
  typeOf: (fieldId: number) => PrimitiveType,
  files: readonly WrittenFile[],
  knowsNaN: boolean,
): PartitionSummary[] =>
  spec.fields.map(({ fieldId }) => {
    const values = files.map((file) => file.partition?.[fieldId] ?? null)
    const found = extremes(values)
    return {
      containsNull: values.includes(null),
      containsNaN: knowsNaN ? values.some((value) => Number.isNaN(value)) : undefined,
      lower: found && boundBytes(typeOf(fieldId), found[0]),
      upper: found && boundBytes(typeOf(fieldId), found[1]),
    }
  })
