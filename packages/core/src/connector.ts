import type { z } from 'zod'
import type { AuthMethod } from './auth.ts'
import type { CheckStep } from './check.ts'

export type MaybePromise<T> = T | Promise<T>

/** What every function of a connector gets. Frozen; one per use of a connection. */
export interface ConnectorContext<Config = unknown, Auth = unknown> {
  readonly config: Config
  /** What the chosen auth method resolved to; undefined for a connector without auth methods. */
  readonly auth: Auth
  readonly signal: AbortSignal
  readonly clock: () => Date
  /** Requests in flight that the user allows; undefined leaves it to the connector. */
  readonly concurrency: number | undefined
  /** Registers a clean-up that runs when this use of the connection ends, in reverse order. */
  readonly defer: (cleanup: () => MaybePromise<void>) => void
  /** Tells the user something that is no error. */
  readonly notice: (message: string) => void
}

/** What the auth methods of a connector resolve to. */
export type ResolvedAuth<Methods extends readonly AuthMethod[]> =
  Methods[number] extends AuthMethod<z.ZodType, infer Resolved> ? Resolved : never

export interface PolicyOptions {
  /** Allow only from these CIDR blocks. */
  readonly sourceIps?: readonly string[]
  /** Deny what doesn't come over TLS. */
  readonly secureTransport?: boolean
  /** Only what these actions of an actions connector need (default: all of them). */
  readonly actions?: readonly string[]
}

/** What has to be allowed on the other side, ready to paste. */
export interface AccessPolicies {
  /** A document of plain data, shown as JSON; or a text in the other side's own language, such as SQL. */
  readonly policy: unknown
  /** Who may assume the role, for auth methods with a role. */
  readonly trust?: unknown
}

/** What every kind of connector has. */
export interface ConnectorDefinition<Config extends z.ZodType, Methods extends readonly AuthMethod[]> {
  /** Stable id, beginning with its kind: `source-s3`. */
  readonly name: string
  readonly title?: string
  readonly description?: string
  /** The one schema from which types, flags, wizard, JSON Schema and docs come. */
  readonly config: Config
  readonly auth?: Methods
  /** Does the real calls. Throws at the first failure, or yields a step for each thing that it tried. */
  check(
    context: ConnectorContext<z.output<Config>, ResolvedAuth<Methods>>,
  ): Promise<void> | AsyncIterable<CheckStep>
  /** Least privilege for this configuration. */
  policy?(
    context: {
      readonly config: z.output<Config>
      readonly authMethod: string | undefined
      readonly authFields: unknown
    },
    options: PolicyOptions,
  ): AccessPolicies
}
