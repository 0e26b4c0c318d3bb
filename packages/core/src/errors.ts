/**
 * Kinds of failure, from the user's point of view. A caller decides by kind: the command line maps it to an
 * exit code, a transfer retries `network` and `throttled` and nothing else.
 */
export const errorKinds = [
  'config', // what the user gave is wrong: a flag, a field, a template
  'auth', // the credentials are wrong, expired or can't be resolved
  'permission', // the credentials are right, and may not do this
  'not-found', // bucket, object, table or file that isn't there
  'conflict', // somebody else has it, or it changed underneath
  'data', // the bytes are not what they should be
  'network', // the other side can't be reached, or broke off
  'throttled', // the other side asks to slow down
  'resource', // disk, memory or another local limit
  'cancelled', // the user or a signal ended it
  'internal', // a bug
] as const

export type ErrorKind = (typeof errorKinds)[number]

/** Where in the input something is wrong. Lines, columns and rows count from 1, bytes from 0. */
export interface ErrorPlace {
  /** URL or key of the object. */
  object?: string
  table?: string
  line?: number
  /** Position of the first byte of the record in the (decompressed) object. */
  byteOffset?: number
  column?: string
  /** The offending text, shortened by whoever throws; never a secret. */
  value?: string
}

export interface ConnectorErrorOptions {
  /** The way out, as an instruction. */
  hint?: string
  place?: ErrorPlace
  /** Machine-readable name of the cause, for example `AccessDenied`; part of `--json`. */
  code?: string
  cause?: unknown
}

const marker = Symbol.for('penstock.ConnectorError')

/**
 * The one error type that leaves a connector. The message speaks in the user's terms, `hint` says what to do.
 * Recognise it with `ConnectorError.isInstance`, which also holds when two copies of this package are installed.
 */
export class ConnectorError extends Error {
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly place: ErrorPlace | undefined
  readonly code: string | undefined

  constructor(kind: ErrorKind, message: string, options: ConnectorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ConnectorError'
    this.kind = kind
    this.hint = options.hint
    this.place = options.place
    this.code = options.code
    Object.defineProperty(this, marker, { value: true })
  }

  static isInstance(value: unknown): value is ConnectorError {
    return typeof value === 'object' && value !== null && marker in value
  }
}

/** True for errors that a second try may heal. */
export const isTransient = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && (error.kind === 'network' || error.kind === 'throttled')

/** The error as a ConnectorError: itself, `cancelled` for an abort, else `internal` with the cause kept. */
export const toConnectorError = (error: unknown): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new ConnectorError('cancelled', 'Cancelled.', { cause: error })
  const message = error instanceof Error ? error.message : String(error)
  return new ConnectorError('internal', message, { cause: error })
}
