import {
  type BeginLoadOptions,
  ConnectorError,
  type EngineTransaction,
  type FileEntry,
  type RunRecord,
} from '@penstock/core'
import { insertRun, selectCursor, tableKey, upsertCursor } from './bookkeeping.ts'
import { findTable } from './catalog.ts'
import type { Database } from './database.ts'
import { type ErrorContext, throwIfCancelled, translateError } from './errors.ts'
import { executeStatements } from './execute.ts'
import { createQueue, interruptible } from './interruptible.ts'
import { compareListing } from './ledger.ts'
import { beginLoad } from './load.ts'

/**
 * Begins a transaction on a connection of its own. Its operations run one after another, in the order of the calls;
 * an abort of the signal interrupts the one that runs.
 */
export const beginTransaction = async (
  database: Database,
  options: { runId: string; signal: AbortSignal },
): Promise<EngineTransaction> => {
  const { location, books } = database
  const { runId, signal } = options
  throwIfCancelled(signal)
  const hasBooks = await database.ensureBookkeeping().catch((error: unknown) => {
    throw translateError(error, { action: 'load', location })
  })
  const connection = await database.connect()
  await connection.run('BEGIN').catch((error: unknown) => {
    database.disconnect(connection)
    throw translateError(error, { action: 'load', location })
  })

  const enqueue = createQueue()
  const ended = new AbortController()
  const comparisons = new Map<string, string>()
  const claimed = new Set<string>()
  const unfinished = new Set<string>()
  let state: 'open' | 'committed' | 'ended' = 'open'

  /** Runs an operation in its turn, with errors in the user's terms. */
  const run = <Result>(
    operation: (signal: AbortSignal) => Promise<Result>,
    context: { table?: string; signal?: AbortSignal; action?: ErrorContext['action'] } = {},
  ): Promise<Result> =>
    enqueue(async () => {
      if (state !== 'open') throw new ConnectorError('internal', 'The transaction has ended.')
      const anySignal = AbortSignal.any([signal, ended.signal, ...(context.signal ? [context.signal] : [])])
      try {
        return await interruptible(connection, anySignal, () => operation(anySignal))
      } catch (error) {
        throw translateError(error, {
          action: context.action ?? 'load',
          location,
          signal: anySignal,
          ...(context.table !== undefined && { table: context.table }),
        })
      }
    })

  const requireWritable = () => {
    if (database.readOnly)
      throw new ConnectorError(
        'config',
        `${location} is open for reading only, so nothing can be loaded into it.`,
        { code: 'ReadOnly' },
      )
  }

  const end = (final: 'committed' | 'ended') => {
    state = final
    unregister()
    database.disconnect(connection)
  }

  const rollback = async () => {
    if (state !== 'open') return
    ended.abort(new ConnectorError('cancelled', 'The transaction was rolled back.'))
    await enqueue(async () => {
      if (state !== 'open') return
      // Fails where DuckDB has rolled back already, after a failed commit or a fatal error.
      await connection.run('ROLLBACK').catch(() => {})
      end('ended')
    })
  }
  const unregister = database.onClose(rollback)

  return Object.freeze({
    compare: (table: string, listing: AsyncIterable<readonly FileEntry[]>) =>
      run(
        async (any) => {
          const comparison = await compareListing(
            {
              connection,
              books,
              hasBooks,
              ordinal: database.nextOrdinal(),
              read: (operation) => run(operation, { table }),
            },
            table,
            untilCancelled(listing, any),
          )
          comparisons.set(tableKey(table), comparison.comparisonTable)
          return comparison.result
        },
        { table },
      ),
    load: (load: BeginLoadOptions) =>
      run(
        async () => {
          requireWritable()
          claimed.add(tableKey(load.table))
          unfinished.add(load.table)
          return beginLoad(
            {
              database,
              connection,
              runId,
              ordinal: database.nextOrdinal(),
              comparisonTable: comparisons.get(tableKey(load.table)),
              run,
              onFinished: () => void unfinished.delete(load.table),
            },
            load,
          )
        },
        { table: load.table },
      ),
    cursor: (table: string) =>
      run(
        async () =>
          hasBooks && (await findTable(connection, table))
            ? selectCursor(connection, books, table)
            : undefined,
        { table },
      ),
    saveCursor: (table: string, cursor: string) =>
      run(
        async () => {
          requireWritable()
          await upsertCursor(connection, books, { table, cursor, runId })
        },
        { table },
      ),
    execute: (sql: string, { maxRows = 0 }: { readonly maxRows?: number } = {}) =>
      run(
        async () => {
          requireWritable()
          const results = await executeStatements(connection, sql, maxRows)
          // DuckDB's binding (1.5) drops the error of a stream that fails on its way; an aborted transaction tells.
          await connection.run('SELECT 1')
          return results
        },
        { action: 'query' },
      ),
    commit: async (record: RunRecord) => {
      await run(async () => {
        requireWritable()
        for (const table of unfinished)
          throw new ConnectorError('internal', `The load of table "${table}" is not finished.`, {
            place: { table },
          })
        await insertRun(connection, books, record)
      })
      await enqueue(async () => {
        if (state !== 'open') throw new ConnectorError('internal', 'The transaction has ended.')
        throwIfCancelled(signal)
        try {
          // Not interruptible: an interrupted commit would leave open whether it happened.
          await connection.run('COMMIT')
          end('committed')
        } catch (error) {
          end('ended')
          throw translateError(error, { action: 'commit', location, claimed })
        }
      })
    },
    rollback,
  })
}

/** Passes items on, and does not wait for the next one any longer once the signal is aborted. */
async function* untilCancelled<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {})
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const iterator = items[Symbol.asyncIterator]()
  try {
    throwIfCancelled(signal)
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise])
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // A listing that is stuck would not settle this either.
    void iterator.return?.()?.catch(() => {})
  }
}
