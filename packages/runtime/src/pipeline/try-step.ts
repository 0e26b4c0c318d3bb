import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError, type ErrorKind, toConnectorError } from '@penstock/core'
import type { OpenedStep } from '../project/steps.ts'
import type { StepOutcome } from './outcome.ts'

export interface TryOptions {
  readonly signal: AbortSignal
  /** Tells of a try that begins, with its number from 1. */
  readonly onTry: (number: number) => Promise<void>
  readonly onRetry: (number: number, error: ConnectorError) => void
}

/**
 * Tries a step as often as its `retries` say, each try within its `timeout`. What the user has to correct, in the project
 * or in the data, and a cancelled run are not tried again: the same fails for the same reason, only later. Throws the error of the last try.
 */
export const tryStep = async (
  step: Pick<OpenedStep, 'id' | 'retries' | 'timeout'>,
  work: (signal: AbortSignal, number: number) => Promise<StepOutcome>,
  { signal, onTry, onRetry }: TryOptions,
): Promise<StepOutcome> => {
  for (let number = 1; ; number++) {
    await onTry(number)
    const limit = limitOf(step)
    const both = limit ? AbortSignal.any([signal, limit.signal]) : signal
    try {
      both.throwIfAborted()
      return await work(both, number)
    } catch (thrown) {
      const error = toConnectorError(both.aborted ? both.reason : thrown)
      const final = signal.aborted || isForTheUser.has(error.kind) || number > step.retries.count
      if (final) throw error
      onRetry(number, error)
    } finally {
      clearTimeout(limit?.timer)
    }
    await sleep(step.retries.delay, undefined, { signal }).catch(() => {
      throw toConnectorError(signal.reason)
    })
  }
}

const isForTheUser: ReadonlySet<ErrorKind> = new Set(['config', 'data'])

const limitOf = ({ id, timeout }: Pick<OpenedStep, 'id' | 'timeout'>) => {
  if (timeout === undefined) return undefined
  const controller = new AbortController()
  const error = new ConnectorError(
    'resource',
    `Step ${id} took longer than its timeout of ${timeout / 1000} s.`,
    {
      code: 'StepTimeout',
      hint: 'Raise timeout, or give the step less to do.',
    },
  )
  return { signal: controller.signal, timer: setTimeout(() => controller.abort(error), timeout) }
}
