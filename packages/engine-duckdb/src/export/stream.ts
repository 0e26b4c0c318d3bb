import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ConnectorError,
  type ExportCursor,
  type ExportLosses,
  type FileLayout,
  type GrowingFile,
  type OpenedStream,
} from '@penstock/core'
import { interruptible } from '../interruptible.ts'
import { fetchRows, refuseCut } from '../query.ts'
import { plainValue } from '../values.ts'
import { readAhead } from './ahead.ts'
import { countOf, type ExportSession, type PreparedStream } from './open.ts'
import { completeFiles, writeFiles } from './parts.ts'
import { averageRowBytes, queryRows, type RowSource, tableRows } from './rows.ts'
import { rowsSql, where } from './selection.ts'
import { wholeRows } from './whole-rows.ts'
import { pieceWriter } from './writer.ts'

/** What a row of a query is taken for until the first ones are there, in bytes of text. */
const unknownRowBytes = 256

/** Files that were begun and not taken yet, at most; their bytes are limited by the staging folder. */
const filesAhead = 32

export const openStream = (session: ExportSession, prepared: PreparedStream): OpenedStream => {
  const { connection, signal, inTurn, translate } = session
  const { selection, sql } = prepared
  let taken = false
  const takeOnce = () => {
    if (taken) throw new ConnectorError('internal', `Stream "${selection.name}" can be read once.`)
    taken = true
  }
  const guarded = <Result>(operation: () => Promise<Result>): Promise<Result> =>
    inTurn(() => interruptible(connection, signal, operation)).catch((error: unknown) => {
      throw translate(error)
    })
  return Object.freeze({
    id: selection.id,
    name: selection.name,
    schema: { columns: sql.columns, ...(sql.key && { key: sql.key }) },
    ...(selection.window && { cursor: cursorOf(selection.window) }),
    files: (layout: FileLayout) => {
      takeOnce()
      return untilEnd(session, () => completeFiles(filesOf(session, prepared, layout, false)))
    },
    growingFiles: (layout: FileLayout) => {
      takeOnce()
      return untilEnd(session, () => filesOf(session, prepared, layout, true))
    },
    rows: () => {
      takeOnce()
      return untilEnd(session, () => pagesOf(session, prepared))
    },
    estimate: () =>
      guarded(async () => {
        const rows = await countOf(session, `SELECT count(*) FROM (${rowsSql(sql)})`)
        return { rows, bytes: Math.round(rows * (await averageRow(session, prepared))) }
      }),
    losses: () => guarded(() => lossesOf(session, prepared)),
  })
}

const cursorOf = ({ column, after, to }: ExportCursor): ExportCursor => ({
  column,
  ...(after !== undefined && { after }),
  ...(to !== undefined && { to }),
})

