import { basename } from 'node:path'
import { ConnectorError, type ErrorPlace, type ErrorRecord, toConnectorError } from '@penstock/core'
import type { Style } from './text/style.ts'
import { printable, wrap } from './text/width.ts'

/** A command that failed and still has something to tell: a run with a failed table, a check with a failed step. */
export class CommandFailure extends Error {
  readonly error: ConnectorError
  readonly result: Readonly<Record<string, unknown>>
  /** False when the command has already printed the error for people. */
  readonly show: boolean

  constructor(
    error: ConnectorError,
    result: Readonly<Record<string, unknown>>,
    options: { show?: boolean } = {},
  ) {
    super(error.message, { cause: error })
    this.name = 'CommandFailure'
    this.error = error
    this.result = result
    this.show = options.show ?? true
  }
}

/** What went wrong, whatever was thrown. An abort counts as what the user asked for: `cancelled`. */
export const failureOf = (error: unknown, signal?: AbortSignal): ConnectorError => {
  if (signal?.aborted) {
    const reason: unknown = signal.reason
    return ConnectorError.isInstance(reason)
      ? reason
      : new ConnectorError('cancelled', 'Cancelled.', { cause: error })
  }
  return error instanceof CommandFailure ? error.error : toConnectorError(error)
}

/** The fields of an error as `--json` shows them. */
export const errorFields = (error: ConnectorError): ErrorRecord => ({
  kind: error.kind,
  ...(error.code === undefined ? {} : { code: error.code }),
  message: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
  ...(error.place === undefined ? {} : { place: error.place }),
})

/** Lines that tell a person what went wrong, where, and what to do. */
export const errorLines = (
  error: ErrorRecord | ConnectorError,
  style: Style,
  options: { width: number },
): string[] => {
  const width = Math.max(20, Math.min(options.width, 100) - 2)
  const indented = (text: string, first: string) =>
    wrap(text, width).map((line, index) => `${index === 0 ? first : '  '}${line}`)
  const message = error.message.split('\n').map(printable).join('\n')
  const code =
    error.code && error.code !== 'Usage' && error.kind !== 'cancelled' && !message.includes(error.code)
      ? ` (${error.code})`
      : ''
  const place = error.place ? placeText(error.place, message) : ''
  return [
    ...indented(message + code, `${style.red('✖')} `),
    ...(place ? indented(place, '  ').map((line) => style.dim(line)) : []),
    ...(error.hint ? indented(error.hint.split('\n').map(printable).join('\n'), `${style.cyan('→')} `) : []),
    ...(error.kind === 'internal' ? indented(internalHint, '  ') : []),
  ]
}

const internalHint = 'This is a bug in Penstock. Set PENSTOCK_DEBUG=1 for the details, and please report it.'

/** Where it is wrong; empty when the message says all of it. */
const placeText = (place: ErrorPlace, message: string): string => {
  const parts = [
    said(message, place.table) ? '' : `table ${place.table}`,
    said(message, place.object) || message.includes(basename(place.object ?? '')) ? '' : place.object,
    place.line === undefined || new RegExp(`(line |row |:)${place.line}\\b`, 'i').test(message)
      ? ''
      : `line ${place.line}`,
    place.byteOffset === undefined || message.includes(String(place.byteOffset))
      ? ''
      : `byte ${place.byteOffset}`,
    said(message, place.column) ? '' : `column ${place.column}`,
    said(message, place.value) ? '' : `value ${JSON.stringify(place.value)}`,
  ].filter(Boolean)
  return parts.length > 0 ? `at ${printable(parts.join(', '))}` : ''
}

const said = (message: string, text: string | undefined): boolean =>
  text === undefined || message.includes(text)
