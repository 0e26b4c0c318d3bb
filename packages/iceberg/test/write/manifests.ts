import type { ManifestFile } from '../../src/manifest/manifest-list.ts'
import type { PartitionSpec } from '../../src/metadata/spec.ts'
import type { PrimitiveType } from '../../src/types.ts'
import type { Value } from '../../src/values/value.ts'
import { type AvroJson, type Codec, writeAvro } from './avro.ts'
import { avroTypeOf, avroValueOf } from './values.ts'

/** A file of a manifest in a test; what is left out is null. */
export interface WrittenFile {
  readonly status?: 0 | 1 | 2
  readonly snapshotId?: bigint | null
  readonly sequenceNumber?: bigint | null
  readonly content?: 0 | 1 | 2
  readonly path: string
  readonly format?: string
  readonly partition?: Readonly<Record<number, Value | null>>
  readonly records?: bigint
  readonly size?: bigint
  readonly valueCounts?: ReadonlyMap<number, bigint>
  readonly nullCounts?: ReadonlyMap<number, bigint>
  readonly nanCounts?: ReadonlyMap<number, bigint>
  readonly lower?: ReadonlyMap<number, Uint8Array>
  readonly upper?: ReadonlyMap<number, Uint8Array>
  readonly equalityIds?: readonly number[]
  readonly referencedDataFile?: string
  readonly contentOffset?: bigint
  readonly contentSize?: bigint
  readonly keyMetadata?: Uint8Array
}

const field = (id: number, name: string, type: AvroJson, optional = true) => ({
  name,
  type: optional ? ['null', type] : type,
  'field-id': id,
})

const intMap = (id: number, name: string, keyId: number, value: AvroJson) =>
  field(id, name, {
    type: 'array',
    logicalType: 'map',
    items: {
      type: 'record',
      name: `k${keyId}_v${keyId + 1}`,
      fields: [field(keyId, 'key', 'int', false), field(keyId + 1, 'value', value, false)],
    },
  })

/** A manifest as Iceberg's writers lay it out. */
export const writeManifest = (
  files: readonly WrittenFile[],
  spec: PartitionSpec,
  typeOf: (partitionFieldId: number) => PrimitiveType,
  options: { version?: 1 | 2 | 3; codec?: Codec } = {},
): Uint8Array => {
  const { version = 2, codec = 'deflate' } = options
  const partition = {
    type: 'record',
    name: 'r102',
    fields: spec.fields.map(({ fieldId, name }) =>
      field(fieldId, name, avroTypeOf(typeOf(fieldId), `f${fieldId}`)),
    ),
  }
  const dataFile = {
    type: 'record',
    name: 'r2',
    fields: [
      ...(version === 1 ? [] : [field(134, 'content', 'int', false)]),
      field(100, 'file_path', 'string', false),
      field(101, 'file_format', 'string', false),
      { name: 'partition', type: partition, 'field-id': 102 },
      field(103, 'record_count', 'long', false),
      field(104, 'file_size_in_bytes', 'long', false),
      intMap(108, 'column_sizes', 117, 'long'),
      intMap(109, 'value_counts', 119, 'long'),
      intMap(110, 'null_value_counts', 121, 'long'),
      intMap(137, 'nan_value_counts', 138, 'long'),
      intMap(125, 'lower_bounds', 126, 'bytes'),
      intMap(128, 'upper_bounds', 129, 'bytes'),
      field(131, 'key_metadata', 'bytes'),
      field(135, 'equality_ids', { type: 'array', items: 'int', 'element-id': 136 }),
      field(143, 'referenced_data_file', 'string'),
      field(144, 'content_offset', 'long'),
      field(145, 'content_size_in_bytes', 'long'),
    ],
  }
  const schema = {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      field(0, 'status', 'int', false),
      field(1, 'snapshot_id', 'long'),
      ...(version === 1 ? [] : [field(3, 'sequence_number', 'long')]),
      { name: 'data_file', type: dataFile, 'field-id': 2 },
    ],
  }
  const records = files.map((file) => ({
    status: file.status ?? 1,
    snapshot_id: file.snapshotId ?? null,
    sequence_number: file.sequenceNumber ?? null,
    data_file: {
      content: file.content ?? 0,
      file_path: file.path,
      file_format: file.format ?? 'PARQUET',
      partition: Object.fromEntries(
        spec.fields.map(({ fieldId, name }) => [
          name,
          avroValueOf(typeOf(fieldId), file.partition?.[fieldId] ?? null),
        ]),
      ),
      record_count: file.records ?? 1n,
      file_size_in_bytes: file.size ?? 100n,
      column_sizes: null,
      value_counts: pairs(file.valueCounts),
      null_value_counts: pairs(file.nullCounts),
      nan_value_counts: pairs(file.nanCounts),
      lower_bounds: pairs(file.lower),
      upper_bounds: pairs(file.upper),
      key_metadata: file.keyMetadata ?? null,
      equality_ids: file.equalityIds ?? null,
      referenced_data_file: file.referencedDataFile ?? null,
      content_offset: file.contentOffset ?? null,
      content_size_in_bytes: file.contentSize ?? null,
    },
  }))
  const metadata = {
    'format-version': String(version),
    'partition-spec-id': String(spec.specId),
    content: (files[0]?.content ?? 0) === 0 ? 'data' : 'deletes',
  }
  return writeAvro(schema, records, { metadata, codec })
}

