import { hash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { AwsCredentialProvider, AwsCredentials } from '../auth/authentication.ts'
import { type AwsFailure, awsFailure } from '../errors/safe-cause.ts'
import { clockOffset, isExpired, isSkew } from '../errors/signature.ts'
import { readText } from '../http/read-text.ts'
import type { Retries } from '../http/retry.ts'
import { singleValues } from '../http/sdk-handler.ts'
import { encodeKey, encodeQuery } from '../signing/encode.ts'
import { emptyPayloadHash, signRequest } from '../signing/sign.ts'

/** How requests of a catalog prove who sends them. */
export type RestAuthorization =
  | { readonly kind: 'none' }
  /** Signature Version 4. The service is part of it, whatever the host is called (a VPC endpoint). */
  | {
      readonly kind: 'sigv4'
      readonly service: string
      readonly region: string
      readonly provider: AwsCredentialProvider
    }
  /** `rejected`: a token that the catalog did not accept; then a newer one, or the same when there is none. */
  | {
      readonly kind: 'bearer'
      token(options: { readonly rejected?: string; signal: AbortSignal }): Promise<string>
    }

/** A request as it goes out: by GET, or by POST a form (the token endpoint of OAuth 2) or an operation of a JSON API. */
export interface RestRequest {
  /** Path behind that of the endpoint, encoded as it is sent. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
  /** An operation by the JSON 1.1 protocol of AWS: what goes as X-Amz-Target, and its input as JSON. */
  readonly json?: { readonly target: string; readonly body: string }
  readonly signal: AbortSignal
}

export interface RestTransportOptions {
  readonly endpoint: URL
  readonly authorization: RestAuthorization
  readonly dispatcher: Dispatcher
  readonly clock: () => Date
  readonly retries: Retries
}

/** Bytes of an answer at most: metadata of a table comes inline. */
const maxBodyBytes = 256 << 20
const maxErrorBytes = 64 << 10

/** Sends one request and gives the body. An answer beyond 2xx is thrown as AwsFailure. */
export type RestTransport = (request: RestRequest) => Promise<Uint8Array>

interface Attempt {
  readonly credentials?: AwsCredentials
  readonly token?: string
}

/** A clock that is off is corrected once, an expired token or session renewed once; nothing else is tried again here. */
export const createRestTransport = (options: RestTransportOptions): RestTransport => {
  const { endpoint, authorization, dispatcher, clock, retries } = options
  const base = endpoint.pathname.replace(/\/+$/, '')
  let clockOffsetMs = 0

  const headersOf = (
    request: RestRequest,
    path: string,
    query: string,
    attempt: Attempt,
  ): Record<string, string> => {
    const { json } = request
    const plain = {
      host: endpoint.host,
      accept: 'application/json',
      ...(json ? { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': json.target } : {}),
      ...request.headers,
    }
    if (attempt.token !== undefined) return { ...plain, authorization: `Bearer ${attempt.token}` }
    if (authorization.kind !== 'sigv4' || !attempt.credentials) return plain
    const { service, region } = authorization
    return signRequest({
      method: json ? 'POST' : 'GET',
      // Services other than S3 encode the path a second time: `%3A` counts as `%253A` in the signature.
      path: encodeKey(path),
      query,
      headers: plain,
      payloadHash: json ? hash('sha256', json.body) : emptyPayloadHash,
      credentials: attempt.credentials,
      region,
      service,
      date: new Date(clock().getTime() + clockOffsetMs),
    })
  }

  const sendOnce = async (request: RestRequest, attempt: Attempt): Promise<Uint8Array | AwsFailure> => {
    const path = `${base}/${request.path}`
    const query = encodeQuery(request.query ?? {})
    const { form, json, signal } = request
    const body = form ? encodeQuery(form) : json?.body
    const answer = await dispatcher.request({
      origin: endpoint.origin,
      path: query === '' ? path : `${path}?${query}`,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...headersOf(request, path, query, attempt),
        'user-agent': 'penstock',
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(body === undefined ? {} : { body }),
      signal,
    })
    retries.answered()
    const { statusCode: status } = answer
    if (status >= 200 && status < 300) return readBytes(answer.body)
    return failureOf(status, singleValues(answer.headers), await readText(answer.body, maxErrorBytes))
  }

  const credentialsFor = async (signal: AbortSignal, rejected?: Attempt): Promise<Attempt> => {
    if (authorization.kind === 'sigv4')
      return {
        credentials: await authorization.provider(
          rejected?.credentials ? { rejected: rejected.credentials } : undefined,
        ),
      }
    if (authorization.kind === 'none') return {}
    return {
      token: await authorization.token(
        rejected?.token === undefined ? { signal } : { rejected: rejected.token, signal },
      ),
    }
  }

  return async (request) => {
    // The token endpoint proves the client in its form.
    let attempt = request.form ? {} : await credentialsFor(request.signal)
    let corrected = false
    let renewed = false
    for (;;) {
      const outcome = await sendOnce(request, attempt)
      if (outcome instanceof Uint8Array) return outcome
      const offset = isSkew(outcome, clock()) ? clockOffset(outcome, clock()) : undefined
      if (offset !== undefined && !corrected) {
        clockOffsetMs = offset
        corrected = true
        continue
      }
      if (!renewed && !request.form && (isExpired(outcome) || outcome.status === 401)) {
        const fresh = await credentialsFor(request.signal, attempt)
        renewed = true
        if (fresh.token !== attempt.token || fresh.credentials !== attempt.credentials) {
          attempt = fresh
          continue
        }
      }
      throw outcome
    }
  }
}

const readBytes = async (body: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBodyBytes)
      throw awsFailure({
        code: 'AnswerTooLarge',
        message: `The answer has more than ${maxBodyBytes} bytes`,
        status: 200,
        headers: {},
        fields: {},
      })
  }
  return Buffer.concat(chunks)
}

/**
 * `{"error":{"code","type","message"}}` of Iceberg REST, `{"error","error_description"}` of OAuth 2, or `{"__type","Message"}`
 * of AWS, where a namespace may stand before the type.
 */
const failureOf = (status: number, headers: Readonly<Record<string, string>>, text: string): AwsFailure => {
  const { type, message } = errorOf(text)
  return awsFailure({ code: type ?? `Http${status}`, message: message ?? '', status, headers, fields: {} })
}

const errorOf = (text: string): { type?: string | undefined; message?: string | undefined } => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return {} // a proxy's page
  }
  const { error, error_description, message, Message, __type } = (parsed ?? {}) as Record<string, unknown>
  if (typeof error === 'object' && error !== null) {
    const inner = error as Record<string, unknown>
    return { type: textOf(inner.type), message: textOf(inner.message) }
  }
  return {
    type: textOf(error) ?? textOf(__type)?.replace(/^.*#/, ''),
    message: textOf(error_description) ?? textOf(message) ?? textOf(Message),
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
