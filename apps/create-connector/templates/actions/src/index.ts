import { type ActionContextOf, decimal, defineAction, defineActions } from '@penstock/core'
import { z } from 'zod'
import { config, send } from './client.ts'
import { ticket } from './ticket.ts'

type Context = ActionContextOf<typeof config, readonly []>

const ticketPage = z.object({ items: z.array(ticket), next: z.string().nullable() })

const listTickets = defineAction({
  title: 'List tickets',
  description: 'Lists tickets, those that changed last at the end.',
  aliases: ['ls'],
  readOnly: true,
  input: z.strictObject({
    project: z.string().min(1).optional().describe('Only those of this project'),
    status: z.enum(['open', 'closed']).optional().describe('Only those in this state'),
  }),
  output: z.object({ items: z.array(ticket), count: z.int().describe('Number of tickets') }),
  examples: [{ description: 'What is open', input: { status: 'open' } }],
  run: async ({ config, signal }: Context, input, emit) => {
    const all: z.output<typeof ticket>[] = []
    let count = 0
    let after: string | undefined
    do {
      const query = { ...input, after, limit: 100 }
      const { items, next } = await send(config, { path: '/tickets', query, answer: ticketPage, signal })
      count += items.length
      // With `emit` each is handed out as it comes; without it all of them are the result.
      if (emit) for (const item of items) await emit(item)
      else all.push(...items)
      after = next ?? undefined
    } while (after !== undefined)
    return { items: all, count }
  },
})

const createTicket = defineAction({
  title: 'Create a ticket',
  aliases: ['new'],
  arguments: ['subject'],
  input: z.strictObject({
    subject: z.string().min(1).describe('What it is about'),
    project: z.string().min(1).default('north').describe('Project that it belongs to'),
    hours: decimal(9, 2).default('0.00').describe('Hours spent so far'),
  }),
  output: ticket,
  examples: [{ description: 'With the time that it took', input: { subject: 'Valve leaks', hours: '1.50' } }],
  run: ({ config, signal }: Context, input) =>
    send(config, { method: 'POST', path: '/tickets', body: input, answer: ticket, signal }),
})

const closeTicket = defineAction({
  title: 'Close a ticket',
  description: 'Closes a ticket. One that is closed stays so.',
  arguments: ['id'],
  input: z.strictObject({ id: z.int().min(1).describe('Number of the ticket') }),
  output: ticket,
  examples: [{ description: 'Number 7', input: { id: 7 } }],
  run: ({ config, signal }: Context, { id }) =>
    send(config, { method: 'POST', path: `/tickets/${id}/close`, answer: ticket, signal }),
})

/** What can be done with tickets of Acme: steps of pipelines, commands (`penstock acme`), functions. */
export default defineActions({
  name: 'actions-acme',
  title: 'Acme',
  description: 'Lists, makes and closes tickets of Acme',
  topic: 'acme',
  config,
  environment: ({ ACME_URL, ACME_TOKEN }) => ({
    ...(ACME_URL && { baseUrl: ACME_URL }),
    ...(ACME_TOKEN && { token: ACME_TOKEN }),
  }),
  check: async ({ config, signal }) =>
    void (await send(config, { path: '/tickets', query: { limit: 1 }, answer: ticketPage, signal })),
  actions: { 'list-tickets': listTickets, 'create-ticket': createTicket, 'close-ticket': closeTicket },
})
