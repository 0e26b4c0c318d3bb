import { gunzipSync } from 'node:zlib'
import { ConnectorError } from '@penstock/core'
import { corrupt, unsupported } from '../errors.ts'
import { itemsOf, type JsonSpan, type JsonValue, membersOf, parseSpan } from '../json/scanner.ts'
import type { IcebergSchema } from '../types.ts'
import { integerAt, longAt, objectOf, optionalAt, stringAt } from './json-access.ts'
import { type NameMapping, parseNameMapping } from './name-mapping.ts'
import { schemaParser } from './schema-json.ts'
import { parseSnapshot, type Snapshot } from './snapshot.ts'
import { type PartitionSpec, parsePartitionSpec } from './spec.ts'

/** A branch or a tag. */
export interface SnapshotRef {
  readonly kind: 'branch' | 'tag'
  readonly snapshotId: bigint
}

/** What reading needs of a table's metadata file, https://iceberg.apache.org/spec/#table-metadata-fields. */
export interface TableMetadata {
  /** Path of the metadata file, for messages. */
  readonly path: string
  readonly formatVersion: 1 | 2 | 3
  readonly uuid: string | undefined
  readonly location: string
  readonly currentSchemaId: number
  readonly schemas: readonly IcebergSchema[]
  readonly specs: ReadonlyMap<number, PartitionSpec>
  readonly defaultSpecId: number
  readonly properties: Readonly<Record<string, string>>
  readonly nameMapping: NameMapping | undefined
  /** Undefined: a table without rows. */
  readonly currentSnapshotId: bigint | undefined
  /** In the order of the file: oldest first. */
  readonly snapshots: readonly Snapshot[]
  readonly snapshotLog: readonly { readonly timestampMs: number; readonly snapshotId: bigint }[]
  readonly refs: ReadonlyMap<string, SnapshotRef>
}

/** A metadata file that unpacks to more than this many bytes is refused. */
const maxMetadataBytes = 1024 * 1024 * 1024

/**
 * Parses a metadata file of format v1 to v3, gzipped or not. The bytes are scanned in place; of each snapshot only the
 * few values that reading needs are kept, so that memory stays near the size of the file. Throws a `data` error that
 * names the file when it is damaged or of a later format.
 */
export const parseTableMetadata = (bytes: Uint8Array, path: string): TableMetadata => {
  try {
    return parseMembers(unpack(bytes, path), path)
  } catch (error) {
    if (ConnectorError.isInstance(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw corrupt(path, `Table metadata can't be understood (${reason})`, error)
  }
}

const unpack = (bytes: Uint8Array, path: string): Buffer => {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    return gunzipSync(bytes, { maxOutputLength: maxMetadataBytes })
  } catch (error) {
    if (error instanceof RangeError)
      throw new ConnectorError('resource', `The metadata in ${path} unpacks to more than 1 GiB.`, {
        place: { object: path },
        hint: 'Expire old snapshots of the table.',
        cause: error,
      })
    throw corrupt(path, 'Gzip data is damaged', error)
  }
}

const parseMembers = (bytes: Buffer, path: string): TableMetadata => {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const spans = new Map<string, JsonSpan>(membersOf(bytes, start))
  const value = (key: string): JsonValue | undefined => {
    const span = spans.get(key)
    return span && parseSpan(bytes, span)
  }
  const items = <T>(key: string, read: (span: JsonSpan) => T): T[] => {
    const span = spans.get(key)
    // An explicit null counts as missing.
    return span && bytes[span.start] !== 0x6e ? [...map(itemsOf(bytes, span.start), read)] : []
  }
  const json = (span: JsonSpan) => parseSpan(bytes, span)
  const scalars = Object.fromEntries(scalarKeys.map((key) => [key, value(key) ?? null]))

  const formatVersion = supportedVersion(integerAt(scalars, 'format-version'), path)
  const parseSchema = schemaParser(bytes)
  const schemas = items('schemas', parseSchema)
  const only = spans.get('schema')
  if (schemas.length === 0 && only) schemas.push(parseSchema(only))
  if (schemas.length === 0) throw new TypeError('"schemas" is missing')
  const specs = items('partition-specs', (span) => parsePartitionSpec(json(span)))
  if (specs.length === 0) specs.push(parsePartitionSpec(value('partition-spec') ?? []))
  const properties = objectOf(value('properties') ?? {}, 'properties') as Readonly<Record<string, string>>
  const currentSnapshotId = optionalAt(scalars, 'current-snapshot-id', longAt)

  return {
    path,
    formatVersion,
    uuid: optionalAt(scalars, 'table-uuid', stringAt),
    location: stringAt(scalars, 'location'),
    currentSchemaId: optionalAt(scalars, 'current-schema-id', integerAt) ?? schemas[0]?.schemaId ?? 0,
    schemas,
    specs: new Map(specs.map((spec) => [spec.specId, spec])),
    defaultSpecId: optionalAt(scalars, 'default-spec-id', integerAt) ?? specs[0]?.specId ?? 0,
    properties,
    nameMapping: parseNameMapping(properties['schema.name-mapping.default']),
    currentSnapshotId: currentSnapshotId === -1n ? undefined : currentSnapshotId,
    snapshots: items('snapshots', (span) => parseSnapshot(bytes, span)),
    snapshotLog: items('snapshot-log', (span) => {
      const entry = objectOf(json(span), 'an entry of snapshot-log')
      return { timestampMs: integerAt(entry, 'timestamp-ms'), snapshotId: longAt(entry, 'snapshot-id') }
    }),
    refs: parseRefs(value('refs')),
  }
}

const scalarKeys = [
  'format-version',
  'table-uuid',
  'location',
  'current-schema-id',
  'default-spec-id',
  'current-snapshot-id',
] as const

const supportedVersion = (version: number, path: string): 1 | 2 | 3 => {
  if (version === 1 || version === 2 || version === 3) return version
  throw unsupported(
    `Iceberg format version ${version} of ${path}`,
    'Versions 1, 2 and 3 can be read. A newer version of this program may know more.',
    path,
  )
}

const parseRefs = (json: JsonValue | undefined): Map<string, SnapshotRef> =>
  new Map(
    Object.entries(objectOf(json ?? {}, 'refs')).map(([name, value]) => {
      const ref = objectOf(value, `refs.${name}`)
      return [name, { kind: ref.type === 'tag' ? 'tag' : 'branch', snapshotId: longAt(ref, 'snapshot-id') }]
    }),
  )

function* map<T, R>(values: Iterable<T>, change: (value: T) => R): Generator<R> {
  for (const value of values) yield change(value)
}
