import {
  type AnyConnector,
  type CheckStep,
  type Connection,
  ConnectorError,
  connectUnknown,
  errorKinds,
  toConnectorError,
  withContext,
} from '@penstock/core'
import { canonical, fail, show } from './expectations.ts'
import { type ConformanceOptions, configAt } from './options.ts'
import type { Check } from './suite.ts'

/** Runs the connector's own check; a throw counts as one failed step. */
export const stepsOf = async (
  connection: Connection,
  options: { readonly signal: AbortSignal; readonly notice?: (message: string) => void },
): Promise<CheckStep[]> => {
  const steps: CheckStep[] = []
  try {
    await withContext(
      connection,
      async (context) => {
        const outcome = connection.connector.check(context)
        if (!(Symbol.asyncIterator in outcome)) {
          await outcome
          steps.push({ id: 'check', title: 'Connection works', status: 'passed' })
        } else for await (const step of outcome) steps.push(step)
      },
      options,
    )
  } catch (error) {
    if (!ConnectorError.isInstance(error)) throw error
    steps.push({ id: 'check', title: 'Connection works', status: 'failed', error: toConnectorError(error) })
  }
  return steps
}

/** The first error of the steps; undefined when all is well. */
const failureOf = (steps: readonly CheckStep[]): ConnectorError | undefined =>
  steps.find((step) => step.status === 'failed')?.error

/** Fails unless an error is one that a user can act on. */
export const requireHelpful = (error: ConnectorError, what: string): void => {
  if (!errorKinds.includes(error.kind)) fail(`${what}: the kind ${show(error.kind)} is none of the contract.`)
  if (error.kind === 'internal')
    fail(`${what}: an internal error instead of one for the user: ${error.message}`)
  if (!error.hint) fail(`${what}: the error has no hint that says the way out: ${error.message}`)
}

/** Connects like a user of the library, with whatever the configuration throws as a failed step. */
const tryCheck = async (
  connector: AnyConnector,
  config: unknown,
  signal: AbortSignal,
): Promise<ConnectorError | undefined> => {
  let connection: Connection
  try {
    connection = connectUnknown(connector, config)
  } catch (error) {
    if (ConnectorError.isInstance(error)) return error
    throw error
  }
  return failureOf(await stepsOf(connection, { signal }))
}

/** What `penstock check` rests on. */
export const connectionChecks = (connector: AnyConnector, options: ConformanceOptions): Check[] => [
  {
    id: 'check/succeeds',
    title: 'The check of a working connection passes',
    run: async ({ signal }) => {
      const error = await tryCheck(connector, configAt(options), signal)
      if (error) fail(`It failed: ${error.message}`)
    },
  },
  {
    id: 'check/tells-what-is-wrong',
    title: 'Each wrong field fails the check with the right kind of error and a hint',
    run: async ({ signal, skip }) => {
      const wrong = options.wrong ?? skip('No wrong configurations were given (wrong).')
      for (const { field, config, kind } of wrong) {
        const error = await tryCheck(connector, config, signal)
        if (!error) fail(`A wrong ${field} passes the check.`)
        else {
          requireHelpful(error, `A wrong ${field}`)
          if (error.kind !== kind)
            fail(`A wrong ${field} is told as ${error.kind}, not as ${kind}: ${error.message}`)
        }
      }
    },
  },
  {
    id: 'check/leaves-nothing',
    title: 'The check leaves nothing behind',
    run: async ({ signal, skip }) => {
      const state = options.state ?? skip('The state of the other side was not given (state).')
      const before = canonical(await state())
      await tryCheck(connector, configAt(options), signal)
      const after = canonical(await state())
      if (after !== before) fail(`The other side changed from ${show(before)} to ${show(after)}.`)
    },
  },
]
