import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api'
import type { Column } from '@penstock/core'
import type { Database } from '../database.ts'
import { interruptible } from '../interruptible.ts'
import { duckdbType } from '../logical-types.ts'
import { fetchRows, refuseCut } from '../query.ts'
import { firstRow, quoteIdentifier, quoteQualified, rowsOf } from '../sql.ts'
import { rowsSql, type StreamSql, where } from './selection.ts'
import { plainText } from './text-values.ts'

/** Rows that follow one another in a stream and share their partition, ready to be copied to a file. */
export interface Slice {
  readonly rows: number
  readonly partition: Readonly<Record<string, string | null>>
  /** Connection on which `from` can be read. */
  readonly connection: DuckDBConnection
  /** A SELECT of the stream's columns; `rows` of the slice from `offset` on. */
  from(offset?: number, rows?: number): string
  release(): Promise<void>
}

/** The rows of a stream, read once, in order. */
export interface RowSource {
  /** The next rows, at most `max` of them and of one partition; undefined at the end. */
  take(max: number): Promise<Slice | undefined>
  close(): Promise<void>
}

/** What a slice may hold at most, where nothing else limits it: a number that SQL takes. */
const anyCount = 2 ** 52

/**
 * Rows of a table, by ranges of its row ids: DuckDB reads each range with all threads and skips the others, so a
 * table in many parts costs what it costs in one.
 */
export const tableRows = (
  connection: DuckDBConnection,
  stream: StreamSql,
  signal: AbortSignal,
): RowSource => {
  let next = 0n
  const range = (from: bigint, to?: bigint) =>
    where([`rowid >= ${from}`, ...(to === undefined ? [] : [`rowid <= ${to}`]), ...stream.conditions])
  return Object.freeze({
    take: async (max: number) => {
      const row = await interruptible(connection, signal, () =>
        firstRow(
          connection,
          `SELECT count(*), max(id) FROM (
             SELECT rowid AS id FROM ${stream.relation}${range(next)} LIMIT ${Math.min(max, anyCount)})`,
        ),
      )
      const [count, last] = (row ?? []) as [bigint, bigint | null]
      if (last === null || last === undefined) return undefined
      const sql = `SELECT ${stream.list} FROM ${stream.relation}${range(next, last)}`
      next = last + 1n
      return {
        rows: Number(count),
        partition: {},
        connection,
        from: (offset = 0, rows?: number) =>
          offset === 0 && rows === undefined ? sql : `${sql} LIMIT ${rows ?? anyCount} OFFSET ${offset}`,
        release: async () => {},
      }
    },
    close: async () => {},
  })
}

/** Rows and bytes, as text, of one buffer at most: what is read ahead of the files. */
const bufferRows = 245_760
const bufferBytes = 48 * 1024 ** 2
const firstBufferRows = 16_384

interface Buffer {
  readonly table: string
  readonly rows: number
  readonly runs: readonly { partition: Readonly<Record<string, string | null>>; end: number }[]
  position: number
  slices: number
  done: boolean
}

let catalogs = 0

/**
 * Rows of a query that runs once. Its chunks go, as columns, into buffer tables in memory, which are copied to files
 * and dropped; the next buffer fills while the last one is copied.
 */
