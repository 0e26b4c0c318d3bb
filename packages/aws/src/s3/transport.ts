import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { AwsCredentialProvider, AwsCredentials } from '../auth/authentication.ts'
import type { BucketAddress } from '../connection/endpoint.ts'
import { type AwsFailure, awsFailure } from '../errors/safe-cause.ts'
import { clockOffset, isExpired, isSkew } from '../errors/signature.ts'
import type { BlockAnswer, BlockClient } from '../http/block-client.ts'
import { readText } from '../http/read-text.ts'
import type { Retries } from '../http/retry.ts'
import { singleValues } from '../http/sdk-handler.ts'
import { encodeKey, encodeQuery } from '../signing/encode.ts'
import { emptyPayloadHash, signRequest, unsignedPayload } from '../signing/sign.ts'
import type { S3RequestEvent } from './access.ts'
import { errorFields } from './error-xml.ts'
import { assertReadOnly } from './read-only.ts'

/** Bytes of a request, which can be sent again. */
export interface S3Body {
  /** Bytes. */
  readonly length: number
  /** Gives the bytes from the start: once for each try. */
  readonly open: () => Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** SHA-256 in hex, which the signature then covers. Left out, checksum headers alone guard the bytes. */
  readonly sha256?: string
}

export interface S3Request {
  readonly operation: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly key?: string | undefined
  /** Path behind the address, encoded as it is sent: instead of a key. */
  readonly path?: string | undefined
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: S3Body | undefined
  /** For operations that take their time until the first byte: as many times the usual limit. */
  readonly patience?: number
  /** For large bodies: the answer has `drain` instead of a body that can be read, where there is no proxy. */
  readonly drained?: boolean
  /** For small bodies: it has a place of its own sort to wait for, of which there may be more. */
  readonly small?: boolean
  /** Does not wait for a free place: those who hold the places wait for it. */
  readonly urgent?: boolean
  /** Gives answers beyond 2xx as they are. */
  readonly anyStatus?: boolean
  readonly signal: AbortSignal
}

export type S3ResponseBody = Readable & { text(): Promise<string>; dump(): Promise<void> }

export interface S3Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: S3ResponseBody
  /** Hands out the body of an answer to a request that asked for it: see BlockAnswer. */
  readonly drain?: BlockAnswer['drain']
}

export interface TransportContext {
  readonly address: BucketAddress
  readonly region: string
  readonly dispatcher: Dispatcher
  readonly blocks: BlockClient | undefined
  readonly provider: AwsCredentialProvider | undefined
  readonly clock: () => Date
  readonly access: 'read-only' | 'read-write'
  readonly expectedBucketOwner: string | undefined
  readonly answerTimeoutMs: number
  readonly retries: Retries
  readonly counters: Counters
  readonly onRequest: ((event: S3RequestEvent) => void) | undefined
}

/** Counts that requests raise. Synchronous only: a count across an await loses updates. */
export interface Counters {
  requests: number
  bytes: number
  throttled: number
  clockOffsetMs: number
}

const userAgent = 'penstock'
/** The second one is for a store of several machines of which one has a clock that is off. */
const maxClockCorrections = 2
/** Error documents are small; what is longer is none. */
const maxErrorBytes = 64 * 1024

/** Sends signed requests to one bucket. */
export interface S3Transport {
  /**
   * Sends one request. An answer beyond 2xx is thrown as AwsFailure. A clock that is off is corrected, an expired
   * token is renewed once; nothing else is tried again here. Redirections are answers, never followed: a signature is
   * for one host.
   */
  send(request: S3Request): Promise<S3Response>
}

