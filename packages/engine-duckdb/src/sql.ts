import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api'

/** `"` doubled, so that keywords, quotes, dots and any unicode are safe as a name. A name never holds NUL in DuckDB. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Schema and name, each quoted. */
export const quoteQualified = (...parts: readonly string[]): string => parts.map(quoteIdentifier).join('.')

/** A VARCHAR literal. NUL would end the statement for the parser, so it is spliced in by `chr(0)`. */
export const quoteText = (text: string): string =>
  text.includes('\0')
    ? `(${text
        .split('\0')
        .map((part) => `'${part.replaceAll("'", "''")}'`)
        .join(' || chr(0) || ')})`
    : `'${text.replaceAll("'", "''")}'`

/** A VARCHAR literal or NULL. */
export const quoteNullableText = (text: string | null | undefined): string =>
  text === null || text === undefined ? 'NULL::VARCHAR' : quoteText(text)

/** A list literal of VARCHARs, typed also when empty. */
export const quoteTextList = (texts: readonly string[]): string =>
  texts.length === 0 ? '[]::VARCHAR[]' : `[${texts.map(quoteText).join(', ')}]`

/** Rows of a query as plain arrays; for small results alone. int64 comes as bigint. */
export const rowsOf = async (connection: DuckDBConnection, sql: string): Promise<readonly unknown[][]> => {
  const reader: DuckDBResultReader = await connection.runAndReadAll(sql)
  return reader.getRowsJS() as unknown[][]
}

/** The first row of a query, or undefined. */
export const firstRow = async (
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly unknown[] | undefined> => (await rowsOf(connection, sql))[0]
