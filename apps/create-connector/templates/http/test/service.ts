import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A ticket as the service has it. */
export interface Ticket {
  id: number
  project: string
  subject: string
  status: 'open' | 'closed'
  hours: string
  updated_at: string
}

export const token = 'acme-token-5d1c'
/** Accepted, and allowed nothing. */
export const powerlessToken = 'acme-token-without-rights'

/** Small, so that few tickets make several pages. */
const pageSize = 3

/** The API of Acme on loopback, for tests. Below `/endless` it has tickets without end, below `/empty` none. */
export const startService = async () => {
  let tickets: Ticket[] = []
  const minute = (count: number) => new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString()

  const add = (subject: string, project = 'north', hours = '0.50'): Ticket => {
    const id = tickets.length + 1
    const ticket: Ticket = { id, project, subject, status: 'open', hours, updated_at: minute(id) }
    tickets.push(ticket)
    return ticket
  }
  const reset = () => {
    tickets = []
    for (let index = 0; index < 8; index++) add(`Ticket "${index}" 🚰`, index % 3 === 2 ? 'south' : 'north')
    const [first] = tickets
    if (first) first.status = 'closed'
  }
  reset()

  const ticketPage = (area: string | undefined, query: URLSearchParams) => {
    const after = Number(query.get('after') ?? 0)
    const wanted = Math.min(Number(query.get('limit') ?? pageSize), pageSize)
    if (area === 'empty') return { items: [], next: null }
    if (area === 'endless') {
      const items = Array.from({ length: wanted }, (_, index) => {
        const id = after + index + 1
        return {
          id,
          project: 'north',
          subject: 'Again',
          status: 'open',
          hours: '1.00',
          updated_at: minute(id),
        }
      })
      return { items, next: String(after + wanted) }
    }
    const [since, project, status] = ['since', 'project', 'status'].map((name) => query.get(name))
    const left = tickets
      .filter((ticket) => !since || ticket.updated_at >= since)
      .filter((ticket) => !project || ticket.project === project)
      .filter((ticket) => !status || ticket.status === status)
      .sort((a, b) => (a.updated_at < b.updated_at ? -1 : 1))
    const start = after === 0 ? 0 : left.findIndex(({ id }) => id === after) + 1
    const items = left.slice(start, start + wanted)
    const next = start + wanted < left.length ? String(items.at(-1)?.id) : null
    const fields = query.get('fields')?.split(',')
    const cut = (ticket: Ticket) =>
      Object.fromEntries(Object.entries(ticket).filter(([name]) => !fields || fields.includes(name)))
    return { items: items.map(cut), next }
  }

  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const url = new URL(request.url ?? '/', 'http://acme')
    const [, area, path = ''] = /^(?:\/(empty|endless))?(\/.*)$/.exec(url.pathname) ?? []
    if (request.headers.authorization === `Bearer ${powerlessToken}`) return [403, {}]
    if (request.headers.authorization !== `Bearer ${token}`) return [401, {}]
    if (path === '/projects') return [200, [...new Set(tickets.map(({ project }) => project))].sort()]
    if (path === '/tickets' && request.method === 'GET') return [200, ticketPage(area, url.searchParams)]
    if (path === '/tickets' && request.method === 'POST') {
      const { subject, project, hours } = JSON.parse(
        Buffer.concat(await Array.fromAsync(request)).toString(),
      ) as Ticket
      return [201, add(subject, project, hours)]
    }
    const ticket = tickets.find(({ id }) => path === `/tickets/${id}/close`)
    if (!ticket || request.method !== 'POST') return [404, {}]
    ticket.status = 'closed'
    return [200, ticket]
  }

  const server = createServer(async (request, response: ServerResponse) => {
    const [status, body] = await answer(request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    tickets: (): readonly Ticket[] => structuredClone(tickets),
    add,
    reset,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
