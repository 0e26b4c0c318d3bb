import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What goes wrong with a request on its way through the proxy. */
export type ProxyFault =
  | { readonly kind: 'status'; readonly status: 429 | 500 | 503; readonly retryAfterSeconds?: number }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** Half of the body comes, then the connection is reset. */
  | { readonly kind: 'reset-body' }
  /** Content-Length promises all, half of it comes, then the connection is closed in order. */
  | { readonly kind: 'truncate-body' }
  /** The body comes in small pieces. */
  | { readonly kind: 'slow-drip' }
  /** No answer until the client gives up. */
  | { readonly kind: 'hang' }

export interface FaultProxy {
  /** Base URL for the client. */
  readonly url: string
  /** Requests that came, also those that went wrong. */
  requests(): number
  /** The next `times` requests meet the fault (default: all from now on); undefined ends it. */
  inject(fault: ProxyFault | undefined, times?: number): void
  close(): Promise<void>
}

/** An HTTP proxy in front of one service on which faults can be switched on. Signed `Host` headers pass unchanged. */
export const startFaultProxy = async (target: string): Promise<FaultProxy> => {
  const upstream = new URL(target)
  let count = 0
  let fault: ProxyFault | undefined
  let left = 0

  const server = createServer((incoming, outgoing) => {
    count++
    const met = left > 0 ? fault : undefined
    if (met) left--
    if (met?.kind === 'hang') return
    if (met?.kind === 'reset') {
      incoming.socket.resetAndDestroy()
      return
    }
    if (met?.kind === 'status') {
      answer(incoming, outgoing, met)
      return
    }
    forward(incoming, outgoing, upstream, met)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return Object.freeze({
    url: `http://127.0.0.1:${port}${upstream.pathname.replace(/\/$/, '')}`,
    requests: () => count,
    inject: (next: ProxyFault | undefined, times = Number.POSITIVE_INFINITY) => {
      fault = next
      left = next ? times : 0
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

const answer = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, retryAfterSeconds }: Extract<ProxyFault, { kind: 'status' }>,
): void => {
  incoming.resume()
  outgoing.writeHead(
    status,
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  )
  outgoing.end()
}

const forward = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  upstream: URL,
  fault: ProxyFault | undefined,
): void => {
  const passed = request(
    {
      host: upstream.hostname,
      port: upstream.port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    },
    (reply) => {
      // An answer to HEAD has no body that could be spoilt; its length is that of the object.
      if (!fault || incoming.method === 'HEAD') {
        outgoing.writeHead(reply.statusCode ?? 502, reply.rawHeaders)
        reply.pipe(outgoing)
        return
      }
      void spoil(reply, outgoing, fault)
    },
  )
  passed.on('error', () => incoming.socket.destroy())
  outgoing.on('close', () => passed.destroy())
  incoming.pipe(passed)
}

const spoil = async (reply: IncomingMessage, outgoing: ServerResponse, fault: ProxyFault): Promise<void> => {
  const chunks: Buffer[] = []
  for await (const chunk of reply) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const headers = { ...reply.headers, 'content-length': String(body.length) }
  delete headers['transfer-encoding']
  outgoing.writeHead(reply.statusCode ?? 502, headers)
  if (fault.kind === 'slow-drip') {
    const size = Math.max(1, Math.ceil(body.length / 5))
    for (let start = 0; start < body.length && !outgoing.destroyed; start += size) {
      outgoing.write(body.subarray(start, start + size))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    outgoing.end()
    return
  }
  const socket = outgoing.socket
  outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    if (fault.kind === 'truncate-body') socket?.end()
    else socket?.resetAndDestroy()
  })
}
