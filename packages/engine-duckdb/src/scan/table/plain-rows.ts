import type { DuckDBConnection } from '@duckdb/node-api'
import { type Column, ConnectorError } from '@penstock/core'
import { duckdbType } from '../../logical-types.ts'
import { quoteIdentifier, quoteText } from '../../sql.ts'
import { appendTexts } from '../../stage/rows.ts'

/** Writes pages of plain rows as a Parquet file. The rows that were written. */
export const writePlainRows = async (
  connection: DuckDBConnection,
  pages: AsyncIterable<readonly Readonly<Record<string, unknown>>[]>,
  columns: readonly Column[],
  path: string,
  label: string,
): Promise<number> => {
  const table = '__penstock_plain_rows'
  const names = columns.map(({ name }) => name)
  const texts = columns.map((_, index) => `c${index} VARCHAR`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (${[...texts, 'mark VARCHAR'].join(', ')})`)
  let rows = 0
  for await (const page of pages) {
    await appendTexts(connection, table, page, [...names, ''])
    rows += page.length
  }
  const values = columns.map(
    ({ name, type }, index) => `c${index}::${duckdbType(type)} AS ${quoteIdentifier(name)}`,
  )
  try {
    await connection.run(
      `COPY (SELECT ${[...values, 'mark AS __penstock_row'].join(', ')} FROM temp.${table}) TO ${quoteText(path)} (FORMAT parquet)`,
    )
  } catch (error) {
    throw new ConnectorError(
      'data',
      `A row of ${label} does not fit its schema: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
      {
        code: 'UnfitRows',
        place: { table: label },
        hint: 'The connector sends something else than its schema says: tell its authors.',
        cause: error,
      },
    )
  }
  await connection.run(`DROP TABLE temp.${table}`)
  return rows
}