export const createTransport = (context: TransportContext): S3Transport => {
  const { address, dispatcher, counters } = context

  const headersOf = (request: S3Request): Record<string, string> => {
    const headers: Record<string, string> = { host: address.host, ...request.headers }
    if (context.expectedBucketOwner !== undefined)
      headers['x-amz-expected-bucket-owner'] = context.expectedBucketOwner
    if (request.body) headers['content-length'] = String(request.body.length)
    return headers
  }

  const sendOnce = async (
    request: S3Request,
    target: { path: string; query: string },
    credentials: AwsCredentials | undefined,
  ): Promise<S3Response> => {
    const { path, query } = target
    const plain = headersOf(request)
    const headers = credentials
      ? signRequest({
          method: request.method,
          path,
          query,
          headers: plain,
          payloadHash: request.body ? (request.body.sha256 ?? unsignedPayload) : emptyPayloadHash,
          credentials,
          region: context.region,
          service: 's3',
          date: new Date(context.clock().getTime() + counters.clockOffsetMs),
        })
      : plain
    // Not signed: proxies may change them.
    headers['user-agent'] = userAgent
    headers['accept-encoding'] = 'identity'
    counters.requests++
    const pathAndQuery = query === '' ? path : `${path}?${query}`
    let status: number | undefined
    try {
      if (request.drained && context.blocks) {
        const { signal } = request
        const answer = await context.blocks.get({ path: pathAndQuery, headers, signal }).catch(unlessChunked)
        if (answer) {
          status = answer.status
          context.retries.answered()
          return drainedResponse(answer)
        }
      }
      const answer = await dispatcher.request({
        origin: address.origin,
        path: pathAndQuery,
        method: request.method,
        headers,
        // undici sends whatever can be iterated.
        body: (request.body?.open() ?? null) as Uint8Array | null,
        ...(request.patience === undefined
          ? {}
          : { headersTimeout: request.patience * context.answerTimeoutMs }),
        signal: request.signal,
        // undici closes the connection after each HEAD otherwise: a TLS handshake for every large object.
        reset: false,
      })
      status = answer.statusCode
      context.retries.answered()
      return { status, headers: singleValues(answer.headers), body: answer.body }
    } finally {
      const { operation, method, key } = request
      context.onRequest?.({
        operation,
        method,
        ...(key === undefined ? {} : { key }),
        ...(status === undefined ? {} : { status }),
      })
    }
  }

  const send = async (request: S3Request): Promise<S3Response> => {
    if (context.access === 'read-only') assertReadOnly(request)
    const path = pathOf(address, request)
    const target = { path, query: encodeQuery(request.query ?? {}) }
    let credentials = await context.provider?.()
    let corrections = 0
    let renewed = false
    for (;;) {
      const response = await sendOnce(request, target, credentials)
      if (response.status >= 200 && response.status < 300) return response
      const text = await readText(response.body as AsyncIterable<Buffer>, maxErrorBytes)
      const failure = failureOf(response, text)
      const now = context.clock()
      if (isSkew(failure, now) && corrections < maxClockCorrections) {
        const offset = clockOffset(failure, now)
        if (offset !== undefined) {
          counters.clockOffsetMs = offset
          corrections++
          continue
        }
      }
      if (credentials && context.provider && !renewed && mayBeExpired(failure, credentials, request)) {
        const fresh: AwsCredentials = await context.provider({ rejected: credentials })
        if (fresh !== credentials) {
          credentials = fresh
          renewed = true
          continue
        }
      }
      if (request.anyStatus) return { ...response, body: textBody(text) }
      throw failure
    }
  }

  return Object.freeze({ send })
}

/** A HEAD has no error document: an expired token is a bare 400 there. */
const mayBeExpired = (failure: AwsFailure, credentials: AwsCredentials, request: S3Request): boolean =>
  isExpired(failure) ||
  (request.method === 'HEAD' && failure.code === 'Http400' && credentials.sessionToken !== undefined)

const pathOf = ({ path }: BucketAddress, request: S3Request): string => {
  if (request.path !== undefined) return `${path}${request.path}`
  return request.key === undefined ? path || '/' : `${path}/${encodeKey(request.key)}`
}

/** A store, or a proxy before it, may send bodies in chunks, without a length: these go by way of the other client. */
const unlessChunked = (error: unknown): undefined => {
  if ((error as { code?: unknown }).code !== 'UND_ERR_RESPONSE') throw error
}

const drainedResponse = ({ status, headers, text, drain, destroy }: BlockAnswer): S3Response => {
  if (text !== undefined) return { status, headers, body: textBody(text) }
  const body = new Readable({
    read: () => {},
    destroy: (error, done) => {
      destroy()
      done(error)
    },
  })
  const unread = async (): Promise<never> => {
    throw new Error('The body of this answer is drained.')
  }
  return { status, headers, drain, body: Object.assign(body, { text: unread, dump: unread }) }
}

const textBody = (text: string): S3ResponseBody =>
  Object.assign(Readable.from(text === '' ? [] : [Buffer.from(text)]), {
    text: async () => text,
    dump: async () => {},
  })

const failureOf = (response: S3Response, text: string): AwsFailure => {
  const fields = errorFields(text)
  return awsFailure({
    code: fields.Code ?? `Http${response.status}`,
    message: fields.Message ?? '',
    status: response.status,
    headers: response.headers,
    fields,
  })
}
