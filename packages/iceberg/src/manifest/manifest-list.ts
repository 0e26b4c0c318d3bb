import { openAvro } from '../avro/container.ts'
import type { DecodedRecord, Shape } from '../avro/record.ts'
import { readRecords } from '../avro/records.ts'
import { corrupt, unsupported } from '../errors.ts'
import { bytesOf, isRecord, listOf, longOf, optionally, textOf } from './fields.ts'

/** What a manifest's entries have as values of one partition field. */
export interface PartitionSummary {
  readonly containsNull: boolean
  /** Undefined: not known. */
  readonly containsNaN: boolean | undefined
  /** Bytes of the bounds; undefined when all values are null or NaN. */
  readonly lower: Uint8Array | undefined
  readonly upper: Uint8Array | undefined
}

/** An entry of a manifest list, https://iceberg.apache.org/spec/#manifest-lists. */
export interface ManifestFile {
  readonly path: string
  /** Undefined for manifests that v1 lists inline: the manifest itself tells. */
  readonly specId: number | undefined
  readonly content: 'data' | 'deletes'
  readonly sequenceNumber: bigint
  /** Entries that are not deleted; undefined where the writer did not count. */
  readonly liveFiles: bigint | undefined
  readonly partitions: readonly PartitionSummary[] | undefined
}

const value: Shape = { kind: 'value' }

const shape: Shape = {
  kind: 'record',
  fields: {
    500: ['path', value],
    502: ['specId', value],
    517: ['content', value],
    515: ['sequenceNumber', value],
    504: ['added', value],
    505: ['existing', value],
    519: ['keyMetadata', value],
    507: [
      'partitions',
      {
        kind: 'list',
        item: {
          kind: 'record',
          fields: {
            509: ['containsNull', value],
            518: ['containsNaN', value],
            510: ['lower', value],
            511: ['upper', value],
          },
        },
      },
    ],
  },
}

/** The manifests of a snapshot. Throws a `data` error that names the file. */
export const readManifestList = (bytes: Uint8Array, path: string): ManifestFile[] => {
  const manifests: ManifestFile[] = []
  for (const record of readRecords(openAvro(bytes, path), path, shape)) {
    if (record.keyMetadata instanceof Uint8Array)
      throw unsupported(`The encrypted manifest list ${path}`, 'Tables without encryption can be read.', path)
    try {
      manifests.push(manifestOf(record))
    } catch (error) {
      throw corrupt(path, `An entry of the manifest list is wrong (${(error as Error).message})`, error)
    }
  }
  return manifests
}

const manifestOf = (record: DecodedRecord): ManifestFile => {
  const added = optionally(record, 'added', longOf)
  const existing = optionally(record, 'existing', longOf)
  const partitions = optionally(record, 'partitions', listOf)
  return {
    path: textOf(record, 'path'),
    specId: Number(longOf(record, 'specId')),
    content: optionally(record, 'content', longOf) === 1n ? 'deletes' : 'data',
    sequenceNumber: optionally(record, 'sequenceNumber', longOf) ?? 0n,
    // A count that v1 leaves out stands for "some".
    liveFiles: added === undefined || existing === undefined ? undefined : added + existing,
    partitions: partitions?.filter(isRecord).map(summaryOf),
  }
}

const summaryOf = (record: DecodedRecord): PartitionSummary => ({
  containsNull: record.containsNull !== false,
  containsNaN: typeof record.containsNaN === 'boolean' ? record.containsNaN : undefined,
  lower: optionally(record, 'lower', bytesOf),
  upper: optionally(record, 'upper', bytesOf),
})

/** A manifest that a v1 snapshot lists without a manifest list. */
export const inlineManifest = (path: string): ManifestFile => ({
  path,
  specId: undefined,
  content: 'data',
  sequenceNumber: 0n,
  liveFiles: undefined,
  partitions: undefined,
})
