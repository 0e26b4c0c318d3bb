import { openAvro } from '../avro/container.ts'
import type { DecodedRecord, Shape } from '../avro/record.ts'
import { readRecords } from '../avro/records.ts'
import { corrupt, unsupported } from '../errors.ts'
import type { Value } from '../values/value.ts'
import { bytesOf, listOf, longOf, mapOf, optionally, recordOf, textOf } from './fields.ts'
import type { ManifestFile } from './manifest-list.ts'

/** Counts and bounds by field id, of the fields that were asked for. */
export interface FileMetrics {
  readonly valueCounts: ReadonlyMap<number, bigint>
  readonly nullCounts: ReadonlyMap<number, bigint>
  readonly nanCounts: ReadonlyMap<number, bigint>
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>
  readonly upperBounds: ReadonlyMap<number, Uint8Array>
}

/** A live data or delete file of a manifest, https://iceberg.apache.org/spec/#manifests. */
export interface TableFile {
  readonly content: 'data' | 'position-deletes' | 'equality-deletes'
  readonly path: string
  /** `parquet`, `avro`, `orc`, `puffin`. */
  readonly format: string
  readonly specId: number
  /** Values by the id of the partition field, as the manifest has them. */
  readonly partition: Readonly<Record<number, Value | null>>
  /** Rows; negative or undefined where an old writer did not know. */
  readonly recordCount: bigint
  /** Bytes. */
  readonly size: number
  readonly dataSequenceNumber: bigint
  readonly metrics: FileMetrics
  readonly equalityIds: readonly number[]
  readonly referencedDataFile: string | undefined
  /** Of a deletion vector within its Puffin file. */
  readonly contentOffset: number | undefined
  readonly contentSize: number | undefined
}

/** What {@link readManifest} gives. */
export interface ManifestContents {
  readonly specId: number
  files(): Generator<TableFile>
}

const value: Shape = { kind: 'value' }

const shapeOf = (metricIds: ReadonlySet<number>): Shape => {
  const metrics: Shape = { kind: 'int-map', keys: metricIds, value }
  return {
    kind: 'record',
    fields: {
      0: ['status', value],
      3: ['sequenceNumber', value],
      2: [
        'file',
        {
          kind: 'record',
          fields: {
            134: ['content', value],
            100: ['path', value],
            101: ['format', value],
            102: ['partition', { kind: 'by-id' }],
            103: ['recordCount', value],
            104: ['size', value],
            109: ['valueCounts', metrics],
            110: ['nullCounts', metrics],
            137: ['nanCounts', metrics],
            125: ['lowerBounds', metrics],
            128: ['upperBounds', metrics],
            131: ['keyMetadata', value],
            135: ['equalityIds', { kind: 'list', item: value }],
            143: ['referencedDataFile', value],
            144: ['contentOffset', value],
            145: ['contentSize', value],
          },
        },
      ],
    },
  }
}

const statuses = { existing: 0n, added: 1n, deleted: 2n } as const

/**
 * The live files of a manifest, one at a time, with metrics of the given fields alone. What an entry does not say it
 * inherits from the manifest. Throws a `data` error that names the manifest.
 */
export const readManifest = (
  bytes: Uint8Array,
  manifest: ManifestFile,
  metricIds: ReadonlySet<number>,
): ManifestContents => {
  const { path } = manifest
  const file = openAvro(bytes, path)
  const specId = manifest.specId ?? Number(file.header.metadata.get('partition-spec-id') ?? 0)
  const formatVersion = file.header.metadata.get('format-version')
  return {
    specId,
    *files() {
      for (const record of readRecords(file, path, shapeOf(metricIds))) {
        let found: TableFile | undefined
        try {
          found = fileOf(record, manifest, formatVersion, specId)
        } catch (error) {
          if (!(error instanceof TypeError)) throw error
          throw corrupt(path, `An entry of the manifest is wrong (${error.message})`, error)
        }
        if (found) yield found
      }
    },
  }
}

const fileOf = (
  entry: DecodedRecord,
  manifest: ManifestFile,
  formatVersion: string | undefined,
  specId: number,
): TableFile | undefined => {
  const status = longOf(entry, 'status')
  if (status === statuses.deleted) return undefined
  const file = recordOf(entry, 'file')
  const path = textOf(file, 'path')
  if (file.keyMetadata instanceof Uint8Array)
    throw unsupported(`The encrypted file ${path}`, 'Tables without encryption can be read.', path)
  return {
    content: contents[Number(optionally(file, 'content', longOf) ?? 0n)] ?? wrongContent(),
    path,
    format: textOf(file, 'format').toLowerCase(),
    specId,
    partition: recordOf(file, 'partition') as Readonly<Record<number, Value | null>>,
    recordCount: longOf(file, 'recordCount'),
    size: Number(longOf(file, 'size')),
    dataSequenceNumber: sequenceNumber(entry, status, manifest, formatVersion),
    metrics: {
      valueCounts: counts(file, 'valueCounts'),
      nullCounts: counts(file, 'nullCounts'),
      nanCounts: counts(file, 'nanCounts'),
      lowerBounds: bounds(file, 'lowerBounds'),
      upperBounds: bounds(file, 'upperBounds'),
    },
    equalityIds: (optionally(file, 'equalityIds', listOf) ?? []).map(Number),
    referencedDataFile: optionally(file, 'referencedDataFile', textOf),
    contentOffset: numberOf(optionally(file, 'contentOffset', longOf)),
    contentSize: numberOf(optionally(file, 'contentSize', longOf)),
  }
}

const contents = ['data', 'position-deletes', 'equality-deletes'] as const

const wrongContent = (): never => {
  throw new TypeError('"content" is neither data nor deletes')
}

const numberOf = (value: bigint | undefined): number | undefined =>
  value === undefined ? undefined : Number(value)

/**
 * Inherited only by what the manifest added: an entry that was carried along must say when its data came. Manifests
 * of v1 have no such field, and are as old as can be.
 */
const sequenceNumber = (
  entry: DecodedRecord,
  status: bigint,
  manifest: ManifestFile,
  formatVersion: string | undefined,
): bigint => {
  if (formatVersion === '1' || entry.sequenceNumber === undefined) return 0n
  const own = optionally(entry, 'sequenceNumber', longOf)
  if (own !== undefined) return own
  if (status === statuses.added) return manifest.sequenceNumber
  throw new TypeError('an existing file has no sequence number')
}

const none: ReadonlyMap<number, never> = new Map<number, never>()

const counts = (file: DecodedRecord, name: string): ReadonlyMap<number, bigint> =>
  (optionally(file, name, mapOf) ?? none) as ReadonlyMap<number, bigint>

const bounds = (file: DecodedRecord, name: string): ReadonlyMap<number, Uint8Array> => {
  const map = optionally(file, name, mapOf)
  if (!map) return none
  for (const bytes of map.values()) if (!(bytes instanceof Uint8Array)) bytesOf(file, name)
  return map as ReadonlyMap<number, Uint8Array>
}
