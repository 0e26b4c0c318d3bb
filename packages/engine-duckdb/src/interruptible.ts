import type { DuckDBConnection } from '@duckdb/node-api'
import { throwIfCancelled } from './errors.ts'

/** Ms between interrupts of a cancelled operation that goes on with a further statement. */
const repeatMs = 20

/**
 * Runs an operation of one or more statements on a connection and ends it when the signal is aborted. DuckDB
 * forgets an interrupt when the next statement begins, so it is repeated until the operation has settled.
 */
export const interruptible = async <Result>(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  operation: () => Promise<Result>,
): Promise<Result> => {
  throwIfCancelled(signal)
  if (!signal) return operation()
  let timer: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    timer = setTimeout(interrupt, repeatMs)
  }
  signal.addEventListener('abort', interrupt, { once: true })
  try {
    return await operation()
  } finally {
    signal.removeEventListener('abort', interrupt)
    clearTimeout(timer)
  }
}

/** Runs operations one after another, in the order in which they were given: a connection executes one at a time. */
export const createQueue = () => {
  let last: Promise<unknown> = Promise.resolve()
  return <Result>(operation: () => Promise<Result>): Promise<Result> => {
    const next = last.then(operation, operation)
    last = next.catch(() => {})
    return next
  }
}
