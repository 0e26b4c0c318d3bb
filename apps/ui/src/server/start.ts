import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConnectorError, toConnectorError } from '@penstock/core'
import { type Assets, lockedPage, openAssets } from './assets.ts'
import { createGuard, type Guard } from './guard.ts'
import type { UiHost } from './host.ts'
import { replyError, securityHeaders, signalOf } from './http.ts'
import { createLiveRuns, type LiveRuns } from './live-runs.ts'
import { answer, routeOf } from './routes.ts'

export interface UiOptions extends UiHost {
  /** Port on loopback (default: a free one). */
  readonly port?: number | undefined
}

/** A web view that is served. */
export interface RunningUi {
  /** Address without the token: nobody gets in by it alone. */
  readonly origin: string
  /** Address with the token. */
  readonly url: string
  /** An address that is good for one visit: for a command line, which other users of the machine can see. */
  openUrl(): string
  /** Cancels the runs that were started here, waits until they have cleaned up, and stops serving. */
  close(): Promise<void>
}

interface Server {
  readonly host: UiHost
  readonly guard: Guard
  readonly assets: Assets
  readonly runs: LiveRuns
  readonly closing: AbortSignal
}

/** Serves the web view of one project on loopback. A port that is taken is a `conflict`. */
export const startUi = async ({ port = 0, ...host }: UiOptions): Promise<RunningUi> => {
  const closing = new AbortController()
  const assets = openAssets()
  const runs = createLiveRuns()
  const http = createServer()
  const failed = once(http, 'error').then(([error]) => Promise.reject(error as Error))
  http.listen(port, '127.0.0.1')
  try {
    await Promise.race([once(http, 'listening'), failed])
  } catch (error) {
    throw portError(error, port)
  }
  failed.catch(() => {})
  const bound = (http.address() as AddressInfo).port
  const guard = createGuard(bound)
  const server: Server = { host, guard, assets, runs, closing: closing.signal }
  http.on('request', (request, response) => void serve(server, request, response))
  const origin = `http://127.0.0.1:${bound}`
  return Object.freeze({
    origin,
    url: `${origin}/?token=${guard.token}`,
    openUrl: () => `${origin}/?token=${guard.once()}`,
    close: async () => {
      if (!http.listening) return
      closing.abort(new ConnectorError('cancelled', 'The web view was stopped.'))
      const closed = once(http, 'close')
      http.close()
      await runs.close()
      http.closeAllConnections()
      await closed
    },
  })
}

const portError = (error: unknown, port: number): unknown => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return new ConnectorError('conflict', `Port ${port} is taken.`, { code, hint: 'Choose another --port.' })
  if (code === 'EACCES')
    return new ConnectorError('permission', `Port ${port} may not be used.`, {
      code,
      hint: 'Choose a --port from 1024 on.',
    })
  return error
}

const serve = async (server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    await handle(server, request, response)
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy()
    else replyError(response, toConnectorError(error), server.host.redact)
  }
}

const handle = async (server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { guard } = server
  const refusal = guard.refusal(request)
  if (refusal !== undefined) return replyText(response, 403, refusal)
  const url = new URL(request.url ?? '/', 'http://localhost')
  const token = url.searchParams.get('token')
  if (url.pathname === '/' && token !== null) {
    if (!guard.admits(token)) return replyLocked(response, 'The token is not that of this server.')
    response.writeHead(303, { ...securityHeaders(), location: '/', 'set-cookie': guard.cookie })
    response.end()
    return
  }
  if (!guard.isAdmitted(request)) return replyLocked(response, 'The request came without a valid token.')
  if (url.pathname.startsWith('/api/')) return callApi(server, request, response, url)
  if (request.method !== 'GET') return replyText(response, 405, 'Only GET.')
  await replyAsset(server.assets, response, url.pathname)
}

const callApi = async (
  { host, runs, closing }: Server,
  request: IncomingMessage,
  response: ServerResponse,
  { pathname, searchParams }: URL,
): Promise<void> => {
  const match = routeOf(request.method ?? '', pathname)
  if (!match) throw new ConnectorError('not-found', `There is no ${request.method} ${pathname}.`)
  const signal = signalOf(response, closing)
  const { names } = match
  await answer(match, { host, runs, request, response, signal, closing, names, query: searchParams })
}

const replyAsset = async (assets: Assets, response: ServerResponse, path: string): Promise<void> => {
  if (path === '/') {
    response.writeHead(200, { ...securityHeaders(assets.scriptHashes), 'content-type': html })
    response.end(assets.page)
    return
  }
  const asset = await assets.get(path)
  if (!asset) return replyText(response, 404, 'There is no such page.')
  response.writeHead(200, { ...securityHeaders(), 'content-type': asset.type })
  response.end(asset.body)
}

const html = 'text/html; charset=utf-8'

const replyLocked = (response: ServerResponse, reason: string): void => {
  response.writeHead(401, { ...securityHeaders(), 'content-type': html })
  response.end(lockedPage(reason))
}

const replyText = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { ...securityHeaders(), 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}
