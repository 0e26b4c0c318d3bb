import { ConnectorError, type ConnectorErrorOptions, type ErrorKind, type ErrorPlace } from '@penstock/core'
import type { DatabaseError } from 'pg'
import type { PostgresContext } from './config.ts'

interface Told {
  readonly kind: ErrorKind
  readonly message?: string
  readonly hint?: string
}

type Where = Pick<PostgresContext, 'config' | 'auth'>

/** Codes by https://www.postgresql.org/docs/current/errcodes-appendix.html: the whole code, else its class. */
const told: Readonly<Record<string, (where: Where, error: DatabaseError) => Told>> = {
  '28P01': ({ auth }) => ({
    kind: 'auth',
    message: `The password of "${auth.user}" is wrong, or there is no such role.`,
    hint: 'Check user and password, and that the password has not expired (VALID UNTIL).',
  }),
  '28': ({ auth, config }, { message }) => ({
    kind: 'auth',
    message: `"${auth.user}" may not connect to "${config.database}": ${message}.`,
    hint: /no encryption/.test(message)
      ? 'The server wants TLS: set tls to verify-full.'
      : 'Check the role, and what pg_hba.conf of the server allows it.',
  }),
  '3D000': ({ config }) => ({
    kind: 'not-found',
    message: `There is no database "${config.database}" on ${config.host}.`,
    hint: 'Check its name; it has to be created before.',
  }),
  '3F000': ({ config }) => ({
    kind: 'not-found',
    message: `There is no schema "${config.schema}" in "${config.database}".`,
    hint: 'Create it, or allow the role to create it (penstock policy).',
  }),
  '42501': ({ auth }, { message }) => ({
    kind: 'permission',
    message: `"${auth.user}" lacks a permission: ${message}.`,
    hint: 'penstock policy CONNECTION prints what it needs, as GRANTs.',
  }),
  '23505': (_, { message }) => ({
    kind: 'data',
    message: `A row is there already: ${message}.`,
    hint: 'Use mode merge with --key, mode overwrite, or --dedupe for twins within the rows.',
  }),
  '23502': () => ({
    kind: 'data',
    hint: 'Leave such rows out (--mandatory COLUMN), or allow null in the table.',
  }),
  '23': () => ({
    kind: 'data',
    hint: 'The rule belongs to the table: correct the rows, or change the rule.',
  }),
  '22021': (_, { message }) => ({
    kind: 'data',
    message: `A text can't be stored: ${message}.`,
    hint: 'PostgreSQL has no NUL character in texts: replace it in a SELECT.',
  }),
  '22': () => ({
    kind: 'data',
    hint: 'The column does not take this value: convert it in a SELECT, or change the type of the column.',
  }),
  '25006': ({ config }) => ({
    kind: 'config',
    message: `${config.host} takes no writes: it is a replica, or set to read only.`,
    hint: 'Give the host of the primary.',
  }),
  '53300': () => ({
    kind: 'throttled',
    message: 'The server has no connection left.',
    hint: 'Try again later, or raise max_connections or the limit of the role.',
  }),
  '53': ({ config }, { message }) => ({
    kind: 'resource',
    message: `${config.host} has run out of something: ${message}.`,
    hint: 'Make room on the server, and try again.',
  }),
  '55P03': ({ config }) => ({
    kind: 'conflict',
    message: `Another transaction held a lock for more than ${config.lockTimeoutSeconds} seconds.`,
    hint: 'Wait until the other has ended (pg_stat_activity tells), or raise lockTimeoutSeconds.',
  }),
  '40': () => ({ kind: 'conflict', hint: 'Another transaction came first: run it again.' }),
  '57014': (_, { message }) =>
    /timeout/.test(message)
      ? {
          kind: 'throttled',
          message: `The server ended a statement: ${message}.`,
          hint: 'Raise statementTimeoutSeconds, or write fewer rows at once.',
        }
      : {
          kind: 'conflict',
          message: 'Somebody cancelled the statement on the server.',
          hint: 'Run it again.',
        },
  '57P03': ({ config }, { message }) => ({
    kind: 'network',
    message: `${config.host} does not take connections now: ${message}.`,
    hint: 'Try again in a moment.',
  }),
  '57': (_, { message }) => ({
    kind: 'network',
    message: `The server ended the connection: ${message}.`,
    hint: 'Nothing was written in part. Run it again.',
  }),
  '08': () => ({ kind: 'network', hint: 'Nothing was written in part. Run it again.' }),
  '42': () => ({ kind: 'config', hint: 'The table does not fit the rows: see the message of the server.' }),
}

