import { randomUUID } from 'node:crypto'
import { copyFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StatementType } from '@duckdb/node-api'
import { ConnectorError } from '@penstock/core'
import type { Database } from './database.ts'
import { interruptible } from './interruptible.ts'
import { queryError } from './missing-table.ts'
import { plainSession, prepareOne, type QuerySession } from './query.ts'
import { quoteText } from './sql.ts'

const copyFormats = {
  csv: 'FORMAT csv, HEADER true',
  json: 'FORMAT json',
  parquet: 'FORMAT parquet, COMPRESSION zstd',
} as const

/** View that stands for the user's query in COPY, which can't be broken out of by brackets or comments. */
const copyView = '__penstock_copy'

export interface CopyOptions {
  readonly type: keyof typeof copyFormats
  readonly signal?: AbortSignal | undefined
  readonly session?: QuerySession
  /** Folder that DuckDB writes to, where it may not write to others: the file is moved from there. */
  readonly via?: string | undefined
}

/**
 * Lets DuckDB write the result of a query to a local file; `json` is one object a line. A file that was there before is
 * replaced when all is written.
 */
export const copyQuery = async (
  database: Database,
  sql: string,
  path: string,
  options: CopyOptions,
): Promise<{ rows: number; bytes: number }> => {
  const { signal, session = plainSession } = options
  const target = resolve(path)
  const unfinished = join(dirname(target), `tmp_${basename(target)}`)
  const written = options.via === undefined ? unfinished : join(options.via, `copy-${randomUUID()}`)
  const connection = await database.connect()
  try {
    const rows = await interruptible(connection, signal, async () => {
      await session.begin(connection)
      await connection.run('BEGIN TRANSACTION READ ONLY')
      const query = await prepareOne(connection, sql)
      const isSelect = query.statementType === StatementType.SELECT
      query.destroySync()
      if (!isSelect)
        throw new ConnectorError('config', 'Only the result of a SELECT can be written to a file.', {
          code: 'InvalidSql',
        })
      await connection.run(`CREATE TEMP VIEW ${copyView} AS ${sql}`)
      const copied = await connection.run(
        `COPY (FROM temp.${copyView}) TO ${quoteText(written)} (${copyFormats[options.type]}, USE_TMP_FILE false)`,
      )
      return copied.rowsChanged
    })
    if (written !== unfinished) await move(written, unfinished)
    await rename(unfinished, target)
    return { rows, bytes: (await stat(target)).size }
  } catch (error) {
    await rm(written, { force: true })
    await rm(unfinished, { force: true })
    throw await queryError(database, error, { action: 'query', location: target, signal })
  } finally {
    database.disconnect(connection)
    await session.end()
  }
}

/** A rename, or a copy where the two folders are on different disks. */
const move = async (from: string, to: string): Promise<void> => {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to)
    await rm(from, { force: true })
  }
}
