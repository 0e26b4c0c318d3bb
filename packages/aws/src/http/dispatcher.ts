import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { isLoopback } from '../connection/endpoint.ts'

export interface TransportOptions {
  /** Sockets at most. */
  readonly connections: number
  readonly connectTimeoutMs: number
  /** Until the first byte of an answer. */
  readonly answerTimeoutMs: number
  /** Between two chunks of a body. */
  readonly stallTimeoutMs: number
}

const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']

/** Names below `localhost` mean this machine (RFC 6761), also where the system's resolver does not know it. */
const loopback: LookupFunction = (_, options, callback) => {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

/** How the name of a host is resolved where the system's own way may not do. */
export const lookupOf = (hostname: string): LookupFunction | undefined =>
  hostname.endsWith('.localhost') ? loopback : undefined

/** True where requests to a host go through the proxy of the environment. */
export const isProxied = (hostname: string): boolean =>
  !isLoopback(hostname) && proxyVariables.some((name) => process.env[name])

/** A pool of connections to one origin; through the proxy of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, never for loopback. */
export const createDispatcher = (hostname: string, options: TransportOptions): Dispatcher => {
  const lookup = lookupOf(hostname)
  const settings = {
    connections: options.connections,
    pipelining: 1,
    // S3 answers requests on one connection in order: HTTP/2 would only add framing.
    allowH2: false,
    connect: {
      timeout: options.connectTimeoutMs,
      ...(lookup ? { lookup } : {}),
    },
    headersTimeout: options.answerTimeoutMs,
    bodyTimeout: options.stallTimeoutMs,
    keepAliveTimeout: 10_000,
  }
  return isProxied(hostname) ? new EnvHttpProxyAgent(settings) : new Agent(settings)
}
