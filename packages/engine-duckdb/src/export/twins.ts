import type { DuckDBConnection } from '@duckdb/node-api'
import type { Database } from '../database.ts'
import { firstRow } from '../sql.ts'

/** Statements at a time at most: Node has four threads for them, and the disk needs one as well. */
const mostTwins = 3

/**
 * Connections whose transactions see what that of `connection` sees, which has just begun; none where somebody committed
 * in between, or where there is one thread. DuckDB counts beginnings and commits with one counter: numbers that follow one
 * another have no commit among them.
 */
export const openTwins = async (
  database: Database,
  connection: DuckDBConnection,
): Promise<readonly DuckDBConnection[]> => {
  const count = Math.min(database.threads, mostTwins)
  if (count < 2) return []
  let last = await transactionNumber(connection)
  const twins: DuckDBConnection[] = []
  for (let index = 0; index < count; index++) {
    const twin = await database.connect()
    twins.push(twin)
    await twin.run('BEGIN TRANSACTION READ ONLY')
    const number = await transactionNumber(twin)
    if (number !== last + 1n) {
      for (const opened of twins) database.disconnect(opened)
      return []
    }
    last = number
  }
  return twins
}

const transactionNumber = async (connection: DuckDBConnection): Promise<bigint> =>
  BigInt(String((await firstRow(connection, 'SELECT txid_current()'))?.[0] ?? -2))
