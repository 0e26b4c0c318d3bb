import { defineZeroCopy, type Predicate, schemaFromRow, secret } from '@penstock/core'
import { z } from 'zod'

const config = z.object({ baseUrl: z.url().describe('URL of the service'), token: secret() })

const order = z.object({ id: z.int(), channel: z.string(), amount: z.number() })

type Context = { readonly config: z.output<typeof config>; readonly signal: AbortSignal }

const get = async <Result>({ config, signal }: Context, path: string): Promise<Result> => {
  const headers = { authorization: `Bearer ${config.token.reveal()}` }
  const response = await fetch(`${config.baseUrl}${path}`, { headers, signal })
  return (await response.json()) as Result
}

/** `channel = 'web'` as a parameter of the service; the engine filters once more. */
const channelOf = (filter: Predicate | undefined): string =>
  filter?.kind === 'compare' && filter.operator === '=' && filter.column[0] === 'channel'
    ? `&channel=${encodeURIComponent(String(filter.value))}`
    : ''

/** Orders of a shop by its web service: pages of the columns and the channel that a query needs. */
export default defineZeroCopy({
  name: 'zero-copy-shop',
  config,
  capabilities: { pushdown: { columns: true, filters: ['compare'], limit: true }, timeTravel: false },
  check: async (context) => void (await get(context, '/shops')),
  namespaces: async (context) =>
    (await get<string[]>(context, '/shops')).map((shop) => ({ namespace: [shop] })),
  tables: (_, { namespace }) => [{ namespace, name: 'orders' }],
  open: async (context, { namespace, name }) => ({
    namespace,
    name,
    schema: schemaFromRow(order),
    scan: async ({ columns, filter, limit }) => ({
      kind: 'rows',
      async *rows() {
        const wanted = `fields=${columns.map(([column]) => column).join(',')}${channelOf(filter)}&limit=${limit ?? ''}`
        for (let page = 1; ; page++) {
          const rows = await get<z.output<typeof order>[]>(
            context,
            `/${namespace}/orders?page=${page}&${wanted}`,
          )
          if (rows.length === 0) return
          yield rows
        }
      },
    }),
  }),
})
