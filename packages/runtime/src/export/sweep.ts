import {
  type AnyDestination,
  type Connection,
  ConnectorError,
  type Leftover,
  type UseOptions,
  withContext,
} from '@penstock/core'

export interface SweepOptions extends UseOptions {
  /** Only tells what there is (default true). */
  readonly dryRun?: boolean
  readonly onLeftover?: ((leftover: Leftover) => void) | undefined
}

/** Finds, and unless it is a dry run removes, what failed runs left at a destination. Counts; holds no list. */
export const sweepDestination = async (
  connection: Connection<AnyDestination>,
  options: SweepOptions = {},
): Promise<{ readonly found: number; readonly removed: number; readonly bytes: number }> => {
  const { connector } = connection
  const { dryRun = true, onLeftover, ...use } = options
  const { sweep } = connector
  if (!sweep)
    throw new ConnectorError('config', `${connector.name} leaves nothing behind that it could find.`, {
      code: 'NoSweep',
    })
  return withContext(
    connection,
    async (context) => {
      const counts = { found: 0, removed: 0, bytes: 0 }
      for await (const leftover of sweep(context, { dryRun })) {
        counts.found++
        counts.bytes += leftover.size ?? 0
        if (leftover.removed) counts.removed++
        onLeftover?.(leftover)
      }
      return counts
    },
    use,
  )
}
