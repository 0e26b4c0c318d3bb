import {
  type AccessPolicies,
  type AnyConnector,
  type ConnectionInput,
  ConnectorError,
  type ErrorKind,
} from '@penstock/core'
import type { Aws } from '../aws.ts'
import type { Check } from './suite.ts'

/** What a suite has to know of a connector to test it. What is left out leads to skipped checks, with the reason. */
export interface ConformanceOptions<Connector extends AnyConnector = AnyConnector> {
  /**
   * A configuration that works; as a function of the URL to talk to where `endpoint` is given, so that faults can be
   * put in between.
   */
  readonly config: ConnectionInput<Connector> | ((endpoint: string) => ConnectionInput<Connector>)
  /**
   * Base URL of the service that the configuration is for: `http://127.0.0.1:8080`. `tcp://127.0.0.1:5432` for one that
   * speaks something else; then faults of HTTP are skipped.
   */
  readonly endpoint?: string
  /** Configurations with one wrong field each, and how the check of the connection has to tell it. */
  readonly wrong?: readonly {
    readonly field: string
    readonly config: unknown
    readonly kind: ErrorKind
  }[]
  /** Configurations of earlier releases, which have to be accepted for ever. */
  readonly formerConfigs?: readonly unknown[]
  /** What is on the other side, as data: equal before and after a check of the connection. */
  readonly state?: () => Promise<unknown>
  /** A configuration whose identity is allowed exactly what the printed policy allows. */
  readonly underPolicy?: (policies: AccessPolicies) => Promise<unknown>
  /** The embedded AWS that the configuration is for: each of its faults is tried, too. */
  readonly aws?: Pick<Aws, 'faults' | 'log' | 's3'>
  /** Checks that can't hold for this connector, with the reason that its users read. */
  readonly skip?: Readonly<Record<string, string>>
  /** Longest wait for a connector that meets a lasting fault, in ms (default 30,000). */
  readonly patienceMs?: number
}

/** How long a connector may take to give up, in ms. */
export const defaultPatienceMs = 30_000

/** The working configuration, at a given URL or at the real one. */
export const configAt = (options: ConformanceOptions, endpoint = options.endpoint): unknown =>
  typeof options.config === 'function'
    ? (options.config as (endpoint: string) => unknown)(endpoint ?? '')
    : options.config

/** The checks with those replaced that can't hold, so that their reason shows. Throws for an id that no check has. */
export const withSkips = (skips: ConformanceOptions['skip'], checks: readonly Check[]): readonly Check[] => {
  for (const id of Object.keys(skips ?? {}))
    if (!checks.some((check) => check.id === id))
      throw new ConnectorError('config', `No check has the id ${id}.`, {
        hint: `Checks: ${checks.map((check) => check.id).join(', ')}.`,
      })
  return checks.map((check) => {
    const reason = skips?.[check.id]
    return reason === undefined ? check : { ...check, run: async ({ skip }) => skip(reason) }
  })
}
