import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Order {
  readonly id: number
  readonly total: string
  readonly updated_at: string
}

export interface Shop {
  readonly url: string
  readonly orders: Order[]
  /** What was written on the other side: nothing may be. */
  readonly writes: string[]
  grow(): void
  close(): Promise<void>
}

export const apiToken = 'shop-token-8c1f'

export const orderAt = (id: number): Order => ({
  id,
  total: `${(9007199254740993n + BigInt(id)).toString()}.10`,
  updated_at: new Date(Date.UTC(2026, 0, 1, 0, id)).toISOString().replace('.000', ''),
})

/** A token that is known, and may see nothing. */
export const blindToken = 'shop-token-blind'

/** Answers requests that are not about orders; undefined for a path that it does not know. */
export type Route = (
  url: URL,
  method: string,
) => { readonly status: number; readonly body: unknown } | undefined

/** A small paged JSON service with a token: what most sources of rows talk to. */
export const startShop = async (count = 7, route: Route = () => undefined): Promise<Shop> => {
  const orders = Array.from({ length: count }, (_, index) => orderAt(index + 1))
  const writes: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://shop')
    const send = (status: number, body: unknown) => {
      const text = JSON.stringify(body)
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      })
      response.end(text)
    }
    if (request.headers.authorization === `Bearer ${blindToken}`) return send(403, { error: 'Forbidden' })
    if (request.headers.authorization !== `Bearer ${apiToken}`) return send(401, { error: 'Unauthorized' })
    const routed = route(url, request.method ?? '')
    if (routed) return send(routed.status, routed.body)
    if (request.method === 'POST') {
      writes.push(url.pathname)
      return send(201, {})
    }
    const page = Number(url.searchParams.get('page') ?? 1)
    if (url.pathname === '/empty') return send(200, [])
    // A table without an end, for reads of many pages.
    if (url.pathname === '/endless') return send(200, [orderAt(page * 2 - 1), orderAt(page * 2)])
    const since = url.searchParams.get('since')
    const from = orders.filter((order) => since === null || order.updated_at >= since)
    return send(200, from.slice((page - 1) * 2, page * 2))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    orders,
    writes,
    grow: () => void orders.push(orderAt(orders.length + 1)),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
