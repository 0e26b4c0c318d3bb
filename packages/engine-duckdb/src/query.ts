import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBPreparedStatement,
  DuckDBResult,
} from '@duckdb/node-api'
import { ConnectorError, type QueryColumn, type QueryResult } from '@penstock/core'
import type { Database } from './database.ts'
import { throwIfCancelled, translateError } from './errors.ts'
import { interruptible } from './interruptible.ts'
import { logicalType } from './logical-types.ts'
import { queryError } from './missing-table.ts'
import { plainValue } from './values.ts'

/** What surrounds a query on its connection. */
export interface QuerySession {
  /** Before the transaction begins. */
  begin(connection: DuckDBConnection): Promise<void>
  /** When the connection is given back, however the query ended. Never throws. */
  end(): Promise<void>
}

export const plainSession: QuerySession = { begin: async () => {}, end: async () => {} }

export interface OpenQuery {
  readonly result: QueryResult
  /** Ends the query, read or not. Safe to call at any time. */
  close(): Promise<void>
}

/** Runs one statement in a read-only transaction and streams its rows. */
export const runQuery = async (
  database: Database,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<QueryResult> => (await openQuery(database, sql, signal)).result

/**
 * Begins a query. The connection is given back when the rows are read to the end, their iteration is left, the query
 * fails, or it is closed. `eager`: the first rows are there when it resolves, and so is the error of a query that fails
 * before them.
 */
export const openQuery = async (
  database: Database,
  sql: string,
  signal: AbortSignal | undefined,
  options: { readonly session?: QuerySession; readonly eager?: boolean } = {},
): Promise<OpenQuery> => {
  const { session = plainSession, eager = false } = options
  const context = { action: 'query' as const, location: database.location, signal }
  const connection = await database.connect()
  let close = async () => {
    database.disconnect(connection)
    await session.end()
  }
  try {
    const result = await interruptible(connection, signal, async () => {
      await session.begin(connection)
      await connection.run('BEGIN TRANSACTION READ ONLY')
      const statement = await prepareOne(connection, sql)
      try {
        return await statement.stream()
      } finally {
        statement.destroySync()
      }
    })
    close = createClose(database, connection, result, session)
    const query = { result, connection, sql }
    const first = eager ? await nextRows(query, signal) : undefined
    return Object.freeze({
      result: Object.freeze({
        columns: columnsOfResult(result),
        rows: once(() => streamRows(query, eager ? { chunk: first } : undefined, context, close)),
      }),
      close,
    })
  } catch (error) {
    await close()
    throw await queryError(database, error, context)
  }
}

/**
 * Gives a query's connection back, once. A result that is not read to its end keeps the database, and so the lock of
 * its file, until JavaScript collects it: what is left is interrupted and fetched.
 */
const createClose = (
  database: Database,
  connection: DuckDBConnection,
  result: DuckDBResult,
  session: QuerySession,
) => {
  let closing: Promise<void> | undefined
  const close = async () => {
    unregister()
    try {
      do connection.interrupt()
      while (await fetchRows(result))
    } catch {
      // The interrupt arrived.
    }
    database.disconnect(connection)
    await session.end()
  }
  const closeOnce = () => {
    closing ??= close()
    return closing
  }
  const unregister = database.onClose(closeOnce)
  return closeOnce
}

/** The next chunk of a streamed result; undefined at its end, and where it broke off: see {@link refuseCut}. */
export const fetchRows = async (result: DuckDBResult): Promise<DuckDBDataChunk | undefined> => {
  const chunk = await result.fetchChunk()
  return chunk && chunk.rowCount > 0 ? chunk : undefined
}

export const columnsOfResult = (result: DuckDBResult): QueryColumn[] =>
  result.columnNames().map((name, index) => ({ name, type: logicalType(result.columnType(index)) }))

interface RunningQuery {
  readonly result: DuckDBResult
  readonly connection: DuckDBConnection
  readonly sql: string
}

/** The next rows; undefined at the end, which is proved to be one. */
const nextRows = async (
  query: RunningQuery,
  signal: AbortSignal | undefined,
): Promise<DuckDBDataChunk | undefined> => {
  const chunk = await interruptible(query.connection, signal, () => fetchRows(query.result))
  if (!chunk) await refuseCut(query, signal)
  return chunk
}

async function* streamRows(
  query: RunningQuery,
  fetched: { readonly chunk: DuckDBDataChunk | undefined } | undefined,
  context: Parameters<typeof translateError>[1],
  close: () => Promise<void>,
): AsyncGenerator<readonly (readonly unknown[])[]> {
  try {
    let ahead = fetched
    for (;;) {
      const chunk = ahead ? ahead.chunk : await nextRows(query, context.signal)
      ahead = undefined
      if (!chunk) return
      yield chunk.convertRows(plainValue)
    }
  } catch (error) {
    throw translateError(error, context)
  } finally {
    await close()
  }
}

/**
 * Throws when the rows ended before their end. DuckDB's binding (1.5) drops the error of a stream that fails on its
 * way, by a value as by an interrupt, and ends it like a complete one; what tells is that the transaction is aborted.
 */
export const refuseCut = async (
  { connection, sql }: Pick<RunningQuery, 'connection' | 'sql'>,
  signal: AbortSignal | undefined,
): Promise<void> => {
  try {
    await connection.run('SELECT 1')
  } catch (error) {
    throwIfCancelled(signal)
    throw (await reasonOfCut(connection, sql, signal)) ?? error
  }
}

/** The error of a query that failed on its way: a second run, which keeps no rows, throws it. */
const reasonOfCut = async (
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<unknown> => {
  await connection.run('ROLLBACK')
  await connection.run('BEGIN TRANSACTION READ ONLY')
  try {
    await interruptible(connection, signal, () => connection.run(`EXPLAIN ANALYZE ${sql}`))
  } catch (error) {
    throwIfCancelled(signal)
    return error
  }
  return new ConnectorError('internal', 'The query failed after a part of its rows.', {
    code: 'QueryCut',
    hint: 'Run it again; with a smaller result if it fails again.',
  })
}

const once = <Result>(start: () => Result): (() => Result) => {
  let started = false
  return () => {
    if (started) throw new ConnectorError('internal', 'The rows of a query can be read once.')
    started = true
    return start()
  }
}

/** Prepares the only statement of a text: a second one could leave the read-only transaction. */
export const prepareOne = async (
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> => {
  const statements = await extractStatements(connection, sql)
  if (statements?.count !== 1)
    throw new ConnectorError(
      'config',
      statements ? `A query is one statement; these are ${statements.count}.` : 'The query is empty.',
      { code: 'InvalidSql', hint: 'Give one SELECT.' },
    )
  return statements.prepare(0)
}

/** Undefined for a text without any statement, which the binding reports as an error without a cause. */
export const extractStatements = async (connection: DuckDBConnection, sql: string) => {
  try {
    return await connection.extractStatements(sql)
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Failed to extract statements')) throw error
    return undefined
  }
}
