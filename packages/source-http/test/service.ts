import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const token = 'service-token-51d0'
export const clientSecret = 'client-secret-77ab'

export interface Service {
  readonly url: string
  /** Requests of pages, as path and query. */
  readonly requests: string[]
  /** Tokens that were handed out. */
  tokens(): number
  /** Refuses the tokens that are out. */
  revoke(): void
  /** The next request is answered like this. */
  answerNext(status: number, headers?: Record<string, string>, body?: string): void
  grow(): void
  close(): Promise<void>
}

const record = (id: number) =>
  `{"id":${id},"big":${9007199254740993n + BigInt(id)},"price":${id}.10,"ratio":1e-${id % 5},` +
  `"at":"${new Date(Date.UTC(2026, 0, 1, 0, id)).toISOString()}","paid":${id % 2 === 0},` +
  `"customer":{"name":"n${id}","limit":12345678901234567890},"note":${id % 3 === 0 ? 'null' : `"ü${id}"`}}`

/** A JSON service over HTTP with every style of paging and auth. */
export const startService = async (count: number): Promise<Service> => {
  let total = count
  let issued = 0
  let valid = new Set<string>()
  const planned: { status: number; headers: Record<string, string>; body: string }[] = []
  const requests: string[] = []

  const isAllowed = (request: IncomingMessage): boolean => {
    const { authorization = '' } = request.headers
    return (
      authorization === `Bearer ${token}` ||
      request.headers['x-api-key'] === token ||
      authorization === `Basic ${Buffer.from(`ada:${token}`).toString('base64')}` ||
      valid.has(authorization)
    )
  }
  const giveToken = (request: IncomingMessage, response: ServerResponse) => {
    const right = `Basic ${Buffer.from(`app:${clientSecret}`).toString('base64')}`
    if (request.headers.authorization !== right) return void send(response, 401, '{"error":"invalid_client"}')
    const access = `issued-token-${++issued}`
    valid.add(`Bearer ${access}`)
    send(response, 200, JSON.stringify({ access_token: access, token_type: 'Bearer', expires_in: 3600 }))
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://service')
    if (url.pathname === '/token') return void giveToken(request, response)
    requests.push(`${url.pathname}${url.search}`)
    const next = planned.shift()
    if (next) return void send(response, next.status, next.body, next.headers)
    if (!isAllowed(request)) return void send(response, 401, '{}')
    const ids = Array.from({ length: total }, (_, index) => index + 1)
    const since = url.searchParams.get('since')
    const later = since === null ? ids : ids.filter((id) => JSON.parse(record(id)).at >= since)
    answerPage(url, later, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    tokens: () => issued,
    revoke: () => {
      valid = new Set()
    },
    answerNext: (status, headers = {}, body = '{}') => void planned.push({ status, headers, body }),
    grow: () => {
      total += 2
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const send = (
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

const answerPage = (url: URL, ids: readonly number[], response: ServerResponse): void => {
  const number = (name: string, fallback: number) => Number(url.searchParams.get(name) ?? fallback)
  const size = number('limit', 3)
  const list = (from: number) =>
    `[${ids
      .slice(from, from + size)
      .map(record)
      .join(',')}]`
  const more = (from: number) => from + size < ids.length
  switch (url.pathname) {
    case '/empty':
      return void send(response, 200, '[]')
    case '/endless':
      return void send(response, 200, `[${record(number('page', 1))}]`)
    case '/all':
      return void send(response, 200, `{"data":{"items":[${ids.map(record).join(',')}]}}`)
    case '/page':
      return void send(response, 200, list((number('page', 1) - 1) * size))
    case '/offset':
      return void send(response, 200, list(number('offset', 0)))
    case '/cursor': {
      const from = number('cursor', 0)
      return void send(response, 200, `{"items":${list(from)},"next":${more(from) ? from + size : 'null'}}`)
    }
    case '/next-url': {
      const from = number('from', 0)
      const next = `/next-url?from=${from + size}&limit=${size}`
      return void send(
        response,
        200,
        `{"items":${list(from)},"next":${more(from) ? JSON.stringify(next) : 'null'}}`,
      )
    }
    case '/link': {
      const from = number('from', 0)
      const link = `<http://${response.req.headers.host}/link?from=${from + size}&limit=${size}>; rel="next", </x>; rel="last"`
      return void send(response, 200, list(from), more(from) ? { link } : {})
    }
    default:
      return void send(response, 404, '{}')
  }
}
