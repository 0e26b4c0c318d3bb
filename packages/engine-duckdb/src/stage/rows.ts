import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api'
import { duckdbType } from '../logical-types.ts'
import { quoteIdentifier } from '../sql.ts'
import type { StageColumn } from './columns.ts'
import { fileColumn } from './insert.ts'

/** Rows of an appended chunk: DuckDB's vector size. */
const chunkRows = 2048

/**
 * Appends rows of a row table: as texts into a TEMP table, which SQL then casts to the declared types. A value that
 * does not fit its declared type fails the statement.
 */
export const appendRows = async (
  connection: DuckDBConnection,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
  columns: readonly StageColumn[],
): Promise<number> => {
  if (rows.length === 0) return 0
  const texts = '__penstock_rows'
  const names = columns.map((_, index) => `c${index}`)
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${texts} (${names.map((name) => `${name} VARCHAR`).join(', ')})`,
  )
  await appendTexts(
    connection,
    texts,
    rows,
    columns.map(({ name }) => name),
  )
  const values = columns.map((column, index) => `c${index}::${duckdbType(column.type ?? { type: 'string' })}`)
  const targets = [...columns.map(({ name }) => name), fileColumn].map(quoteIdentifier)
  await connection.run(
    `INSERT INTO ${table} (${targets.join(', ')}) SELECT ${values.join(', ')}, 0 FROM temp.${texts}`,
  )
  await connection.run(`DROP TABLE temp.${texts}`)
  return rows.length
}

/** Appends the named values of rows to a TEMP table of VARCHAR columns. A name that a row lacks is null. */
export const appendTexts = async (
  connection: DuckDBConnection,
  table: string,
  rows: readonly Readonly<Record<string, unknown>>[],
  names: readonly string[],
): Promise<void> => {
  const appender = await connection.createAppender(table, 'main', 'temp')
  const types: DuckDBType[] = names.map(() => VARCHAR)
  for (let start = 0; start < rows.length; start += chunkRows) {
    const part = rows.slice(start, start + chunkRows)
    const chunk = DuckDBDataChunk.create(types, part.length)
    chunk.setColumns(names.map((name) => part.map((row) => asText(row[name]))))
    appender.appendDataChunk(chunk)
  }
  appender.flushSync()
  appender.closeSync()
}

const asText = (value: unknown): DuckDBValue => {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