const asSentence = (text: string): string => text.replace(/^./u, (first) => first.toUpperCase())

/** What the server said, as an error in the user's terms; other errors by what the network or TLS said. */
export const translateError = (
  error: unknown,
  context: Where & { readonly signal: AbortSignal },
): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  if (context.signal.aborted)
    return ConnectorError.isInstance(context.signal.reason)
      ? context.signal.reason
      : new ConnectorError('cancelled', 'Cancelled.', { cause: error })
  if (isDatabaseError(error)) return translateDatabaseError(error, context)
  return translateConnectionError(error, context)
}

/** Two copies of the library have two classes: what tells is the code of five characters. */
export const isDatabaseError = (error: unknown): error is DatabaseError & { readonly code: string } =>
  error instanceof Error && 'severity' in error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code))

const translateDatabaseError = (
  error: DatabaseError & { readonly code: string },
  where: Where,
): ConnectorError => {
  const entry = told[error.code] ?? told[error.code.slice(0, 2)]
  const { kind, message, hint } = entry?.(where, error) ?? { kind: 'internal' as const }
  const options: ConnectorErrorOptions = { code: error.code, cause: error }
  if (hint !== undefined) options.hint = hint
  const place = placeOf(error)
  if (place) options.place = place
  return new ConnectorError(kind, message ?? asSentence(`${error.message}.`), options)
}

/** Longest value that a place shows. */
const shownValue = 100

/** https://www.postgresql.org/docs/current/protocol-error-fields.html; a COPY tells line, column and value in `where`. */
const placeOf = ({ table, column, where, detail }: DatabaseError): ErrorPlace | undefined => {
  const copied = /, line (\d+)(?:, column (.*?))?(?:: (?:"(.*)"|null input))?$/s.exec(where ?? '')
  const key = /^Key \(.*\)=\((.*)\)/s.exec(detail ?? '')?.[1]
  const named = copied?.[2] ?? column
  const value = copied?.[2] === undefined ? key : copied[3]
  const place: ErrorPlace = {
    ...(table !== undefined && { table }),
    ...(copied?.[1] !== undefined && { line: Number(copied[1]) }),
    ...(named !== undefined && { column: named }),
    ...(value !== undefined && { value: value.slice(0, shownValue) }),
  }
  return Object.keys(place).length > 0 ? place : undefined
}

const networkHints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Check host and port, and that the server listens there.',
  ENOTFOUND: 'Check the host name.',
  EAI_AGAIN: 'The name can not be looked up now: check the network.',
  ENOENT: 'There is no socket in that folder: check host and port.',
}

const translateConnectionError = (error: unknown, { config, auth }: Where): ConnectorError => {
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as NodeJS.ErrnoException).code
  const options = { cause: error, ...(code !== undefined && { code }) }
  const server = `${config.host}:${config.port}`
  if (/does not support SSL/i.test(message))
    return new ConnectorError('config', `${server} does not speak TLS.`, {
      ...options,
      hint: 'Switch TLS on at the server; or set tls to disable, which sends everything in clear.',
    })
  if (/certificate|CERT|_ISSUER|ERR_TLS|ERR_SSL|PEM/i.test(`${code} ${message}`))
    return new ConnectorError('config', `TLS with ${server} fails: ${message}.`, {
      ...options,
      hint: 'Give the CA of the server (ca), and the host name that its certificate has. tls: verify-ca does not compare the name.',
    })
  if (/SASL|SCRAM|password/i.test(message))
    return new ConnectorError('auth', `"${auth.user}" can't log in: ${message}.`, {
      ...options,
      hint: 'Check user, password and auth method.',
    })
  if (/timeout/i.test(message))
    return new ConnectorError(
      'network',
      `${server} did not answer within ${config.connectTimeoutSeconds} seconds.`,
      { ...options, hint: 'Check host, port and firewalls, or raise connectTimeoutSeconds.' },
    )
  if (code !== undefined && code in networkHints)
    return new ConnectorError('network', `${server} can't be reached: ${message}.`, {
      ...options,
      hint: networkHints[code] ?? '',
    })
  if (
    /terminated|ended|closed|not queryable|EPIPE|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i.test(
      `${code} ${message}`,
    )
  )
    return new ConnectorError('network', `The connection to ${server} broke off: ${message}.`, {
      ...options,
      hint: 'Nothing was written in part. Run it again.',
    })
  return new ConnectorError('internal', message, options)
}
