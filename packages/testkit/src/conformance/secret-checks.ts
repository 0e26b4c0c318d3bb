import { inspect } from 'node:util'
import {
  type AnyConnector,
  type Connection,
  ConnectorError,
  connectUnknown,
  type PolicyOptions,
} from '@penstock/core'
import { stepsOf } from './connection-checks.ts'
import { fail } from './expectations.ts'
import type { Exercise } from './fault-checks.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { type ConformanceOptions, configAt } from './options.ts'
import type { Check } from './suite.ts'

/** Shorter texts occur by chance. */
const shortestSecret = 6

/** Everything that a value shows of itself: as JSON, printed in depth, with stacks and causes. */
const textOf = (value: unknown): string => {
  const printed = inspect(value, { depth: 12, maxStringLength: null, maxArrayLength: null, showHidden: true })
  try {
    return `${printed}\n${JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}` : item))}`
  } catch {
    return printed
  }
}

/** Secrets of the configuration are found nowhere in what the connector says. */
export const secretChecks = (
  connector: AnyConnector,
  options: ConformanceOptions,
  exercise: (config: unknown, signal: AbortSignal, notice: (message: string) => void) => Promise<unknown>,
): Check[] => {
  const requireHidden = (secrets: readonly string[], said: unknown, where: string) => {
    const text = textOf(said)
    for (const secret of secrets)
      for (const form of new Set([
        secret,
        encodeURIComponent(secret),
        Buffer.from(secret).toString('base64'),
      ]))
        if (text.includes(form)) fail(`A secret is in ${where}.`)
  }
  const secretsOf = (connection: Connection, skip: (reason: string) => never) => {
    const secrets = connection.secrets().filter((secret) => secret.length >= shortestSecret)
    return secrets.length > 0 ? secrets : skip('The configuration has no secrets of 6 characters or more.')
  }

  return [
    {
      id: 'secrets/hidden',
      title: 'Secrets are in no check step, notice or printed connection',
      run: async ({ signal, skip }) => {
        const config = configAt(options)
        const connection = connectUnknown(connector, config)
        const secrets = secretsOf(connection, skip)
        const notices: string[] = []
        const { connector: _, ...own } = connection
        requireHidden(secrets, own, 'the printed connection')
        const steps = await stepsOf(connection, { signal, notice: (message) => notices.push(message) })
        requireHidden(secrets, steps, 'a step of the check')
        await exercise(config, signal, (message) => notices.push(message))
        requireHidden(secrets, notices, 'a notice')
      },
    },
    {
      id: 'secrets/errors',
      title: 'Secrets are in no error, its cause and stack included',
      run: async ({ signal, skip }) => {
        const secrets = secretsOf(connectUnknown(connector, configAt(options)), skip)
        for (const { field, config } of options.wrong ?? []) {
          const error = await errorOf(() => exercise(config, signal, () => {}))
          requireHidden(secrets, error, `the error about a wrong ${field}`)
        }
        if (options.endpoint === undefined || typeof options.config !== 'function') return
        const proxy = await startFaultProxy(options.endpoint)
        try {
          proxy.inject({ kind: 'reset' })
          const error = await errorOf(() => exercise(configAt(options, proxy.url), signal, () => {}))
          requireHidden(secrets, error, 'the error about a reset connection')
        } finally {
          await proxy.close()
        }
      },
    },
  ]
}

const errorOf = async (use: () => Promise<unknown>): Promise<unknown> => {
  try {
    await use()
    return undefined
  } catch (error) {
    return error
  }
}

/** The connector works under exactly the policy that it prints. */
export const policyChecks = (
  connector: AnyConnector,
  options: ConformanceOptions,
  exercise: Exercise,
): Check[] => [
  policyCheck(connector, options, exercise, {
    id: 'policy/least-privilege',
    title: 'It works under exactly the policy that it prints',
  }),
]

/** {@link policyChecks}, for a policy that is printed with these options. */
export const policyCheck = (
  connector: AnyConnector,
  options: ConformanceOptions,
  exercise: Exercise,
  { id, title, print = {} }: Pick<Check, 'id' | 'title'> & { readonly print?: PolicyOptions },
): Check => ({
  id,
  title,
  run: async ({ signal, skip }) => {
    if (!connector.policy) return skip('The connector prints no policy.')
    const underPolicy =
      options.underPolicy ?? skip('No identity under the printed policy was given (underPolicy).')
    const { config, authMethod, authFields } = connectUnknown(connector, configAt(options))
    const policies = connector.policy({ config, authMethod, authFields }, print)
    try {
      await exercise(await underPolicy(policies), signal)
    } catch (error) {
      if (ConnectorError.isInstance(error)) fail(`Under its own policy: ${error.message}`)
      throw error
    }
  },
})
