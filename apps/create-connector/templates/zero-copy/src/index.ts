import { ConnectorError, defineZeroCopy, type Predicate, schemaFromRow } from '@penstock/core'
import { z } from 'zod'
import { type Config, config, send } from './client.ts'
import { ticket } from './ticket.ts'

const schema = schemaFromRow(ticket, { key: ['id'] })

const ticketPage = z.object({
  items: z.array(z.record(z.string(), z.unknown())),
  next: z.string().nullable(),
})

const projectsOf = (config: Config, signal: AbortSignal) =>
  send(config, { path: '/projects', answer: z.array(z.string()), signal })

/** What Acme can filter itself: `status = 'open'`, also as one of several conditions. The engine filters again. */
const statusOf = (filter: Predicate | undefined): string | undefined => {
  if (filter?.kind === 'and') return filter.of.map(statusOf).find((status) => status !== undefined)
  const isStatus = filter?.kind === 'compare' && filter.operator === '=' && filter.column[0] === 'status'
  return isStatus ? String(filter.value) : undefined
}

/** Tickets of Acme, queried where they are: a namespace for each project. */
export default defineZeroCopy({
  name: 'zero-copy-acme',
  title: 'Acme',
  description: 'Tickets of Acme, queried in place',
  config,
  capabilities: { pushdown: { columns: true, filters: ['compare', 'and'], limit: true }, timeTravel: false },
  check: async ({ config, signal }) => void (await projectsOf(config, signal)),
  namespaces: async ({ config, signal }) =>
    (await projectsOf(config, signal)).map((project) => ({ namespace: [project] })),
  tables: (_, { namespace }) => [{ namespace, name: 'tickets', description: 'Tickets of one project' }],
  open: async ({ config, signal }, { namespace, name }) => {
    const [project = ''] = namespace
    if (name !== 'tickets' || !(await projectsOf(config, signal)).includes(project))
      throw new ConnectorError('not-found', `There is no table ${[...namespace, name].join('.')} in Acme.`, {
        hint: 'Each project of Acme has one table: tickets.',
      })
    return {
      namespace,
      name,
      schema,
      scan: async ({ columns, filter, limit, signal }) => ({
        kind: 'rows',
        async *rows() {
          // Names of columns; their parts, where they are structs, are no matter here.
          const fields = columns.map(([column]) => column).join(',')
          let after: string | undefined
          let left = limit ?? Number.POSITIVE_INFINITY
          do {
            const query = { project, fields, status: statusOf(filter), after, limit: Math.min(left, 100) }
            const { items, next } = await send(config, {
              path: '/tickets',
              query,
              answer: ticketPage,
              signal,
            })
            if (items.length > 0) yield items
            left -= items.length
            after = next ?? undefined
          } while (after !== undefined && left > 0)
        },
      }),
    }
  },
})
