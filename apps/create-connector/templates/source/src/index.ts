import { defineSource, table } from '@penstock/core'
import { z } from 'zod'
import { config, send } from './client.ts'
import { ticket } from './ticket.ts'

/** The rows themselves are checked against the table's schema by who reads it, with their number and column. */
const ticketPage = z.object({
  items: z.custom<z.input<typeof ticket>[]>(Array.isArray),
  next: z.string().nullable(),
})

/** Tickets of Acme, incremental on `updated_at`. */
export default defineSource({
  name: 'source-acme',
  title: 'Acme',
  description: 'Tickets of Acme',
  config,
  check: async ({ config, signal }) =>
    void (await send(config, { path: '/tickets', query: { limit: 1 }, answer: ticketPage, signal })),
  tables: ({ config }) => [
    table({
      name: 'tickets',
      description: 'One row for each ticket, in its last state',
      row: ticket,
      // A ticket that changed comes again: the key lets it replace its former state.
      key: ['id'],
      cursor: 'updated_at',
      async *read({ since, signal }) {
        let after: string | undefined
        do {
          // In the order of the cursor, so that a run that breaks off can go on where it was.
          const query = { since, after, limit: 100 }
          const { items, next } = await send(config, { path: '/tickets', query, answer: ticketPage, signal })
          if (items.length > 0) yield items
          after = next ?? undefined
        } while (after !== undefined)
      },
    }),
  ],
})
