import {
  ConnectorError,
  type LoadOptions,
  type RunRecord,
  type StagedFile,
  type TableEngine,
} from '@penstock/core'
import { insertRun, selectRuns } from './bookkeeping.ts'
import { describeTable, selectTables } from './catalog.ts'
import { copyQuery } from './copy.ts'
import { type Database, type DuckDBOptions, openDatabase } from './database.ts'
import { type ErrorContext, translateError } from './errors.ts'
import { openExport } from './export/open.ts'
import { selectExportState, storeExportState } from './export/state.ts'
import { interruptible } from './interruptible.ts'
import { runQuery } from './query.ts'
import { createMountedQueries } from './scan/mounts.ts'
import { inferColumns } from './stage/infer.ts'
import { beginTransaction } from './transaction.ts'

/**
 * Opens a DuckDB file (made when it is not there) or `:memory:` as a table engine. One process writes a file at a
 * time. Close the engine when it is no longer used.
 *
 * Throws `conflict` when the file is in use (the message names the process), `config` when it is no DuckDB file or
 * a newer DuckDB or Penstock wrote it, `permission`, `not-found` and `resource` for what the file system says.
 */
export const duckdb = async (path: string, options: DuckDBOptions = {}): Promise<TableEngine> => {
  const database = await openDatabase(path, options)
  const use = createUse(database)
  const mounted = createMountedQueries(database)
  let closing: Promise<void> | undefined
  const open = <Result>(operation: () => Promise<Result>): Promise<Result> =>
    closing
      ? Promise.reject(new ConnectorError('internal', `${path} is closed.`, { code: 'Closed' }))
      : operation()

  const engine: TableEngine = {
    specificationVersion: 1,
    name: 'duckdb',
    location: path,
    capabilities: {
      fileTypes: ['csv', 'ndjson', 'json', 'parquet'],
      streamedFileTypes: ['csv', 'ndjson', 'json', 'parquet'],
    },
    stagingFolder: database.staging.path,
    tables: () => open(() => use('query', selectTables)),
    describe: (table) =>
      open(() => use('query', (connection) => describeTable(connection, database.catalog, table))),
    infer: (files: readonly StagedFile[], inferOptions: InferOptions) =>
      open(() =>
        use('load', (connection) =>
          inferColumns(connection, files, { ...inferOptions, stagingFolder: database.staging.path }),
        ),
      ),
    begin: (beginOptions) => open(() => beginTransaction(database, beginOptions)),
    query: (sql, queryOptions) => open(() => runQuery(database, sql, queryOptions?.signal)),
    queryMounted: (sql, mountOptions) => open(() => mounted.query(sql, mountOptions)),
    copyMounted: (sql, target, copyOptions) => open(() => mounted.copy(sql, target, copyOptions)),
    explainMounted: (sql, mountOptions) => open(() => mounted.explain(sql, mountOptions)),
    copyTo: (sql, target, copyOptions) =>
      open(() => copyQuery(database, sql, target, { ...copyOptions, via: mounted.writable() })),
    openExport: (streams, exportOptions) => open(() => openExport(database, streams, exportOptions)),
    readOnly: database.readOnly,
    exportState: (exportId) =>
      open(async () =>
        (await database.hasBookkeeping())
          ? use('query', (connection) => selectExportState(connection, database.books, exportId))
          : undefined,
      ),
    saveExportState: (exportId, state) =>
      open(async () => {
        await database.ensureBookkeeping()
        await use('load', (connection) => storeExportState(connection, database.books, exportId, state))
      }),
    runs: (runsOptions = {}) =>
      open(async () =>
        (await database.hasBookkeeping())
          ? use('query', (connection) => selectRuns(connection, database.books, runsOptions))
          : [],
      ),
    recordRun: (record: RunRecord) =>
      open(async () => {
        // Best effort: what went wrong with the run itself matters more than its record.
        try {
          if (database.readOnly || !(await database.ensureBookkeeping())) return
          await use('load', (connection) => insertRun(connection, database.books, record))
        } catch {}
      }),
    close: () => {
      closing ??= mounted.close().then(() => database.close())
      return closing
    },
  }
  return Object.freeze(engine)
}

type InferOptions = Pick<LoadOptions, 'schemaPolicy' | 'columnTypes' | 'allText'> & { partial?: boolean }

/** Runs an operation on a connection of its own, with errors in the user's terms. */
const createUse =
  (database: Database) =>
  async <Result>(
    action: ErrorContext['action'],
    operation: (connection: Awaited<ReturnType<Database['connect']>>) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> => {
    const connection = await database.connect()
    try {
      return await interruptible(connection, signal, () => operation(connection))
    } catch (error) {
      throw translateError(error, { action, location: database.location, signal })
    } finally {
      database.disconnect(connection)
    }
  }