const pairs = (map: ReadonlyMap<number, unknown> | undefined) =>
  map ? [...map].map(([key, value]) => ({ key, value })) : null

/** A manifest of a list in a test. */
export type WrittenManifest = Pick<ManifestFile, 'path'> &
  Partial<ManifestFile> & { readonly length?: bigint }

export const writeManifestList = (
  manifests: readonly WrittenManifest[],
  version: 1 | 2 | 3 = 2,
): Uint8Array => {
  const schema = {
    type: 'record',
    name: 'manifest_file',
    fields: [
      field(500, 'manifest_path', 'string', false),
      field(501, 'manifest_length', 'long', false),
      field(502, 'partition_spec_id', 'int', false),
      ...(version === 1
        ? []
        : [
            field(517, 'content', 'int', false),
            field(515, 'sequence_number', 'long', false),
            field(516, 'min_sequence_number', 'long', false),
            field(506, 'deleted_files_count', 'int', false),
            field(512, 'added_rows_count', 'long', false),
            field(513, 'existing_rows_count', 'long', false),
            field(514, 'deleted_rows_count', 'long', false),
          ]),
      field(503, 'added_snapshot_id', 'long'),
      // v1 had other names for the counts: fields go by id.
      field(504, version === 1 ? 'added_data_files_count' : 'added_files_count', 'int'),
      field(505, version === 1 ? 'existing_data_files_count' : 'existing_files_count', 'int'),
      field(507, 'partitions', {
        type: 'array',
        'element-id': 508,
        items: {
          type: 'record',
          name: 'r508',
          fields: [
            field(509, 'contains_null', 'boolean', false),
            field(518, 'contains_nan', 'boolean'),
            field(510, 'lower_bound', 'bytes'),
            field(511, 'upper_bound', 'bytes'),
          ],
        },
      }),
    ],
  }
  const records = manifests.map((manifest) => ({
    manifest_path: manifest.path,
    manifest_length: manifest.length ?? 1000n,
    partition_spec_id: manifest.specId ?? 0,
    content: manifest.content === 'deletes' ? 1 : 0,
    sequence_number: manifest.sequenceNumber ?? 1n,
    min_sequence_number: manifest.sequenceNumber ?? 1n,
    deleted_files_count: 0n,
    added_rows_count: 0n,
    existing_rows_count: 0n,
    deleted_rows_count: 0n,
    added_snapshot_id: 1n,
    added_files_count: manifest.liveFiles ?? null,
    added_data_files_count: manifest.liveFiles ?? null,
    existing_files_count: manifest.liveFiles === undefined ? null : 0n,
    existing_data_files_count: manifest.liveFiles === undefined ? null : 0n,
    partitions:
      manifest.partitions?.map((summary) => ({
        contains_null: summary.containsNull,
        contains_nan: summary.containsNaN,
        lower_bound: summary.lower,
        upper_bound: summary.upper,
      })) ?? null,
  }))
  return writeAvro(schema, records)
}
