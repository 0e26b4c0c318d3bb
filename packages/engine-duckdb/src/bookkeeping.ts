import { createRequire } from 'node:module'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ConnectorError, type RunRecord } from '@penstock/core'
import { firstRow, quoteQualified, quoteText, rowsOf } from './sql.ts'

/** Layout of the schema `_penstock`. Raised when an older Penstock could no longer read or extend it rightly. */
const bookkeepingFormat = 1

/** Schema that holds what Penstock remembers of a database. Users may read it. */
const bookkeepingSchema = '_penstock'

const { version: penstockVersion } = createRequire(import.meta.url)('../package.json') as { version: string }

/** Fully qualified, quoted names: a database file may be called `_penstock` too. */
export interface Bookkeeping {
  /** One row: format, and the Penstock that wrote it. */
  readonly meta: string
  /** One row per loaded table; its generation is what two writers of one table collide on. */
  readonly tables: string
  /** One row per object version whose rows are in a table. */
  readonly ledger: string
  readonly cursors: string
  /** Run records, the last one of a run counts. */
  readonly runs: string
  /** One row per export: its cursors, and what it is about to write. */
  readonly exports: string
  readonly schema: string
}

export const bookkeepingOf = (catalog: string): Bookkeeping => {
  const name = (table: string) => quoteQualified(catalog, bookkeepingSchema, table)
  return Object.freeze({
    meta: name('meta'),
    tables: name('tables'),
    ledger: name('ledger'),
    cursors: name('cursors'),
    runs: name('runs'),
    exports: name('exports'),
    schema: quoteQualified(catalog, bookkeepingSchema),
  })
}

/**
 * Name under which the books keep a table. DuckDB takes names that differ by the case of ASCII letters for the
 * same, so they are folded the same way.
 */
export const tableKey = (table: string): string => table.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** Whether the database has books. Throws `config` when a newer Penstock wrote them. */
export const hasBookkeeping = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  location: string,
): Promise<boolean> => {
  const present = await firstRow(
    connection,
    `SELECT 1 FROM duckdb_tables() WHERE database_name = current_database()
       AND schema_name = ${quoteText(bookkeepingSchema)} AND table_name = 'meta'`,
  )
  if (!present) return false
  const meta = await firstRow(connection, `SELECT format, written_by FROM ${books.meta} ORDER BY format DESC`)
  if (!meta) return false
  const [format, writtenBy] = meta
  if (Number(format) > bookkeepingFormat)
    throw new ConnectorError(
      'config',
      `${location} was written by Penstock ${String(writtenBy)} (format ${String(format)}); this is Penstock ${penstockVersion}, which knows formats up to ${bookkeepingFormat}.`,
      { code: 'NewerDatabase', hint: `Use Penstock ${String(writtenBy)} or a later one.` },
    )
  return true
}

/** Makes the books, in a transaction of their own. */
export const createBookkeeping = async (connection: DuckDBConnection, books: Bookkeeping): Promise<void> => {
  await connection.run('BEGIN')
  try {
    for (const statement of [
      `CREATE SCHEMA IF NOT EXISTS ${books.schema}`,
      `CREATE TABLE ${books.meta} (format INTEGER NOT NULL, written_by VARCHAR NOT NULL)`,
      `CREATE TABLE ${books.tables} (
         table_name VARCHAR PRIMARY KEY, generation BIGINT NOT NULL, run_id VARCHAR NOT NULL,
         loaded_at TIMESTAMP WITH TIME ZONE NOT NULL)`,
      // No index: a listing is compared in one hash join, and an index would cost every load.
      `CREATE TABLE ${books.ledger} (
         table_name VARCHAR NOT NULL, container VARCHAR NOT NULL, key VARCHAR NOT NULL, version VARCHAR NOT NULL,
         version_id VARCHAR, size BIGINT NOT NULL, modified BIGINT NOT NULL, url VARCHAR NOT NULL,
         rows BIGINT NOT NULL, rejected BIGINT NOT NULL, current BOOLEAN NOT NULL,
         run_id VARCHAR NOT NULL, loaded_at TIMESTAMP WITH TIME ZONE NOT NULL)`,
      `CREATE TABLE ${books.cursors} (
         table_name VARCHAR PRIMARY KEY, cursor VARCHAR NOT NULL, run_id VARCHAR NOT NULL,
         saved_at TIMESTAMP WITH TIME ZONE NOT NULL)`,
      `CREATE TABLE ${books.runs} (
         run_id VARCHAR NOT NULL, started_at VARCHAR NOT NULL, status VARCHAR NOT NULL, record VARCHAR NOT NULL,
         recorded_at TIMESTAMP WITH TIME ZONE NOT NULL)`,
      `INSERT INTO ${books.meta} VALUES (${bookkeepingFormat}, ${quoteText(penstockVersion)})`,
    ])
      await connection.run(statement)
    await connection.run('COMMIT')
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Adds a run record. Records are only added, so that two runs at once never collide on them. */
export const insertRun = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  record: RunRecord,
): Promise<void> => {
  await connection.run(`INSERT INTO ${books.runs} VALUES ($1, $2, $3, $4, now())`, [
    record.runId,
    record.startedAt,
    record.status,
    JSON.stringify(record),
  ])
}

/** Last record of each run, newest run first. */
export const selectRuns = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  options: { limit?: number; runId?: string },
): Promise<readonly RunRecord[]> => {
  const rows = await rowsOf(
    connection,
    `SELECT arg_max(record, added), min(started_at) AS started, max(added) AS last
     FROM (SELECT *, rowid AS added FROM ${books.runs}
           ${options.runId === undefined ? '' : `WHERE run_id = ${quoteText(options.runId)}`})
     GROUP BY run_id ORDER BY started DESC, last DESC
     ${options.limit === undefined ? '' : `LIMIT ${Math.max(0, Math.floor(options.limit))}`}`,
  )
  return rows.map(([record]) => JSON.parse(String(record)) as RunRecord)
}

/**
 * Claims a table for this transaction. Of two transactions that load the same table, the second fails here or at
 * its commit, with a `conflict`: without it both would append the same objects.
 */
export const claimTable = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  claim: { table: string; runId: string },
): Promise<void> => {
  const key = tableKey(claim.table)
  const updated = await connection.run(
    `UPDATE ${books.tables} SET generation = generation + 1, run_id = $2, loaded_at = now() WHERE table_name = $1`,
    [key, claim.runId],
  )
  if (updated.rowsChanged === 0)
    await connection.run(`INSERT INTO ${books.tables} VALUES ($1, 1, $2, now())`, [key, claim.runId])
}

export const selectCursor = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  table: string,
): Promise<string | undefined> => {
  const row = await firstRow(
    connection,
    `SELECT cursor FROM ${books.cursors} WHERE table_name = ${quoteText(tableKey(table))}`,
  )
  return row && String(row[0])
}

export const upsertCursor = async (
  connection: DuckDBConnection,
  books: Bookkeeping,
  row: { table: string; cursor: string; runId: string },
): Promise<void> => {
  await connection.run(`INSERT OR REPLACE INTO ${books.cursors} VALUES ($1, $2, $3, now())`, [
    tableKey(row.table),
    row.cursor,
    row.runId,
  ])
}