/** Holds the snapshot's turn while a stream is read, however its reading ends. */
async function* untilEnd<Item>(
  { inTurn, translate, signal }: ExportSession,
  read: () => AsyncGenerator<Item>,
): AsyncGenerator<Item> {
  const turn = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  void inTurn(async () => {
    turn.resolve()
    await ended.promise
  })
  // Who leaves an iterator without ending it must not keep the snapshot from closing.
  const end = () => ended.resolve()
  signal.addEventListener('abort', end, { once: true })
  await turn.promise
  try {
    yield* read()
  } catch (error) {
    throw translate(error)
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

async function* filesOf(
  session: ExportSession,
  prepared: PreparedStream,
  layout: FileLayout,
  growing: boolean,
): AsyncGenerator<GrowingFile> {
  const { connection, twins, signal, space, database, translate } = session
  // Files of a stream may outlive its reading: those of the next one have the same names.
  const folder = await mkdtemp(join(session.folder, 'stream-'))
  const { sql, ranges, selection } = prepared
  const partitionBy = partitionColumns(prepared, layout)
  const columns = sql.columns.filter(({ name }) => !partitionBy.includes(name))
  // Before the rows stream: another statement on their connection would end them.
  const whole = ranges || partitionBy.length > 0 ? undefined : await wholeRows(session, prepared, layout)
  const rowBytes = ranges ? await averageRow(session, prepared) : (whole?.rowBytes ?? unknownRowBytes)
  const source: RowSource =
    ranges && partitionBy.length === 0
      ? tableRows(connection, sql, signal)
      : (whole?.source ??
        (await queryRows(database, {
          connection,
          stream: sql,
          partitionBy,
          maxRows: layout.maxRows,
          signal,
        })))
  const writer = pieceWriter({
    stream: selection.name,
    format: layout.format,
    columns,
    folder,
    signal,
    connection,
    emptySql: `${rowsSql(sql)} LIMIT 0`,
  })
  try {
    const sideBySide = ranges ? { connections: twins, narrow: database.threadShare.narrow } : undefined
    let rows = 0
    const files = writeFiles({
      layout,
      growing,
      source,
      writer,
      folder,
      space,
      rowBytes,
      signal,
      sideBySide,
      translate,
      onRows: (more) => {
        rows += more
      },
    })
    yield* readAhead(files, filesAhead, (left) => left.release())
    if (ranges) await refuseLostRows(session, prepared, rows)
  } finally {
    await source.close()
  }
}

/** Counts a table once more, which costs next to nothing beside writing it. */
const refuseLostRows = async (
  session: ExportSession,
  { sql, selection }: PreparedStream,
  rows: number,
): Promise<void> => {
  const expected = await countOf(session, `SELECT count(*) FROM ${sql.relation}${where(sql.conditions)}`)
  if (expected === rows) return
  throw new ConnectorError(
    'internal',
    `${rows} rows of "${selection.name}" were written; there are ${expected}.`,
    {
      code: 'RowCount',
      place: { table: selection.name },
    },
  )
}

const partitionColumns = ({ sql, selection }: PreparedStream, { partitionBy = [] }: FileLayout): string[] => {
  const names = partitionBy.map((name) => {
    if (sql.columns.some((column) => column.name === name)) return name
    throw new ConnectorError('config', `${selection.name} has no column "${name}" to make folders of.`, {
      code: 'NoSuchColumn',
      place: { table: selection.name, column: name },
      hint: `Its columns: ${sql.columns.map((column) => column.name).join(', ')}.`,
    })
  })
  if (names.length > 0 && names.length >= sql.columns.length)
    throw new ConnectorError('config', `No column of ${selection.name} is left for the files.`, {
      code: 'NoColumns',
      hint: 'Take fewer columns for folders.',
    })
  return names
}

const averageRow = ({ connection }: ExportSession, { sql }: PreparedStream): Promise<number> =>
  averageRowBytes(connection, `(${rowsSql(sql)})`, sql.columns)

async function* pagesOf(
  { connection, signal }: ExportSession,
  { sql }: PreparedStream,
): AsyncGenerator<readonly Readonly<Record<string, unknown>>[]> {
  const query = rowsSql(sql)
  const names = sql.columns.map(({ name }) => name)
  const result = await interruptible(connection, signal, () => connection.stream(query))
  for (;;) {
    const chunk = await interruptible(connection, signal, () => fetchRows(result))
    if (!chunk) return await refuseCut({ connection, sql: query }, signal)
    yield chunk
      .convertRows(plainValue)
      .map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])))
  }
}

const lossesOf = async (
  session: ExportSession,
  { sql, selection }: PreparedStream,
): Promise<ExportLosses> => {
  const { relation, windowed, conditions, mandatory, dedupe, cursor } = sql
  const rows = `FROM ${relation}${where(conditions)}`
  const lacking = mandatory.map((name) => `${name} IS NULL`).join(' OR ')
  const noKey = dedupe?.keys.map((key) => `${key} IS NULL`).join(' OR ')
  const skips = selection.window?.after !== undefined && cursor !== undefined
  return {
    dropped:
      mandatory.length === 0
        ? 0
        : await countOf(session, `SELECT count(*) FROM (FROM ${windowed}) WHERE ${lacking}`),
    deduplicated: dedupe
      ? await countOf(
          session,
          `SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (
             SELECT count(*) AS n FROM (${rows}) WHERE NOT (${noKey}) GROUP BY ${dedupe.keys.join(', ')})`,
        )
      : 0,
    nullCursors: skips
      ? await countOf(session, `SELECT count(*) FROM ${relation} WHERE ${cursor.sql} IS NULL`)
      : 0,
  }
}
