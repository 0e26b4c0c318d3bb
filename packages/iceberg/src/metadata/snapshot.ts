import { type JsonSpan, type JsonValue, membersOf, parseSpan } from '../json/scanner.ts'
import { arrayAt, integerAt, longAt, optionalAt, stringAt } from './json-access.ts'

/** A state of the table. */
export interface Snapshot {
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | undefined
  readonly timestampMs: number
  readonly schemaId: number | undefined
  /** Path of the manifest list; v1 may list its manifests here instead. */
  readonly manifestList: string | undefined
  readonly manifests: readonly string[]
  /** `append`, `overwrite` ... */
  readonly operation: string | undefined
  /** Rows as the writer counted them, not corrected for anything. */
  readonly totalRecords: bigint | undefined
  /** Live data files and the bytes of all live files, by the writer's count. */
  readonly totalDataFiles: bigint | undefined
  readonly totalFilesSize: bigint | undefined
  /** v3: set when the manifest list is encrypted. */
  readonly keyId: string | undefined
}

const wanted = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'timestamp-ms',
  'schema-id',
  'manifest-list',
  'manifests',
  'key-id',
])

const counted = new Set(['operation', 'total-records', 'total-data-files', 'total-files-size'])

/** Of the summary, which may have hundreds of entries, four values are kept. */
export const parseSnapshot = (bytes: Buffer, span: JsonSpan): Snapshot => {
  const members: Record<string, JsonValue> = {}
  const summary: Record<string, JsonValue> = {}
  for (const [key, value] of membersOf(bytes, span.start)) {
    if (wanted.has(key)) members[key] = parseSpan(bytes, value)
    else if (key === 'summary' && bytes[value.start] === 0x7b) {
      for (const [name, entry] of membersOf(bytes, value.start))
        if (counted.has(name)) summary[name] = parseSpan(bytes, entry)
    }
  }
  return {
    snapshotId: longAt(members, 'snapshot-id'),
    parentSnapshotId: optionalAt(members, 'parent-snapshot-id', longAt),
    timestampMs: integerAt(members, 'timestamp-ms'),
    schemaId: optionalAt(members, 'schema-id', integerAt),
    manifestList: optionalAt(members, 'manifest-list', stringAt),
    manifests: (optionalAt(members, 'manifests', arrayAt) ?? []).map(String),
    operation: optionalAt(summary, 'operation', stringAt),
    totalRecords: countAt(summary, 'total-records'),
    totalDataFiles: countAt(summary, 'total-data-files'),
    totalFilesSize: countAt(summary, 'total-files-size'),
    keyId: optionalAt(members, 'key-id', stringAt),
  }
}

/** Counts of the summary are texts. */
const countAt = (summary: Readonly<Record<string, JsonValue>>, key: string): bigint | undefined => {
  const text = summary[key]
  return typeof text === 'string' && /^\d+$/.test(text) ? BigInt(text) : undefined
}
