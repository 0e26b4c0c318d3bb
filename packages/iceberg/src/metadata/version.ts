import { ConnectorError, nearest, type TableVersion } from '@penstock/core'
import { corrupt } from '../errors.ts'
import type { IcebergSchema } from '../types.ts'
import type { Snapshot } from './snapshot.ts'
import type { TableMetadata } from './table-metadata.ts'

/** The state of a table that is read. */
export interface SelectedVersion {
  /** Undefined: the table has no rows. */
  readonly snapshot: Snapshot | undefined
  readonly schema: IcebergSchema
}

/**
 * The snapshot and schema of a version: the current ones where nothing is asked for. A snapshot id, a time or a tag
 * shows the columns of that snapshot; a branch those of the table, as new writes to it would. Throws `not-found` with
 * what there is.
 */
export const selectVersion = (metadata: TableMetadata, at?: TableVersion): SelectedVersion => {
  if (at === undefined) return current(metadata)
  if ('snapshotId' in at) return ofSnapshot(metadata, at.snapshotId)
  if ('timestamp' in at) return ofSnapshot(metadata, snapshotAt(metadata, at.timestamp))
  const ref = metadata.refs.get(at.ref)
  if (ref) {
    const selected = ofSnapshot(metadata, ref.snapshotId)
    return ref.kind === 'tag'
      ? selected
      : { ...selected, schema: schemaById(metadata, metadata.currentSchemaId) }
  }
  // Metadata before v2 has no refs: its only branch is main.
  if (at.ref === 'main') return current(metadata)
  const names = [...metadata.refs.keys()]
  const close = nearest(at.ref, names)
  throw new ConnectorError('not-found', `The table has no branch or tag "${at.ref}".`, {
    hint: close
      ? `Did you mean "${close}"?`
      : `Branches and tags of the table: ${names.join(', ') || 'main'}.`,
  })
}

const current = (metadata: TableMetadata): SelectedVersion => ({
  snapshot: metadata.currentSnapshotId === undefined ? undefined : find(metadata, metadata.currentSnapshotId),
  schema: schemaById(metadata, metadata.currentSchemaId),
})

const ofSnapshot = (metadata: TableMetadata, snapshotId: bigint): SelectedVersion => {
  const snapshot = find(metadata, snapshotId)
  return { snapshot, schema: schemaById(metadata, snapshot.schemaId ?? metadata.currentSchemaId) }
}

const find = (metadata: TableMetadata, snapshotId: bigint): Snapshot => {
  const found = metadata.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId)
  if (found) return found
  throw new ConnectorError('not-found', `The table has no snapshot ${snapshotId}.`, {
    hint: 'It may have expired. `describe` lists the snapshots that there are.',
  })
}

/** The snapshot that was current at that time, after the log of the main branch. */
const snapshotAt = (metadata: TableMetadata, time: Date): bigint => {
  const log =
    metadata.snapshotLog.length > 0
      ? metadata.snapshotLog
      : metadata.snapshots.filter((snapshot) => snapshot.snapshotId === metadata.currentSnapshotId)
  const entry = log.findLast(({ timestampMs }) => timestampMs <= time.getTime())
  if (entry) return entry.snapshotId
  const first = log[0]
  throw new ConnectorError('not-found', `The table has no snapshot as old as ${time.toISOString()}.`, {
    hint: first
      ? `The oldest that is known is of ${new Date(first.timestampMs).toISOString()}.`
      : 'The table has no snapshot at all.',
  })
}

const schemaById = (metadata: TableMetadata, schemaId: number): IcebergSchema => {
  const found = metadata.schemas.find((schema) => schema.schemaId === schemaId)
  if (!found) throw corrupt(metadata.path, `There is no schema ${schemaId}`)
  return found
}
