import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Client, QueryResultRow } from 'pg'
import type { PostgresContext } from './config.ts'
import { connectClient } from './connect.ts'
import { translateError } from './errors.ts'

/** One connection to the server, for one use of the destination. */
export interface Session {
  readonly query: <Row extends QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>
  /** Sends a local file to `COPY ... FROM STDIN`; the rows that the server took. */
  readonly copy: (sql: string, path: string) => Promise<number>
  /** Runs in one transaction, which is rolled back when it throws. */
  readonly transaction: <Result>(use: () => Promise<Result>) => Promise<Result>
}

/** Time that a cancelled statement, or the good-bye to the server, may take until the connection is cut, in ms. */
const graceMs = 1_000

/** Bytes that are read from a file at once. */
const readBytes = 1 << 20

/**
 * Opens a connection for the time of `use`. When the run is cancelled, the server is asked to stop what it does, and
 * the connection is cut when it does not. Errors are translated.
 */
export const withSession = async <Result>(
  context: PostgresContext,
  use: (session: Session) => Promise<Result>,
): Promise<Result> => {
  const { signal } = context
  let client: Client | undefined
  let stopping: { readonly asked: Promise<void>; readonly timer: NodeJS.Timeout } | undefined
  const current: { pid?: number } = {}
  const stop = () => {
    if (client) stopping ??= { asked: cancelOnServer(context, current.pid), timer: cutAfter(client, graceMs) }
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    client = await untilAborted(signal, connectClient(context))
    return await use(
      sessionOf(client, context, (pid) => {
        current.pid = pid
      }),
    )
  } catch (error) {
    throw translateError(error, context)
  } finally {
    signal.removeEventListener('abort', stop)
    if (client) {
      const timer = cutAfter(client, graceMs)
      await client.end().catch(() => {})
      clearTimeout(timer)
    }
    clearTimeout(stopping?.timer)
    await stopping?.asked
  }
}

/** A connection that comes too late is closed. */
const untilAborted = async (signal: AbortSignal, connecting: Promise<Client>): Promise<Client> => {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([connecting, aborted.promise])
  } catch (error) {
    void connecting.then((late) => late.end()).catch(() => {})
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

const cutAfter = (client: Client, ms: number): NodeJS.Timeout =>
  setTimeout(() => client.connection.stream.destroy(), ms)

/** Asks the server, over a connection of its own, to end the statement: a statement does not see that nobody waits. */
const cancelOnServer = async (context: PostgresContext, pid: number | undefined): Promise<void> => {
  if (pid === undefined) return
  try {
    const other = await connectClient({
      auth: context.auth,
      config: { ...context.config, connectTimeoutSeconds: graceMs / 1000 },
    })
    const timer = cutAfter(other, graceMs)
    await other.query('SELECT pg_catalog.pg_cancel_backend($1)', [pid]).catch(() => {})
    await other.end()
    clearTimeout(timer)
  } catch {
    // The connection is cut in any case.
  }
}

const sessionOf = (client: Client, context: PostgresContext, onBackend: (pid: number) => void): Session => {
  const { signal } = context
  const query: Session['query'] = async (sql, values) => {
    signal.throwIfAborted()
    return (await client.query(sql, values && [...values])).rows
  }
  return Object.freeze({
    query,
    copy: async (sql: string, path: string) => {
      signal.throwIfAborted()
      const { from } = await import('pg-copy-streams')
      const target = client.query(from(sql))
      await pipeline(createReadStream(path, { highWaterMark: readBytes }), target, { signal })
      return target.rowCount
    },
    transaction: async <Result>(use: () => Promise<Result>) => {
      await query(`BEGIN ISOLATION LEVEL READ COMMITTED; ${settingsSql(context)}`)
      try {
        // Asked for in each transaction: behind a pooler each may be another process.
        const [backend] = await query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid')
        if (backend) onBackend(backend.pid)
        const result = await use()
        await query('COMMIT')
        return result
      } catch (error) {
        // Where this fails the connection is gone, and the transaction with it.
        await client.query('ROLLBACK').catch(() => {})
        throw error
      }
    },
  })
}

const settingsSql = ({ config }: PostgresContext): string =>
  [
    ['lock_timeout', Math.ceil(config.lockTimeoutSeconds * 1000)],
    ...(config.statementTimeoutSeconds === undefined
      ? []
      : [['statement_timeout', Math.ceil(config.statementTimeoutSeconds * 1000)]]),
    // The engine may take its time between two files.
    ['idle_in_transaction_session_timeout', 0],
    // A machine that vanished in the middle of a run holds its locks for a minute and a half, not for two hours.
    ['tcp_keepalives_idle', 60],
    ['tcp_keepalives_interval', 10],
    ['tcp_keepalives_count', 3],
    // What was reported as written must not be lost when the server stops.
    ['synchronous_commit', "'on'"],
    // Every name is qualified: nothing of the user's schemas is called by accident.
    ['search_path', "''"],
    ['timezone', "'UTC'"],
    ['intervalstyle', "'postgres'"],
    ['datestyle', "'ISO, YMD'"],
  ]
    .map(([name, value]) => `SET LOCAL ${name} = ${value}`)
    .join('; ')
