import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Who may speak to the server. It listens on loopback, where every program of the machine and every web page in the
 * browser can send requests to it:
 * - a token in the printed URL is exchanged for a cookie that no script can read and no other site sends along;
 * - the Host header has to name this server, so that a foreign name that resolves to 127.0.0.1 (DNS rebinding) is
 *   refused;
 * - what changes something has to come from a page of this server (Origin).
 */
export interface Guard {
  /** In the printed URL, as often as it is needed. */
  readonly token: string
  /** A token that is good for one use: for a URL that other users may see in the list of processes. */
  once(): string
  /** True when the text is a token. */
  admits(token: string): boolean
  /** Value of Set-Cookie for somebody who was admitted. */
  readonly cookie: string
  /** Why a request is refused; undefined when it may pass. The cookie is looked at by {@link isAdmitted}. */
  refusal(request: IncomingMessage): string | undefined
  isAdmitted(request: IncomingMessage): boolean
}

const randomText = (): string => randomBytes(32).toString('base64url')

export const createGuard = (port: number): Guard => {
  const token = randomText()
  const session = randomText()
  const tickets = new Set<string>()
  // Cookies are shared by all ports of a host: the name tells servers of two projects apart.
  const name = `penstock-ui-${port}`
  const hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`])
  return Object.freeze({
    token,
    once: () => {
      const ticket = randomText()
      tickets.add(ticket)
      return ticket
    },
    admits: (given: string) => tickets.delete(given) || isSame(given, token),
    cookie: `${name}=${session}; Path=/; HttpOnly; SameSite=Strict`,
    refusal: ({ headers, method }: IncomingMessage) => {
      const host = headers.host ?? ''
      if (!hosts.has(host)) return 'The Host header does not name this server.'
      const { origin } = headers
      if (origin !== undefined && origin !== `http://${host}`) return 'The request comes from another site.'
      const isReading = method === 'GET' || method === 'HEAD'
      if (!isReading && origin === undefined) return 'The request does not say where it comes from (Origin).'
      const site = headers['sec-fetch-site']
      if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isReading)
        return 'The request comes from another site.'
      return undefined
    },
    isAdmitted: ({ headers }: IncomingMessage) => isSame(cookiesOf(headers.cookie).get(name) ?? '', session),
  })
}

/** Compares without telling by the time how much is right. */
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const cookiesOf = (header = ''): ReadonlyMap<string, string> =>
  new Map(
    header.split(';').map((pair) => {
      const index = pair.indexOf('=')
      return [pair.slice(0, index).trim(), pair.slice(index + 1).trim()] as const
    }),
  )
