import { bigint } from '@penstock/core'
import type { Database } from '../database.ts'
import { throwIfCancelled } from '../errors.ts'
import { interruptible } from '../interruptible.ts'
import type { OpenQuery, QuerySession } from '../query.ts'
import { rowsOf } from '../sql.ts'

/** Runs a statement that keeps rows in the database, whole or not at all. Its result is their count. */
export const writeRows = async (
  database: Database,
  statement: string,
  session: QuerySession,
  signal: AbortSignal,
): Promise<OpenQuery> => {
  const connection = await database.connect()
  try {
    const rows = await interruptible(connection, signal, async () => {
      await session.begin(connection)
      await connection.run('BEGIN TRANSACTION')
      const [count] = await rowsOf(connection, statement)
      throwIfCancelled(signal)
      await connection.run('COMMIT')
      return Number(count?.[0] ?? 0)
    })
    return Object.freeze({
      result: Object.freeze({
        columns: [{ name: 'rows', type: bigint }],
        async *rows() {
          yield [[rows]]
        },
      }),
      close: async () => {},
    })
  } finally {
    database.disconnect(connection)
    await session.end()
  }
}

/** Rows of a SELECT over mounted tables. */
export const countRows = async (
  database: Database,
  select: string,
  session: QuerySession,
  signal: AbortSignal,
): Promise<number> => {
  const connection = await database.connect()
  try {
    return await interruptible(connection, signal, async () => {
      await session.begin(connection)
      const [count] = await rowsOf(connection, `SELECT count(*)::DOUBLE FROM (${select}\n)`)
      return Number(count?.[0] ?? 0)
    })
  } finally {
    database.disconnect(connection)
    await session.end()
  }
}
