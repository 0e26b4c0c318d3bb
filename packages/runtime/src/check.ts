import {
  type AnyConnector,
  type CheckStep,
  type Connection,
  ConnectorError,
  requireKind,
  type SourceTable,
  type TableSummary,
  toConnectorError,
  type UseOptions,
  withContext,
} from '@penstock/core'
import { listTables as listSourceTables } from './extract/resolve.ts'

export interface CheckOptions extends UseOptions {
  readonly onStep?: (step: CheckStep) => void
}

/**
 * Tests a connection with real calls. Never throws for a failed step: the steps say what failed and why. A connector
 * that throws instead of yielding steps counts as one failed step.
 */
export const runCheck = async (connection: Connection, options: CheckOptions = {}): Promise<CheckStep[]> => {
  const steps: CheckStep[] = []
  const add = (step: CheckStep) => {
    steps.push(step)
    options.onStep?.(step)
  }
  try {
    await withContext(
      connection,
      async (context) => {
        const outcome = (connection.connector as AnyConnector).check(context)
        if (!(Symbol.asyncIterator in outcome)) {
          await outcome
          add({ id: 'check', title: 'Connection works', status: 'passed' })
          return
        }
        for await (const step of outcome) add(step)
      },
      options,
    )
  } catch (error) {
    if (options.signal?.aborted) throw new ConnectorError('cancelled', 'Cancelled.', { cause: error })
    add({ id: 'check', title: 'Connection works', status: 'failed', error: toConnectorError(error) })
  }
  return steps
}

/** What a connection offers for extraction, each with the selection that extracts it. */
export const listTables = async (
  connection: Connection,
  options: UseOptions & { readonly prefix?: string | undefined } = {},
): Promise<TableSummary[]> => {
  const { prefix, ...use } = options
  return withContext(
    connection,
    (context) =>
      Array.fromAsync(
        listSourceTables(
          requireKind(connection.connector, 'source'),
          context,
          prefix === undefined ? {} : { prefix },
        ),
        summaryOf,
      ),
    use,
  )
}

const summaryOf = (table: SourceTable | TableSummary): TableSummary => {
  if (!('kind' in table)) return table
  return {
    name: table.name,
    ...(table.description === undefined ? {} : { description: table.description }),
    format: table.kind === 'rows' ? 'rows' : 'files',
    selection: { table: table.name },
  }
}
