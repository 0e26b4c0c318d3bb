import { ConnectorError, nearest } from '@penstock/core'
import type { Database } from './database.ts'
import { type ErrorContext, translateError } from './errors.ts'
import { rowsOf } from './sql.ts'

/** Names that a hint lists at most. */
const listed = 20

/** What a catalog error says that there is no table of, where it says so. */
export const missingTableOf = (error: ConnectorError): { name: string; similar?: string } | undefined => {
  const [, name, similar] =
    /^Catalog Error: Table with name "?(.+?)"? does not exist(?:!\s+Did you mean "(.+?)"| because|!)/.exec(
      error.message,
    ) ?? []
  return name === undefined ? undefined : { name, ...(similar !== undefined && { similar }) }
}

/**
 * The failure of a query in the user's terms. Where it names a table that is not there, the ones that are: DuckDB guesses
 * among its own system tables.
 */
export const queryError = async (
  database: Database,
  error: unknown,
  context: ErrorContext,
): Promise<ConnectorError> => {
  const translated = translateError(error, context)
  const missing = missingTableOf(translated)
  const names = missing && (await tablesOf(database).catch(() => undefined))
  if (!missing || !names) return translated
  const guess = nearest(missing.name, names)
  const more = names.length > listed ? ', ...' : ''
  const hint =
    names.length === 0
      ? 'The database has no tables yet: load one with "penstock extract".'
      : `${guess === undefined ? '' : `Did you mean ${guess}? `}It has: ${names.slice(0, listed).join(', ')}${more}.`
  return new ConnectorError('config', `There is no table ${missing.name} in ${database.location}.`, {
    code: 'InvalidSql',
    hint,
    cause: error,
  })
}

/** Tables and views that a user may have made, those of other schemas with their schema, in the order of their names. */
const tablesOf = async (database: Database): Promise<string[]> => {
  const connection = await database.connect()
  try {
    const rows = await rowsOf(
      connection,
      `SELECT CASE table_schema WHEN 'main' THEN table_name ELSE table_schema || '.' || table_name END AS name
       FROM information_schema.tables
       WHERE table_catalog = current_database() AND table_schema <> '_penstock' ORDER BY name`,
    )
    return rows.map(([name]) => String(name))
  } finally {
    database.disconnect(connection)
  }
}
