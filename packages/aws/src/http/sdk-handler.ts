import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { encodeUri } from '../signing/encode.ts'

/** A request as the AWS SDK hands it to its request handler. */
interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
  readonly query?: Readonly<Record<string, string | string[] | null>>
  readonly headers: Record<string, string>
  readonly body?: unknown
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: Readable
}

/** What the AWS SDK sends requests with. */
export interface SdkHandler {
  readonly metadata: { readonly handlerProtocol: string }
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ response: SdkResponse }>
  destroy(): void
  updateHttpClientConfig(): void
  httpHandlerConfigs(): Record<string, never>
}

export interface SdkHandlerHooks {
  /** Called before a request is sent; may throw to refuse it. */
  readonly beforeRequest?: (request: SdkRequest) => void
  readonly afterResponse?: (request: SdkRequest, status: number | undefined) => void
}

/** Sends the SDK's requests over a dispatcher: the same sockets, proxy and limits as all other requests. */
export const sdkHandler = (dispatcher: Dispatcher, hooks: SdkHandlerHooks = {}): SdkHandler => ({
  metadata: { handlerProtocol: 'http/1.1' },
  async handle(request, options = {}) {
    hooks.beforeRequest?.(request)
    const query = queryText(request.query ?? {})
    const port = request.port === undefined ? '' : `:${request.port}`
    let status: number | undefined
    try {
      const answer = await dispatcher.request({
        origin: `${request.protocol}//${request.hostname}${port}`,
        path: query === '' ? request.path : `${request.path}?${query}`,
        method: request.method as Dispatcher.HttpMethod,
        headers: request.headers,
        body: (request.body ?? null) as Readable | Buffer | string | null,
        signal: (options.abortSignal ?? null) as AbortSignal | null,
      })
      status = answer.statusCode
      return {
        response: { statusCode: answer.statusCode, headers: singleValues(answer.headers), body: answer.body },
      }
    } finally {
      hooks.afterResponse?.(request, status)
    }
  },
  destroy() {},
  updateHttpClientConfig() {},
  httpHandlerConfigs: () => ({}),
})

const queryText = (query: Readonly<Record<string, string | string[] | null>>): string =>
  Object.keys(query)
    .sort()
    .flatMap((name) => {
      const value = query[name]
      if (value === null || value === undefined) return [encodeUri(name)]
      return [value].flat().map((item) => `${encodeUri(name)}=${encodeUri(item)}`)
    })
    .join('&')

/** Headers with one text each. */
export const singleValues = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> => {
  const values: Record<string, string> = {}
  // A loop: it is called for each answer, and entries and pairs of each header cost ten times as much.
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) values[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return values
}
