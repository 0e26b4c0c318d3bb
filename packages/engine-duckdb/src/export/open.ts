import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, StatementType } from '@duckdb/node-api'
import {
  type Column,
  ConnectorError,
  type ExportSelection,
  nearest,
  type OpenExportOptions,
  type TableExport,
} from '@penstock/core'
import { findTable, qualifiedTable, qualifiedTemp, selectTables } from '../catalog.ts'
import type { Database } from '../database.ts'
import { translateError } from '../errors.ts'
import { createQueue, interruptible } from '../interruptible.ts'
import { columnsOf } from '../logical-types.ts'
import { prepareOne } from '../query.ts'
import { firstRow, quoteIdentifier } from '../sql.ts'
import { plainValue } from '../values.ts'
import { type StreamSql, streamSql } from './selection.ts'
import { createSpace } from './space.ts'
import { openStream } from './stream.ts'
import { openTwins } from './twins.ts'

/** Ceiling of the staging folder where none is given: 4 GiB (s3-connectors.md, section 2, resources). */
const defaultStagingBytes = 4 * 1024 ** 3

/** What the streams of one export share: a snapshot, a folder, and turns, since a snapshot has one connection. */
export interface ExportSession {
  readonly database: Database
  readonly connection: DuckDBConnection
  /** Further connections on the same snapshot, for files that are written at a time. */
  readonly twins: readonly DuckDBConnection[]
  readonly signal: AbortSignal
  readonly folder: string
  readonly space: ReturnType<typeof createSpace>
  /** Runs one statement after another, and a stream's reading as a whole. */
  readonly inTurn: ReturnType<typeof createQueue>
  readonly translate: (error: unknown) => ConnectorError
}

/** Opens streams in one read-only transaction. */
export const openExport = async (
  database: Database,
  selections: readonly ExportSelection[],
  options: OpenExportOptions,
): Promise<TableExport> => {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const translate = (error: unknown) =>
    translateError(error, { action: 'query', location: database.location, signal })
  const parent = options.stagingFolder ?? database.staging.path
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'export-'))
  const connection = await database.connect()
  const inTurn = createQueue()
  let twins: readonly DuckDBConnection[] = []
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      unregister()
      ended.abort(new ConnectorError('cancelled', 'The export was closed.'))
      await inTurn(async () => {
        for (const open of [connection, ...twins]) database.disconnect(open)
      })
      // What an abandoned reader had under way may still end in there: such a failure is tried again.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
    })()
    return closing
  }
  const unregister = database.onClose(close)
  try {
    // Before the transaction: a query that fails on its way is asked again after a rollback, which must keep its view.
    for (const [index, { from }] of selections.entries())
      if ('sql' in from) await interruptible(connection, signal, () => makeView(connection, from.sql, index))
    await connection.run('BEGIN TRANSACTION READ ONLY')
    twins = await openTwins(database, connection)
    const space = createSpace(options.stagingBytes ?? defaultStagingBytes, signal)
    const session = Object.freeze({ database, connection, twins, signal, folder, space, inTurn, translate })
    const streams = []
    for (const [index, selection] of selections.entries()) {
      const opened = await interruptible(connection, signal, () => prepareStream(session, selection, index))
      streams.push(openStream(session, opened))
    }
    return Object.freeze({ streams: Object.freeze(streams), close })
  } catch (error) {
    const translated = translate(error)
    await close()
    throw translated
  }
}

export interface PreparedStream {
  readonly selection: ExportSelection
  readonly sql: StreamSql
  /** True for a table whose row ids cut it into ranges; a view or a query has none. */
  readonly ranges: boolean
}

const prepareStream = async (
  session: ExportSession,
  selection: ExportSelection,
  index: number,
): Promise<PreparedStream> => {
  const { connection } = session
  const { relation, isTable } =
    'table' in selection.from
      ? await findRelation(session, selection.from.table)
      : { relation: qualifiedTemp(viewName(index)), isTable: false }
  const columns: readonly Column[] = await columnsOf(connection, `FROM ${relation}`)
  const fixed = await fixWindow(session, selection, relation, columns)
  const sql = streamSql(fixed, relation, columns)
  return { selection: fixed, sql, ranges: isTable && !sql.dedupe }
}

const findRelation = async ({ connection, database }: ExportSession, name: string) => {
  const found = await findTable(connection, name)
  if (found)
    return { relation: qualifiedTable(database.catalog, found.name), isTable: found.kind === 'table' }
  const tables = await selectTables(connection)
  const guess = nearest(name, tables)
  throw new ConnectorError('not-found', `${database.location} has no table "${name}".`, {
    code: 'NoSuchTable',
    place: { table: name },
    hint: guess
      ? `Did you mean ${guess}?`
      : tables.length > 0
        ? `It has: ${tables.slice(0, 20).join(', ')}.`
        : 'It has no tables yet.',
  })
}

const viewName = (index: number): string => `__penstock_stream_${index}`

/** A view that stands for the user's SELECT, which can't be broken out of by brackets or comments. */
const makeView = async (connection: DuckDBConnection, sql: string, index: number): Promise<void> => {
  const query = await prepareOne(connection, sql)
  const isSelect = query.statementType === StatementType.SELECT
  query.destroySync()
  if (!isSelect)
    throw new ConnectorError('config', 'Only a table or the result of a SELECT can be exported.', {
      code: 'InvalidSql',
    })
  await connection.run(`CREATE TEMP VIEW ${quoteIdentifier(viewName(index))} AS ${sql}`)
}

/** Ends the window of an incremental stream at the highest value that the snapshot has, unless a try before fixed it. */
const fixWindow = async (
  { connection }: ExportSession,
  selection: ExportSelection,
  relation: string,
  columns: readonly Column[],
): Promise<ExportSelection> => {
  const { window } = selection
  if (!window || window.to !== undefined) return selection
  // Checked here, so that a wrong column is told in the user's words.
  const { cursor, windowed } = streamSql(selection, relation, columns)
  const reader = await connection.runAndReadAll(`SELECT max(${cursor?.sql}) FROM ${windowed}`)
  const value = reader.getRows()[0]?.[0]
  if (value === null || value === undefined) return selection
  return { ...selection, window: { ...window, to: String(plainValue(value)) } }
}

/** One number of a query. */
export const countOf = async (session: ExportSession, sql: string): Promise<number> =>
  Number(
    (await interruptible(session.connection, session.signal, () => firstRow(session.connection, sql)))?.[0] ??
      0,
  )
