import { ConnectorError } from '@penstock/core'
import { exitCodes } from './exit-codes.ts'

export interface Interruption {
  /** Aborted at the first SIGINT or SIGTERM, with a `cancelled` error as its reason. */
  readonly signal: AbortSignal
  dispose(): void
}

const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * The first Ctrl-C (or SIGTERM) asks the command to stop and clean up, the second one ends the process at once.
 * `onStop` tells the user so.
 */
export const listenForInterruption = (onStop: (signal: NodeJS.Signals) => void): Interruption => {
  const controller = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(exitCodes.cancelled)
    onStop(signal)
    controller.abort(
      new ConnectorError('cancelled', signal === 'SIGINT' ? 'Stopped by Ctrl-C.' : 'Stopped by SIGTERM.', {
        code: 'Interrupted',
      }),
    )
  }
  for (const signal of signals) process.on(signal, stop)
  return Object.freeze({
    signal: controller.signal,
    dispose: () => {
      for (const signal of signals) process.off(signal, stop)
    },
  })
}