export const queryRows = async (
  database: Database,
  source: {
    readonly connection: DuckDBConnection
    readonly stream: StreamSql
    readonly partitionBy: readonly string[]
    /** Rows of one file at most: buffers of small files are small, since a file's rows are looked up in them. */
    readonly maxRows: number | undefined
    readonly signal: AbortSignal
  },
): Promise<RowSource> => {
  const { connection, stream, partitionBy, signal } = source
  const mostRows = Math.min(bufferRows, 4 * (source.maxRows ?? bufferRows))
  const catalog = `__penstock_export_${process.pid}_${catalogs++}`
  const filling = await database.connect()
  const copying = await database.connect()
  await filling.run(`ATTACH ':memory:' AS ${quoteIdentifier(catalog)} (READ_WRITE)`)
  const sql = partitionedSql(stream, partitionBy)
  const result = await interruptible(connection, signal, () => connection.stream(sql))
  const definition = stream.columns
    .map((column) => `${quoteIdentifier(column.name)} ${duckdbType(column.type)}`)
    .join(', ')
  const partitionColumns = partitionBy.map((name) => {
    const column = stream.columns.find((candidate) => candidate.name === name)
    return column ? `(${plainText(column.type, quoteIdentifier(name))})::VARCHAR` : 'NULL'
  })
  let ordinal = 0
  let ended = false
  let target = Math.min(firstBufferRows, mostRows)

  const fill = async (): Promise<Buffer | undefined> => {
    if (ended) return undefined
    const name = `b${ordinal++}`
    const table = quoteQualified(catalog, 'main', name)
    let appender: DuckDBAppender | undefined
    let rows = 0
    while (rows < target) {
      const chunk = await interruptible(connection, signal, () => fetchRows(result))
      if (!chunk) {
        ended = true
        await refuseCut({ connection, sql }, signal)
        break
      }
      if (!appender) {
        await filling.run(`CREATE TABLE ${table} (${definition})`)
        appender = await filling.createAppender(name, 'main', catalog)
      }
      appender.appendDataChunk(chunk)
      rows += chunk.rowCount
    }
    if (!appender) return undefined
    appender.flushSync()
    appender.closeSync()
    const rowBytes = await averageRowBytes(filling, table, stream.columns)
    target = Math.max(1, Math.min(mostRows, Math.floor(bufferBytes / Math.max(1, rowBytes))))
    const runs =
      partitionBy.length === 0
        ? [{ partition: {}, end: rows }]
        : await partitionRuns(filling, table, partitionBy, partitionColumns)
    return { table, rows, runs, position: 0, slices: 0, done: false }
  }

  let current: Buffer | undefined
  let ahead: Promise<Buffer | undefined> | undefined
  const fillAhead = () => {
    const filled = fill()
    filled.catch(() => {})
    return filled
  }
  const dropIfDone = async (buffer: Buffer) => {
    if (buffer.done && buffer.slices === 0) await filling.run(`DROP TABLE IF EXISTS ${buffer.table}`)
  }
  return Object.freeze({
    take: async (max: number) => {
      if (!current) {
        current = await (ahead ?? fill())
        if (!current) return undefined
        ahead = fillAhead()
      }
      const buffer = current
      const { position } = buffer
      const run = buffer.runs.find(({ end }) => end > position)
      const rows = Math.min(max, (run?.end ?? buffer.rows) - position)
      buffer.position += rows
      buffer.slices++
      if (buffer.position >= buffer.rows) {
        buffer.done = true
        current = undefined
      }
      return {
        rows,
        partition: run?.partition ?? {},
        connection: copying,
        from: (offset = 0, count = rows - offset) =>
          `SELECT * FROM ${buffer.table} WHERE rowid >= ${position + offset} AND rowid < ${position + offset + count}`,
        release: async () => {
          buffer.slices--
          await dropIfDone(buffer)
        },
      }
    },
    close: async () => {
      await ahead?.catch(() => {})
      database.disconnect(copying)
      await filling.run(`DETACH ${quoteIdentifier(catalog)}`).catch(() => {})
      database.disconnect(filling)
    },
  })
}

/** Partitions come one after another, their rows in the order of the query. */
const partitionedSql = (stream: StreamSql, partitionBy: readonly string[]): string => {
  const sql = rowsSql(stream)
  if (partitionBy.length === 0) return sql
  const order = quoteIdentifier('__penstock_order')
  const keys = partitionBy.map((name) => `${quoteIdentifier(name)} NULLS LAST`).join(', ')
  return `SELECT * EXCLUDE (${order}) FROM (SELECT *, row_number() OVER () AS ${order} FROM (${sql})) ORDER BY ${keys}, ${order}`
}

/** Bytes of a row as text, about: the average of the first ones. */
export const averageRowBytes = async (
  connection: DuckDBConnection,
  from: string,
  columns: readonly Column[],
): Promise<number> => {
  const texts = columns.map(({ name }) => `${quoteIdentifier(name)}::VARCHAR`).join(', ')
  const row = await firstRow(
    connection,
    `SELECT avg(strlen(concat_ws(',', ${texts})) + 1)::DOUBLE FROM (FROM ${from} LIMIT 2048)`,
  )
  return Number(row?.[0] ?? 0) || 1
}

const partitionRuns = async (
  connection: DuckDBConnection,
  table: string,
  names: readonly string[],
  texts: readonly string[],
): Promise<Buffer['runs']> => {
  const rows = await rowsOf(
    connection,
    `SELECT max(rowid) + 1, ${texts.join(', ')} FROM ${table} GROUP BY ALL ORDER BY 1`,
  )
  return rows.map(([end, ...values]) => ({
    end: Number(end),
    partition: Object.fromEntries(
      names.map((name, index) => [name, values[index] === null ? null : String(values[index])]),
    ),
  }))
}
