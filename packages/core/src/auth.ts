import type { z } from 'zod'

/** What an auth method may use while it resolves. */
export interface AuthContext {
  readonly signal: AbortSignal
  readonly clock: () => Date
}

/**
 * A way to prove who one is. `resolve` turns the user's fields into what the connector's client takes:
 * a header, a token, a credential provider that refreshes itself.
 */
export interface AuthMethod<
  Fields extends z.ZodType = z.ZodType,
  Resolved = unknown,
  Id extends string = string,
> {
  readonly specificationVersion: 1
  /** Stable id, the value of `auth.method` in a project file: `access-key`. */
  readonly id: Id
  readonly title: string
  readonly description?: string
  /** Shown first in the wizard. */
  readonly recommended?: boolean
  readonly fields: Fields
  resolve(fields: z.output<Fields>, context: AuthContext): Resolved | Promise<Resolved>
}

export const defineAuth = <Fields extends z.ZodType, Resolved, const Id extends string>(
  method: Omit<AuthMethod<Fields, Resolved, Id>, 'specificationVersion'>,
): AuthMethod<Fields, Resolved, Id> => Object.freeze({ specificationVersion: 1 as const, ...method })
