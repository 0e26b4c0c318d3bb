import type { Predicate, ScanRequest } from '@penstock/core'
import { parseTableMetadata, planScan, selectVersion } from '../../src/index.ts'
import type { ManifestFile } from '../../src/manifest/manifest-list.ts'
import type { PartitionSpec } from '../../src/metadata/spec.ts'
import { describeTransform, parseTransform } from '../../src/transforms/transform.ts'
import { describeIcebergType, type PrimitiveType } from '../../src/types.ts'
import { memoryReader } from '../local-reader.ts'
import type { Codec } from './avro.ts'
import { type WrittenFile, writeManifest, writeManifestList } from './manifests.ts'

export interface TableOfManifest extends Partial<ManifestFile> {
  readonly files: readonly WrittenFile[]
}

export interface TableOfOptions {
  readonly version?: 1 | 2 | 3
  /** Columns with ids from 1. */
  readonly columns?: Readonly<Record<string, PrimitiveType>>
  /** Each spec as `column: transform`, its partition fields with ids from 1000. */
  readonly specs?: readonly Readonly<Record<string, string>>[]
  readonly manifests: readonly TableOfManifest[]
  readonly codec?: Codec
  /** Changes the metadata file. */
  readonly metadata?: object
}

const long: PrimitiveType = { type: 'long' }
const string: PrimitiveType = { type: 'string' }

/** Bounds of a long. */
export const longBound = (value: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

/** A table of given manifests, and scans of it. Its columns are `id` (long) and `region` (string) by default. */
export const tableOf = (options: TableOfOptions) => {
  const { version = 2, columns = { id: long, region: string }, specs = [{}], codec = 'null' } = options
  const names = Object.keys(columns)
  const parsed = specs.map(
    (fields, specId): PartitionSpec => ({
      specId,
      fields: Object.entries(fields).map(([column, transform], index) => ({
        sourceIds: [names.indexOf(column) + 1],
        fieldId: 1000 + index,
        name: `p${index}`,
        transform: parseTransform(transform),
      })),
    }),
  )
  const objects = new Map<string, Uint8Array>()
  const list = options.manifests.map(({ files, ...manifest }, index) => {
    const spec = parsed[manifest.specId ?? 0] ?? { specId: 0, fields: [] }
    const path = `s3://b/m${index}.avro`
    const typeOf = (fieldId: number): PrimitiveType => {
      const field = spec.fields.find((candidate) => candidate.fieldId === fieldId)
      const source = columns[names[(field?.sourceIds[0] ?? 0) - 1] ?? ''] ?? long
      return field?.transform.kind === 'identity' || field?.transform.kind === 'truncate'
        ? source
        : { type: 'int' }
    }
    objects.set(path, writeManifest(files, spec, typeOf, { version, codec }))
    return { path, ...manifest }
  })
  objects.set('s3://b/list.avro', writeManifestList(list, version))
  const json = {
    'format-version': version,
    location: 's3://b',
    'current-schema-id': 0,
    schemas: [
      {
        type: 'struct',
        'schema-id': 0,
        fields: names.map((name, index) => ({
          id: index + 1,
          name,
          required: false,
          type: describeIcebergType(columns[name] ?? long),
        })),
      },
    ],
    'default-spec-id': 0,
    'partition-specs': parsed.map(({ specId, fields }) => ({
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
    ...options.metadata,
  }
  const metadata = parseTableMetadata(Buffer.from(JSON.stringify(json)), 's3://b/v1.metadata.json')
  const reader = memoryReader((path) => {
    const bytes = objects.get(path)
    if (!bytes) throw new Error(`no object ${path}`)
    return bytes
  })
  return {
    metadata,
    reader,
    objects,
    scan: (filter?: Predicate, request: Partial<ScanRequest> = {}) =>
      planScan({
        metadata,
        version: selectVersion(metadata),
        reader,
        request: {
          columns: [['id']],
          signal: new AbortController().signal,
          ...(filter ? { filter } : {}),
          ...request,
        },
      }),
  }
}

/** `column operator value` */
export const where = (
  column: string,
  operator: '=' | '<>' | '<' | '<=' | '>' | '>=',
  value: bigint | string | number,
): Predicate => ({ kind: 'compare', column: [column], operator, value })
