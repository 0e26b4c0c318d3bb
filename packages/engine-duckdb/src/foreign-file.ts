import { open, stat } from 'node:fs/promises'
import { ConnectorError } from '@penstock/core'

/** Newest storage version that this DuckDB reads (its message about a newer file says so). */
const newestStorageVersion = 67n

/** First bytes of files that are taken for a database by mistake. */
const formats: readonly (readonly [string, string])[] = [
  ['SQLite format 3', 'an SQLite database'],
  ['PAR1', 'a Parquet file'],
  ['\x1f\x8b', 'a gzip file'],
  ['(\xb5/\xfd', 'a Zstandard file'],
  ['PK\x03\x04', 'a ZIP file'],
]

/**
 * What the first bytes of a file say about why DuckDB did not open it: another format, or a newer version. Undefined
 * where they say nothing. Only for a file that no engine of this process has open: closing any handle of it would
 * drop the lock that the process holds on it (fcntl locks belong to a process, not to a handle).
 */
export const explainFile = async (
  path: string,
  location: string,
  failure: unknown,
): Promise<ConnectorError | undefined> => {
  if (/different configuration|Could not set lock/.test(String(failure))) return undefined
  const header = await readHeader(path)
  if (!header) return undefined
  const text = header.toString('latin1')
  const isDuckDB = text.slice(8, 12) === 'DUCK'
  if (isDuckDB && header.length >= 84 && header.readBigUInt64LE(12) > newestStorageVersion) {
    const writer = text.slice(52, 84).replace(/\0.*$/s, '') || 'of a later version'
    return new ConnectorError(
      'config',
      `${location} was written by DuckDB ${writer}, which is newer than the one that this version of Penstock has.`,
      { code: 'NewerDatabase', hint: 'Update Penstock.', cause: failure },
    )
  }
  if (isDuckDB) return undefined
  const format = text === '' ? 'an empty file' : formats.find(([magic]) => text.startsWith(magic))?.[1]
  return new ConnectorError('config', `${location} is ${format ? `${format}, ` : ''}not a DuckDB database.`, {
    code: 'NotADatabase',
    hint: 'Give the path of a DuckDB file, or of a file that does not exist yet.',
    cause: failure,
  })
}

/** Undefined where there is no file, or it can't be read. */
const readHeader = async (path: string): Promise<Buffer | undefined> => {
  try {
    if (!(await stat(path)).isFile()) return undefined
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(84), 0, 84, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    return undefined
  }
}
