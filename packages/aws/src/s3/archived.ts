import type { S3Entry } from './access.ts'

const archiveClasses = new Set(['GLACIER', 'DEEP_ARCHIVE'])

/** True for an object that has to be restored before it can be read. Instant retrieval is no archive. */
export const isArchived = (entry: S3Entry): boolean =>
  entry.storageClass !== undefined && archiveClasses.has(entry.storageClass)
