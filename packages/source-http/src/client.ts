import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError } from '@penstock/core'
import pRetry from 'p-retry'
import type { HttpContext } from './config.ts'
import { parseJson } from './json.ts'

/** One answer, parsed. */
export interface Answer {
  readonly url: string
  readonly body: unknown
  /** Target of the header `Link` with `rel="next"`. */
  readonly nextLink: string | undefined
}

export interface HttpClient {
  /** Requests one page. Transient failures are tried again, as often as the configuration says. */
  get(url: string, signal: AbortSignal): Promise<Answer>
}

/** A service that asks to wait longer than that is not waited for, in ms. */
const longestWaitMs = 120_000
const firstWaitMs = 200

/** Sends requests with auth, at a bounded rate. */
export const createClient = (context: HttpContext): HttpClient => {
  const { config, auth, clock } = context
  const origin = new URL(config.baseUrl).origin
  const pace = createPace(config.requestsPerSecond, clock)

  const attempt = async (url: string, signal: AbortSignal, rejected: boolean): Promise<Answer> => {
    await pace(signal)
    const headers = await auth.headers({ signal, rejected })
    const response = await send(url, { ...config.headers, accept: 'application/json', ...headers }, signal)
    if (response.status === 401 && !rejected) {
      await response.body?.cancel()
      return attempt(url, signal, true)
    }
    if (!response.ok) throw await refusal(response, url)
    const text = await readText(response, url, signal)
    return { url, body: parseBody(text, url), nextLink: nextLinkOf(response.headers.get('link')) }
  }

  const send = async (
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> => {
    const limit = AbortSignal.timeout(config.timeoutSeconds * 1000)
    try {
      return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.any([signal, limit]) })
    } catch (error) {
      signal.throwIfAborted()
      throw brokenOff(url, error)
    }
  }

  const readText = async (response: Response, url: string, signal: AbortSignal): Promise<string> => {
    const limit = config.maxResponseMiB * 1024 ** 2
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of response.body ?? []) {
        size += chunk.length
        if (size > limit) break
        chunks.push(chunk)
      }
    } catch (error) {
      signal.throwIfAborted()
      throw brokenOff(url, error)
    }
    if (size <= limit) return Buffer.concat(chunks).toString('utf8')
    throw new ConnectorError(
      'resource',
      `The answer of ${shown(url)} is larger than ${config.maxResponseMiB} MiB.`,
      {
        hint: 'Ask for smaller pages (paging.size), or raise maxResponseMiB.',
      },
    )
  }

  return Object.freeze({
    get: (url: string, signal: AbortSignal) => {
      // What a service names as its next page must not get the credentials when it is elsewhere.
      if (new URL(url).origin !== origin)
        throw new ConnectorError('data', `The next page is at another host: ${new URL(url).origin}.`, {
          hint: `Only ${origin} is sent the credentials of this connection.`,
        })
      return pRetry(() => attempt(url, signal, false), {
        retries: config.maxAttempts - 1,
        minTimeout: firstWaitMs,
        maxTimeout: 20_000,
        randomize: true,
        signal,
        shouldRetry: ({ error }) =>
          ConnectorError.isInstance(error) && (error.kind === 'network' || error.kind === 'throttled'),
        onFailedAttempt: async ({ error, retriesLeft }) => {
          const wait = waitOf(error)
          if (retriesLeft > 0 && wait > 0) await sleep(Math.min(wait, longestWaitMs), undefined, { signal })
        },
      })
    },
  })
}

/** Lets requests begin at least so far apart that the rate holds. */
const createPace = (perSecond: number | undefined, clock: () => Date) => {
  let next = 0
  return async (signal: AbortSignal): Promise<void> => {
    if (perSecond === undefined) return
    const now = clock().getTime()
    const at = Math.max(now, next)
    next = at + 1000 / perSecond
    if (at > now) await sleep(at - now, undefined, { signal })
  }
}

const waits = new WeakMap<Error, number>()
/** Wait that the service asked for, in ms. */
const waitOf = (error: Error): number => waits.get(error) ?? 0

/** A URL without its query, which may hold what is not for logs. */
const shown = (url: string): string => url.replace(/[?#].*$/s, '')

const brokenOff = (url: string, error: unknown): ConnectorError => {
  const timedOut = error instanceof Error && error.name === 'TimeoutError'
  return new ConnectorError(
    'network',
    timedOut
      ? `No complete answer came from ${shown(url)} in time.`
      : `The connection to ${shown(url)} failed or broke off.`,
    {
      code: timedOut ? 'Timeout' : 'ConnectionFailed',
      hint: 'Check the URL and the network, then run it again.',
    },
  )
}

const refusal = async (response: Response, url: string): Promise<ConnectorError> => {
  await response.body?.cancel()
  const { status } = response
  const text = `${shown(url)} answered ${status}`
  const code = `Http${status}`
  if (status === 401)
    return new ConnectorError('auth', `${text}: the credentials are not accepted.`, {
      code,
      hint: 'Check the auth of the connection: the token may be wrong or expired.',
    })
  if (status === 403)
    return new ConnectorError('permission', `${text}: the credentials do not allow it.`, {
      code,
      hint: 'Give the token the right to read this.',
    })
  if (status === 404)
    return new ConnectorError('not-found', `${text}: there is nothing.`, {
      code,
      hint: 'Check baseUrl and the path of the table.',
    })
  if (status >= 300 && status < 400)
    return new ConnectorError('config', `${text}: the service is somewhere else.`, {
      code,
      hint: 'Give the URL that it redirects to as baseUrl or path: redirects are not followed with credentials.',
    })
  const busy = status === 429
  if (busy || status >= 500 || status === 408) {
    const error = new ConnectorError(
      busy ? 'throttled' : 'network',
      busy ? `${text}: too many requests.` : `${text}: it is busy or broken.`,
      { code, hint: busy ? 'Set requestsPerSecond to what the service allows.' : 'Run it again later.' },
    )
    waits.set(error, retryAfterMs(response.headers))
    return error
  }
  return new ConnectorError('config', `${text}: it does not take this request.`, {
    code,
    hint: 'Check path, query and paging of the table.',
  })
}

/** `Retry-After` in seconds or as a date, else the moment in `X-RateLimit-Reset` (Unix seconds); in ms from now. */
const retryAfterMs = (headers: Headers): number => {
  const after = headers.get('retry-after')
  if (after !== null && /^\d+$/.test(after.trim())) return Number(after) * 1000
  const reset = headers.get('x-ratelimit-reset')
  const date =
    after !== null ? Date.parse(after) : /^\d{9,11}$/.test(reset ?? '') ? Number(reset) * 1000 : Number.NaN
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now())
}

const parseBody = (text: string, url: string): unknown => {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new ConnectorError('data', `The answer of ${shown(url)} is no JSON.`, {
      place: { object: shown(url), value: text.slice(0, 80) },
      hint: 'Check that the path is that of a JSON API and not of a page for people.',
      cause,
    })
  }
}

/** Target of the first link with `rel="next"` (RFC 8288). */
const nextLinkOf = (link: string | null): string | undefined => {
  for (const match of (link ?? '').matchAll(/<([^>]*)>([^,<]*)/g))
    if (/;\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next(?=\s*(;|$)))/i.test(match[2] ?? '')) return match[1]
  return undefined
}
