import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorFields } from '@penstock/command-kit'
import { ConnectorError, type ErrorKind } from '@penstock/core'
import type { ApiFailure, FieldProblem } from '../api.ts'

/** Largest body of a request: forms are small. */
const bodyLimit = 1024 * 1024

const statusOf: Readonly<Record<ErrorKind, number>> = {
  config: 422,
  auth: 502,
  permission: 502,
  'not-found': 404,
  conflict: 409,
  data: 422,
  network: 502,
  throttled: 502,
  resource: 507,
  cancelled: 499,
  internal: 500,
}

/** Headers of every answer: nothing from elsewhere runs, nothing is kept, nobody frames it. */
export const securityHeaders = (scriptHashes: readonly string[] = []): Readonly<Record<string, string>> => ({
  'content-security-policy': [
    "default-src 'none'",
    `script-src 'self' ${scriptHashes.map((hash) => `'sha256-${hash}'`).join(' ')}`.trim(),
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
})

export const replyJson = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { ...securityHeaders(), 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}

/** A form that can't be saved: one error, and what is wrong with each field. */
export const invalidForm = (error: ConnectorError, problems: readonly FieldProblem[]): ConnectorError =>
  new ConnectorError(error.kind, error.message, { code: 'InvalidForm', cause: problems })

const failureBody = (error: ConnectorError): ApiFailure => ({
  error: errorFields(error),
  ...(error.code === 'InvalidForm' ? { problems: error.cause as readonly FieldProblem[] } : {}),
})

export const replyError = (
  response: ServerResponse,
  error: ConnectorError,
  redact: (value: unknown) => unknown,
): void => replyJson(response, redact(failureBody(error)), statusOf[error.kind])

/** The JSON of a request. What is too large or no JSON is a `config` error. */
export const readJson = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new ConnectorError('config', 'The body of the request has to be JSON.')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new ConnectorError('config', 'The body of the request is too large.')
    chunks.push(chunk)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new ConnectorError('config', 'The body of the request is no JSON object.')
}

/** Aborted when the browser goes away before the answer is complete, or when the server closes. */
export const signalOf = (response: ServerResponse, closing: AbortSignal): AbortSignal => {
  const controller = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished)
      controller.abort(new ConnectorError('cancelled', 'The browser broke the request off.'))
  })
  return AbortSignal.any([controller.signal, closing])
}

/** An answer of JSON lines that come as they are known. */
export const replyLines = (response: ServerResponse): ((value: unknown) => void) => {
  response.writeHead(200, { ...securityHeaders(), 'content-type': 'application/x-ndjson; charset=utf-8' })
  response.flushHeaders()
  return (value) => void response.write(`${JSON.stringify(value)}\n`)
}

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const replyEvents = (response: ServerResponse): ((event: string, value: unknown) => void) => {
  response.writeHead(200, { ...securityHeaders(), 'content-type': 'text/event-stream; charset=utf-8' })
  response.flushHeaders()
  return (event, value) => void response.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`)
}
