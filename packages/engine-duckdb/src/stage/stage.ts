import type { DuckDBConnection } from '@duckdb/node-api'
import type { Column, LoadProgress, StagedFile, TableSchema } from '@penstock/core'
import { qualifiedTemp, targetSchema } from '../catalog.ts'
import { appendEntry } from '../entries-table.ts'
import { quoteIdentifier, quoteQualified, quoteText } from '../sql.ts'
import { findColumn, isLineage, lineageColumn, type StageColumn } from './columns.ts'
import { badColumn, fileColumn } from './insert.ts'
import { createFileLoader, type LoaderState } from './loader.ts'
import { appendRows } from './rows.ts'
import type { Stage, StageContext, StageOptions } from './types.ts'

/** Makes the stage of one load. The staging table itself is made when its columns are known. */
export const createStage = async (
  connection: DuckDBConnection,
  options: StageOptions,
  context: StageContext,
): Promise<Stage> => {
  const name = `__penstock_stage_${context.ordinal}`
  const filesTable = `__penstock_files_${context.ordinal}`
  const rejectsTable = `__penstock_rejects_${context.ordinal}`
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${filesTable} (ordinal UINTEGER, url VARCHAR, container VARCHAR, key VARCHAR, version VARCHAR, version_id VARCHAR, size BIGINT, modified BIGINT, rows BIGINT, rejected BIGINT)`,
  )
  // Rows that go on into a table that is there are written to it, compressed, once; a stage that becomes the table is
  // written as a table from the start.
  const isTemporary = context.existing !== undefined
  const table = isTemporary ? qualifiedTemp(name) : quoteQualified(targetSchema, name)
  const state: LoaderState = {
    table,
    isTemporary,
    rejectsTable,
    columns: initialColumns(options, context.existing),
    exists: false,
    nextOrdinal: 0,
    nextTag: 0,
    inserted: 0,
    rejected: 0,
    rejectedByFile: new Map(),
    cutFrom: undefined,
  }
  const loader = createFileLoader(connection, options, context, state)
  const progress = (): LoadProgress => ({
    files: state.nextOrdinal,
    rows: state.inserted,
    rejected: state.rejected,
  })
  const materialize = async () => {
    state.columns ??= []
    await loader.createTable()
  }
  return Object.freeze({
    table,
    hiddenColumns: [fileColumn, badColumn],
    filesTable,
    rejectsTable: () => (state.rejected > 0 ? rejectsTable : undefined),
    addFiles: async (files: readonly StagedFile[], { signal }: { signal: AbortSignal }) => {
      signal.throwIfAborted()
      const first = state.nextOrdinal
      await loader.addFiles(files, signal)
      await recordFiles(connection, filesTable, files, first)
      return progress()
    },
    addRows: async (rows: readonly Readonly<Record<string, unknown>>[], schema: TableSchema) => {
      state.columns ??= schema.columns.map(
        ({ name, type }): StageColumn => ({ name, type, kind: 'data', fixed: true }),
      )
      await loader.createTable()
      const room = options.limitRows === undefined ? rows.length : options.limitRows - state.inserted
      state.inserted += await appendRows(connection, table, rows.slice(0, room), state.columns)
      return progress()
    },
    schema: (): TableSchema => ({
      columns: (state.columns ?? []).map(
        ({ name, type }): Column => ({ name, type: type ?? { type: 'string' }, nullable: true }),
      ),
    }),
    full: () => options.limitRows !== undefined && state.inserted + state.rejected >= options.limitRows,
    counts: () => ({
      rowsRead: state.inserted + state.rejected,
      rowsLoaded: state.inserted,
      rowsRejected: state.rejected,
    }),
    materialize,
    seal: async () => {
      await materialize()
      loader.checkBudget(true)
      await countRows(connection, filesTable, state)
    },
    drop: async () => {
      for (const table of [state.table, qualifiedTemp(filesTable), qualifiedTemp(rejectsTable)])
        await connection.run(`DROP TABLE IF EXISTS ${table}`)
    },
  })
}

/** Columns that are known before any file: those of the table, or of the user's schema. */
const initialColumns = (
  options: StageOptions,
  existing: TableSchema | undefined,
): StageColumn[] | undefined => {
  if (options.mode !== 'full' && existing) {
    const columns = existing.columns.map(
      ({ name, type }): StageColumn =>
        isLineage(name) ? lineageColumn(name) : { name, type, kind: 'data', fixed: false },
    )
    for (const name of options.lineage ?? [])
      if (!findColumn(columns, name)) columns.push(lineageColumn(name))
    return columns
  }
  if (options.schemaPolicy !== 'freeze') return undefined
  const given = Object.entries(options.columnTypes ?? {}).map(
    ([name, type]): StageColumn => ({ name, type, kind: 'data', fixed: true }),
  )
  return [...given, ...(options.lineage ?? []).map(lineageColumn)]
}

const recordFiles = async (
  connection: DuckDBConnection,
  filesTable: string,
  files: readonly StagedFile[],
  first: number,
): Promise<void> => {
  const appender = await connection.createAppender(filesTable, 'main', 'temp')
  for (const [index, { entry, url }] of files.entries()) {
    appender.appendUInteger(first + index)
    appender.appendVarchar(url)
    appendEntry(appender, entry)
    appender.appendBigInt(0n)
    appender.appendBigInt(0n)
    appender.endRow()
  }
  appender.closeSync()
}

/**
 * Fills in the rows and rejects of each file. A file that a limit cut gets a version of its own: the ledger then
 * knows it as read in part, and a later delta says so instead of doubling or losing rows.
 */
const countRows = async (
  connection: DuckDBConnection,
  filesTable: string,
  state: LoaderState,
): Promise<void> => {
  await connection.run(
    `UPDATE temp.${filesTable} SET rows = counted.rows FROM
       (SELECT ${quoteIdentifier(fileColumn)} AS ordinal, count(*) AS rows FROM ${state.table} GROUP BY 1) counted
     WHERE ${filesTable}.ordinal = counted.ordinal`,
  )
  const rejects = [...state.rejectedByFile].map(([ordinal, count]) => `(${ordinal}, ${count})`)
  if (rejects.length > 0)
    await connection.run(
      `UPDATE temp.${filesTable} SET rejected = counted.count FROM (VALUES ${rejects.join(', ')}) counted(ordinal, count)
       WHERE ${filesTable}.ordinal = counted.ordinal`,
    )
  if (state.cutFrom !== undefined)
    await connection.run(
      `UPDATE temp.${filesTable} SET version = ${quoteText('partial:')} || version WHERE ordinal >= ${state.cutFrom}`,
    )
}
