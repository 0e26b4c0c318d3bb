import { ConnectorError } from '@penstock/core'
import { requireHelpful } from './connection-checks.ts'
import { endsWhenCancelled, fail, sameRows, within } from './expectations.ts'
import { type FaultProxy, type ProxyFault, startFaultProxy } from './fault-proxy.ts'
import { type ConformanceOptions, configAt, defaultPatienceMs } from './options.ts'
import type { Check } from './suite.ts'

/** Uses a connection of the given configuration for what it is for, and gives all that came out. */
export type Exercise = (config: unknown, signal: AbortSignal) => Promise<unknown[]>

const faults: readonly { readonly name: string; readonly fault: ProxyFault }[] = [
  { name: 'unavailable', fault: { kind: 'status', status: 503 } },
  { name: 'internal-error', fault: { kind: 'status', status: 500 } },
  { name: 'too-many-requests', fault: { kind: 'status', status: 429, retryAfterSeconds: 0 } },
  { name: 'reset', fault: { kind: 'reset' } },
  { name: 'reset-body', fault: { kind: 'reset-body' } },
  { name: 'truncated-body', fault: { kind: 'truncate-body' } },
]

/** Puts a proxy in front of the service, and gives a configuration that goes through it. */
export const throughProxy = async (
  options: ConformanceOptions,
  skip: (reason: string) => never,
  use: (proxy: FaultProxy, config: unknown) => Promise<void>,
): Promise<void> => {
  const endpoint = options.endpoint ?? skip('No endpoint was given, so nothing can be put in between.')
  if (!/^https?:/.test(endpoint)) skip('The service does not speak HTTP, which these faults are of.')
  if (typeof options.config !== 'function') skip('The configuration takes no other endpoint.')
  const proxy = await startFaultProxy(endpoint)
  try {
    await use(proxy, configAt(options, proxy.url))
  } finally {
    await proxy.close()
  }
}

/** What waits for an answer that does not come ends when it is cancelled. */
export const cancelCheck = (id: string, options: ConformanceOptions, exercise: Exercise): Check => ({
  id,
  title: 'It ends within a second after it was cancelled, also while it waits for an answer',
  run: ({ skip }) =>
    throughProxy(options, skip, (proxy, config) =>
      endsWhenCancelled('It', (signal) => {
        proxy.inject({ kind: 'hang' })
        return exercise(config, signal)
      }),
    ),
})

/**
 * Faults of the network and of the other side. Once: the right result, or an error that says so; lasting: an error
 * within the patience. Never a part of the result as if it were all.
 */
export const faultChecks = (options: ConformanceOptions, exercise: Exercise): Check[] => {
  const patience = options.patienceMs ?? defaultPatienceMs

  let sound: Promise<unknown[]> | undefined
  /** What comes out without a fault. */
  const soundResult = (signal: AbortSignal): Promise<unknown[]> => {
    sound ??= exercise(configAt(options), signal)
    return sound
  }

  const outcome = async (config: unknown, signal: AbortSignal): Promise<unknown[] | ConnectorError> => {
    try {
      return await within(patience, 'The connector', exercise(config, signal))
    } catch (error) {
      if (ConnectorError.isInstance(error)) return error
      throw error
    }
  }

  return [
    ...faults.map(
      ({ name, fault }): Check => ({
        id: `faults/${name}`,
        title: `The fault ${name}, once or lasting, never passes off a part as the whole`,
        run: ({ signal, skip }) =>
          throughProxy(options, skip, async (proxy, config) => {
            const wanted = await soundResult(signal)
            proxy.inject(fault, 1)
            const once = await outcome(config, signal)
            if (ConnectorError.isInstance(once)) requireHelpful(once, `The fault ${name}`)
            else requireSameResult(once, wanted, `With the fault ${name} once`)
            proxy.inject(fault)
            const lasting = await outcome(config, signal)
            if (!ConnectorError.isInstance(lasting)) fail(`With the fault ${name} all the time, it succeeds.`)
            else requireHelpful(lasting, `The lasting fault ${name}`)
          }),
      }),
    ),
    {
      id: 'faults/slow',
      title: 'An answer that comes in small pieces gives the same result',
      run: ({ signal, skip }) =>
        throughProxy(options, skip, async (proxy, config) => {
          proxy.inject({ kind: 'slow-drip' })
          requireSameResult(await exercise(config, signal), await soundResult(signal), 'With small pieces')
        }),
    },
  ]
}

const requireSameResult = (found: readonly unknown[], wanted: readonly unknown[], when: string): void =>
  sameRows(found, wanted, { found: `${when}, the result`, wanted: 'the one without a fault' })
