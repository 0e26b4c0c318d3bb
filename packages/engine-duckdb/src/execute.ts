import { type DuckDBConnection, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api'
import { ConnectorError, type StatementResult } from '@penstock/core'
import { columnsOfResult, extractStatements, fetchRows } from './query.ts'
import { plainValue } from './values.ts'

/**
 * What a user's statements may do inside a transaction. Everything else would end it (COMMIT), outlive it (SET,
 * ATTACH, LOAD) or reach files (COPY, EXPORT, IMPORT).
 */
const allowed: ReadonlySet<StatementType> = new Set([
  StatementType.SELECT,
  StatementType.INSERT,
  StatementType.UPDATE,
  StatementType.DELETE,
  StatementType.MERGE_INTO,
  StatementType.CREATE,
  StatementType.CREATE_FUNC,
  StatementType.ALTER,
  StatementType.DROP,
])

/** Runs the statements of a text in order on a connection, whose transaction is the caller's. */
export const executeStatements = async (
  connection: DuckDBConnection,
  sql: string,
  maxRows: number,
): Promise<readonly StatementResult[]> => {
  const statements = await extractStatements(connection, sql)
  const count = statements?.count ?? 0
  const results: StatementResult[] = []
  for (let index = 0; index < count; index++) {
    // Prepared one by one: a statement may need the table that the one before it makes.
    const statement = await statements?.prepare(index)
    if (!statement) continue
    try {
      refuseForbidden(statement, count > 1 ? `Statement ${index + 1}` : 'The statement')
      results.push(await execute(statement, maxRows))
    } finally {
      statement.destroySync()
    }
  }
  if (results.length === 0)
    throw new ConnectorError('config', 'There is no SQL statement.', { code: 'InvalidSql' })
  return results
}

const refuseForbidden = (statement: DuckDBPreparedStatement, subject: string): void => {
  const type = statement.statementType
  if (allowed.has(type)) return
  throw new ConnectorError(
    'config',
    `${subject} is of the kind ${StatementType[type]}, which may not run here.`,
    {
      code: 'ForbiddenStatement',
      hint: 'SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE, ALTER and DROP may; they run in one transaction.',
    },
  )
}

const execute = async (statement: DuckDBPreparedStatement, maxRows: number): Promise<StatementResult> => {
  if (statement.statementType !== StatementType.SELECT) {
    const { rowsChanged } = await statement.run()
    return { rowsChanged, columns: [], rows: [] }
  }
  const result = await statement.stream()
  const rows: (readonly unknown[])[] = []
  // Read to its end, also when its rows are not kept: a result that is left keeps the file's lock.
  for (let chunk = await fetchRows(result); chunk; chunk = await fetchRows(result))
    if (rows.length < maxRows) rows.push(...chunk.convertRows(plainValue).slice(0, maxRows - rows.length))
  return { rowsChanged: 0, columns: columnsOfResult(result), rows }
}
