import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { ByteRange, RangedFile } from '@penstock/core'
import type { RangeCache } from '../fetch/cache.ts'
import type { Transport } from '../fetch/transport.ts'

/** What the scans of one query share. */
export interface ScanContext {
  readonly transport: Transport
  readonly cache: RangeCache
  readonly signal: AbortSignal
  /** `plan`: it is only shown. */
  readonly purpose: 'plan' | 'run'
  /**
   * Bytes of disk left for files that are made while they are planned, of all tables together; 0 where nothing may be
   * but the plan. See {@link takeAhead}.
   */
  readonly ahead: { bytes: number }
  /** Path of a local file that does not exist yet. */
  readonly nextPath: (suffix: string) => string
  /** Runs SQL of the engine itself on a connection of its own. */
  readonly use: <Result>(operation: (connection: DuckDBConnection) => Promise<Result>) => Promise<Result>
  readonly counts: { cacheHits: number; bytesFromCache: number }
  /** Ranges that a cache may keep once the query has ended well. */
  readonly keep: (entry: {
    readonly path: string
    readonly position: number
    readonly file: RangedFile
    readonly range: ByteRange
  }) => void
}

/** Takes bytes of what may be brought to the disk beforehand; false, and nothing is taken, where they do not fit. */
export const takeAhead = ({ ahead }: Pick<ScanContext, 'ahead'>, bytes: number): boolean => {
  if (bytes > ahead.bytes) return false
  ahead.bytes -= bytes
  return true
}

/** Files that are worked on at once. */
export const filesAtOnce = 128

/** Numbered paths in a folder. */
export const createPaths = (folder: string) => {
  let ordinal = 0
  return (suffix: string): string => join(folder, `${ordinal++}${suffix}`)
}
