import type { z } from 'zod'
import type { AnyConnector } from './any-connector.ts'
import type { AuthMethod } from './auth.ts'
import type { ConnectorContext, ResolvedAuth } from './connector.ts'
import { ConnectorError } from './errors.ts'
import { nearest } from './nearest.ts'
import { schemaFields } from './schema-fields.ts'
import { revealAll } from './secret.ts'

/** A connector with a validated configuration and a chosen auth method: ready for use, nothing opened yet. */
export interface Connection<Connector extends AnyConnector = AnyConnector> {
  readonly connector: Connector
  /** Name in the project, where it has one. */
  readonly name: string | undefined
  readonly config: z.output<Connector['config']>
  readonly authMethod: string | undefined
  readonly authFields: unknown
  /** Every secret text of the configuration: what no output may hold. */
  readonly secrets: () => readonly string[]
}

/** Input of a schema; of one without fields an object, not zod's `Record<string, never>`, which nothing can extend. */
type FieldsOf<Schema extends z.ZodType> = string extends keyof z.input<Schema> ? object : z.input<Schema>

type MethodInput<Method> =
  Method extends AuthMethod<infer Fields, infer _Resolved, infer Id>
    ? { readonly method: Id } & FieldsOf<Fields>
    : never

type AuthInput<Methods extends readonly AuthMethod[]> = Methods extends readonly []
  ? { readonly auth?: undefined }
  : { readonly auth: MethodInput<Methods[number]> }

/** Input of {@link connect}: the connector's own fields, and `auth` where it has auth methods. */
export type ConnectionInput<Connector extends AnyConnector> = FieldsOf<Connector['config']> &
  (Connector extends { readonly auth?: infer Methods }
    ? Exclude<Methods, undefined> extends readonly AuthMethod[]
      ? AuthInput<Exclude<Methods, undefined>>
      : object
    : object)

/** Validates a configuration. Throws a `config` error that names each wrong field. */
export const connect = <Connector extends AnyConnector>(
  connector: Connector,
  input: ConnectionInput<Connector>,
  options: { name?: string } = {},
): Connection<Connector> => connectUnknown(connector, input, options)

/** {@link connect} for input of unknown shape: a project file, flags. */
export const connectUnknown = <Connector extends AnyConnector>(
  connector: Connector,
  input: unknown,
  options: { name?: string } = {},
): Connection<Connector> => {
  const { auth, ...fields } = (input ?? {}) as Record<string, unknown>
  refuseUnknown(connector.config, fields, `connector ${connector.name}`)
  const config = parse(connector.config, fields, `connector ${connector.name}`)
  const methods: readonly AuthMethod[] = connector.auth ?? []
  const chosen = methods.length > 0 ? parseAuth(methods, auth) : undefined
  if (methods.length === 0 && auth !== undefined)
    throw new ConnectorError('config', `Connector ${connector.name} takes no auth.`, {
      hint: 'Remove the field auth.',
    })
  return Object.freeze({
    connector,
    name: options.name,
    config,
    authMethod: chosen?.method,
    authFields: chosen?.fields,
    secrets: () => [...revealAll(config), ...revealAll(chosen?.fields)],
  })
}

const parseAuth = (methods: readonly AuthMethod[], auth: unknown): { method: string; fields: unknown } => {
  const known = methods.map((method) => method.id).join(', ')
  const { method: id, ...fields } = (auth ?? {}) as Record<string, unknown>
  const method = methods.find((candidate) => candidate.id === id)
  if (!method)
    throw new ConnectorError(
      'config',
      id === undefined ? 'No auth method is chosen.' : `Unknown auth method "${id}".`,
      {
        hint: `Set auth.method to one of: ${known}.`,
      },
    )
  refuseUnknown(method.fields, fields, `auth method ${method.id}`)
  return { method: method.id, fields: parse(method.fields, fields, `auth method ${method.id}`) }
}

/** A plain zod object drops what it does not know; a configuration must not hold a field that does nothing. */
const refuseUnknown = (
  schema: z.ZodType,
  input: Readonly<Record<string, unknown>>,
  subject: string,
): void => {
  const definition = schema._zod.def as { readonly type: string; readonly catchall?: unknown }
  if (definition.type !== 'object' || definition.catchall !== undefined) return
  const known = schemaFields(schema).map((field) => field.name)
  const unknown = Object.keys(input).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const guess = nearest(unknown[0] ?? '', known)
  throw new ConnectorError('config', `Unknown field of ${subject}: ${unknown.join(', ')}.`, {
    code: 'InvalidConfiguration',
    hint: guess ? `Did you mean ${guess}?` : `Fields: ${known.join(', ') || 'none'}.`,
  })
}

/** Parses with a zod schema; a failure is one `config` error that lists each field. The values stay out of it. */
export const parse = <Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  subject: string,
): z.output<Schema> => {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const lines = result.error.issues.map(
    (issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`,
  )
  throw new ConnectorError('config', `Invalid configuration of ${subject}: ${lines.join('; ')}.`, {
    code: 'InvalidConfiguration',
    hint: `Fields: ${issueFields(result.error)}.`,
  })
}

const issueFields = (error: z.ZodError): string =>
  [...new Set(error.issues.map((issue) => issue.path.join('.') || '(top level)'))].join(', ')

/** Context of a connector's functions: its configuration, and what its auth methods resolve to. */
export type ContextOf<Connector extends AnyConnector> = ConnectorContext<
  z.output<Connector['config']>,
  Connector extends { readonly auth?: infer Methods }
    ? Exclude<Methods, undefined> extends readonly AuthMethod[]
      ? ResolvedAuth<Exclude<Methods, undefined>>
      : undefined
    : undefined
>

export interface UseOptions {
  readonly signal?: AbortSignal | undefined
  readonly clock?: (() => Date) | undefined
  /** Requests in flight; undefined leaves it to the connector. */
  readonly concurrency?: number | undefined
  readonly notice?: ((message: string) => void) | undefined
}

/**
 * Resolves the auth of a connection, gives the connector's context to `use`, and runs the registered clean-ups
 * when it ends, however it ends.
 */
export const withContext = async <Result, Connector extends AnyConnector>(
  connection: Connection<Connector>,
  use: (context: ContextOf<Connector>) => Promise<Result>,
  options: UseOptions = {},
): Promise<Result> => {
  const signal = options.signal ?? new AbortController().signal
  const clock = options.clock ?? (() => new Date())
  const cleanups: (() => void | Promise<void>)[] = []
  try {
    const method = (connection.connector.auth as readonly AuthMethod[] | undefined)?.find(
      (candidate) => candidate.id === connection.authMethod,
    )
    const auth = method ? await method.resolve(connection.authFields, { signal, clock }) : undefined
    return await use(
      Object.freeze({
        config: connection.config,
        auth,
        signal,
        clock,
        concurrency: options.concurrency,
        defer: (cleanup: () => void | Promise<void>) => void cleanups.push(cleanup),
        notice: options.notice ?? (() => {}),
      }) as ContextOf<Connector>,
    )
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}
