import type { Database } from '../database.ts'
import { interruptible } from '../interruptible.ts'
import { type OpenQuery, openQuery, plainSession as plain, type QuerySession } from '../query.ts'
import { quoteIdentifier, quoteQualified } from '../sql.ts'
import type { MountNames } from './session.ts'

/** A query whose rows may come in parts, each from a part of its table: the disk does not hold all of it at once. */
export interface ReadyParts {
  /** Of the first part, or of the whole. */
  readonly session: QuerySession
  readonly signal: AbortSignal
  readonly parts?: {
    /** The next part, when the session before it has ended; undefined behind the last one. */
    next(): Promise<QuerySession | undefined>
    /** Ends what is under way for the parts that are left. */
    close(): Promise<void>
  }
}

/** The rows of all parts one after another. `first` is that of the first part, already running. */
export const chainParts = (
  database: Database,
  sql: string,
  first: OpenQuery,
  { parts, signal }: ReadyParts,
): OpenQuery => {
  if (!parts) return first
  let current = first
  const close = async () => {
    await current.close()
    await parts.close()
  }
  return Object.freeze({
    result: Object.freeze({
      columns: first.result.columns,
      async *rows() {
        try {
          for (;;) {
            yield* current.result.rows()
            const session = await parts.next()
            if (!session) return
            current = await openQuery(database, sql, signal, { session })
          }
        } finally {
          await close()
        }
      },
    }),
    close,
  })
}

/**
 * What a statement that uses the rows at once is to read instead of the query: the query itself, or a table of the rows
 * of all parts, which DuckDB spills where it has to. It goes with the session.
 */
export const gatherParts = async (
  database: Database,
  names: MountNames,
  sql: string,
  ready: ReadyParts,
): Promise<{ readonly sql: string; readonly session: QuerySession }> => {
  const { parts, signal } = ready
  if (!parts) return { sql, session: ready.session }
  const catalog = names.invent()
  const table = quoteQualified(catalog, 'main', 'rows')
  const run = async (session: QuerySession, statement: string) => {
    const connection = await database.connect()
    try {
      await interruptible(connection, signal, async () => {
        await session.begin(connection)
        await connection.run(statement)
      })
    } finally {
      database.disconnect(connection)
      await session.end()
    }
  }
  const end = async () => {
    await run(plain, `DETACH DATABASE IF EXISTS ${quoteIdentifier(catalog)}`).catch(() => {})
    await parts.close()
  }
  try {
    await run(plain, `ATTACH ':memory:' AS ${quoteIdentifier(catalog)} (READ_WRITE)`)
    await run(ready.session, `CREATE TABLE ${table} AS ${sql}`)
    for (let session = await parts.next(); session; session = await parts.next())
      await run(session, `INSERT INTO ${table} ${sql}`)
  } catch (error) {
    await end()
    throw error
  }
  return { sql: ` SELECT * FROM ${table}`, session: { begin: async () => {}, end } }
}
