import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Column, ConnectorError, type ExportFormat } from '@penstock/core'
import { interruptible } from '../interruptible.ts'
import { firstRow, quoteText } from '../sql.ts'
import type { Slice } from './rows.ts'
import { copyForm } from './text.ts'

/** Rows of a slice. */
export interface Piece {
  readonly slice: Slice
  readonly offset: number
  readonly rows: number
}

export const wholePiece = (slice: Slice): Piece => ({ slice, offset: 0, rows: slice.rows })

/** Lets DuckDB write pieces of a stream to local files. */
export interface PieceWriter {
  /**
   * Writes pieces to a new file, one after another; its path and size. The file only grows: what is in it stays as it
   * is.
   */
  write(pieces: readonly Piece[], options: WriteOptions): Promise<WrittenPiece>
  /** A file without rows. */
  writeEmpty(): Promise<WrittenPiece>
}

interface WriteOptions {
  /** With the header, where there is one. */
  readonly first: boolean
  readonly rowsBefore: number
  /** Default: a name of its own. */
  readonly path?: string | undefined
}

export interface WrittenPiece {
  readonly path: string
  readonly bytes: number
}

export const pieceWriter = (context: {
  readonly stream: string
  readonly format: ExportFormat
  readonly columns: readonly Column[]
  readonly folder: string
  readonly signal: AbortSignal
  readonly connection: Slice['connection']
  readonly emptySql: string
}): PieceWriter => {
  const { stream, format, columns, folder, signal } = context
  const form = copyForm(format, columns)
  let ordinal = 0
  const copy = async (
    connection: Slice['connection'],
    sql: string,
    rows: number,
    first: boolean,
    path = join(folder, `written-${ordinal++}`),
  ) => {
    try {
      const { rowsChanged } = await interruptible(connection, signal, () =>
        connection.run(
          `COPY (SELECT ${form.list} FROM (${sql})) TO ${quoteText(path)} (${form.options(first)}, USE_TMP_FILE false)`,
        ),
      )
      if (rowsChanged !== rows) throw miscounted(rowsChanged, rows)
      return { path, bytes: (await stat(path)).size }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }
  const miscounted = (written: number, rows: number) =>
    new ConnectorError('internal', `${written} rows of ${stream} were written instead of ${rows}.`, {
      code: 'RowCount',
      place: { table: stream },
    })
  const refuseUnwritable = async (connection: Slice['connection'], sql: string, rowsBefore: number) => {
    if (form.refusals.length === 0) return
    const which = form.refusals.map(({ condition }, index) => `WHEN ${condition} THEN ${index}`).join(' ')
    const found = await interruptible(connection, signal, () =>
      firstRow(
        connection,
        `SELECT row, which FROM (SELECT row_number() OVER () AS row, CASE ${which} END AS which FROM (${sql}))
         WHERE which IS NOT NULL LIMIT 1`,
      ),
    )
    const refusal = found && form.refusals[Number(found[1])]
    if (!refusal) return
    const row = rowsBefore + Number(found[0])
    throw new ConnectorError(
      'data',
      `Row ${row} of ${stream} can't be written: column "${refusal.column}" ${refusal.why}.`,
      {
        code: 'Unwritable',
        place: { table: stream, column: refusal.column, line: row },
        hint: refusal.hint,
      },
    )
  }
  return Object.freeze({
    write: async (pieces: readonly Piece[], { first, rowsBefore, path }: WriteOptions) => {
      const [head] = pieces
      if (!head) throw new ConnectorError('internal', 'A file without pieces.')
      const sql = pieces
        .map(({ slice, offset, rows }) => (rows === slice.rows ? slice.from() : slice.from(offset, rows)))
        .map((from) => (pieces.length > 1 ? `(${from})` : from))
        .join(' UNION ALL ')
      await refuseUnwritable(head.slice.connection, sql, rowsBefore)
      const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
      return copy(head.slice.connection, sql, rows, first, path)
    },
    writeEmpty: () => copy(context.connection, context.emptySql, 0, true),
  })
}
