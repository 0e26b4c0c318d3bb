import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api'
import type { FileEntry } from '@penstock/core'
import { qualifiedTemp } from './catalog.ts'

/** A TEMP table of file entries that is filled from JavaScript. */
export interface EntriesTable {
  /** Qualified name, for SQL. */
  readonly name: string
  append(entries: readonly FileEntry[]): void
  close(): void
}

/**
 * Makes a TEMP table (ordinal, container, key, version, version_id, size, modified). The appender writes
 * value by value: that is three times as fast as chunks of converted columns, 1 µs an entry.
 */
export const createEntriesTable = async (
  connection: DuckDBConnection,
  table: string,
): Promise<EntriesTable> => {
  const name = qualifiedTemp(table)
  await connection.run(
    `CREATE TEMP TABLE ${name} (ordinal BIGINT, container VARCHAR, key VARCHAR, version VARCHAR,
       version_id VARCHAR, size BIGINT, modified BIGINT)`,
  )
  const appender = await connection.createAppender(table, 'main', 'temp')
  let ordinal = 0n
  return {
    name,
    append: (entries) => {
      for (const entry of entries) {
        appender.appendBigInt(ordinal++)
        appendEntry(appender, entry)
        appender.endRow()
      }
      appender.flushSync()
    },
    close: () => appender.closeSync(),
  }
}

/** Appends the columns {@link entryColumns} of an entry. */
export const appendEntry = (appender: DuckDBAppender, entry: FileEntry): void => {
  appender.appendVarchar(entry.container)
  appender.appendVarchar(entry.key)
  appender.appendVarchar(entry.version)
  if (entry.versionId === undefined) appender.appendNull()
  else appender.appendVarchar(entry.versionId)
  appender.appendBigInt(BigInt(entry.size))
  appender.appendBigInt(BigInt(Math.trunc(entry.modified)))
}

/** Columns of a {@link FileEntry}, in the order that {@link entryOf} reads. */
export const entryColumns = 'container, key, version, version_id, size, modified'

export const entryOf = (row: readonly unknown[]): FileEntry => {
  const [container, key, version, versionId, size, modified] = row
  return {
    container: String(container),
    key: String(key),
    version: String(version),
    ...(versionId !== null && versionId !== undefined && { versionId: String(versionId) }),
    size: Number(size),
    modified: Number(modified),
  }
}
