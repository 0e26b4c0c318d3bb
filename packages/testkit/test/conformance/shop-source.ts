import { decimal, defineSource, table } from '@penstock/core'
import { z } from 'zod'
import type { Order } from './shop.ts'
import { type ClientMutation, isOneOf, type ShopContext, shopClient, shopConfig } from './shop-client.ts'

/** What can be wrong with the source: each is what one check is there for. */
export type SourceMutation =
  | ClientMutation
  | 'schema-varies'
  | 'one-name'
  | 'row-misfits'
  | 'double-key'
  | 'cursor-goes-back'
  | 'rounds-decimals'
  | 'loses-a-row-in-a-second-read'
  | 'ignores-page-boundary'
  | 'delta-without-new-rows'
  | 'delta-with-all-rows'
  | 'fails-when-empty'
  | 'keeps-pages'
  | 'reads-all-ahead'

export const shopSource = (mutation?: SourceMutation) => {
  const is = isOneOf(mutation)
  const client = shopClient(is)
  const kept: unknown[] = []
  const seen = new WeakSet<object>()
  let reads = 0
  let schemas = 0

  async function* pages(context: ShopContext, since: string | undefined, signal: AbortSignal) {
    reads++
    const again = seen.has(context)
    seen.add(context)
    const { path } = context.config
    const get = (query: string) => client.get<Order[]>(context, `/${path}${query}`, [], { signal })
    const ahead = is('reads-all-ahead')
      ? Array.from({ length: 20 }, (_, index) => get(`?page=${index + 1}`).catch(() => []))
      : []
    await ahead[0]
    for (let page = 1; ; page++) {
      const from = since && !is('delta-with-all-rows') ? `&since=${since}` : ''
      let orders = await get(`?page=${page}${from}`)
      if (orders.length === 0) {
        if (page === 1 && since === undefined && is('fails-when-empty')) throw new Error('No orders')
        return
      }
      if (is('loses-a-row-in-a-second-read') && since === undefined && again && page === 1)
        orders = orders.slice(1)
      if (is('ignores-page-boundary') && since !== undefined && page === 1) orders = orders.slice(2)
      if (is('rounds-decimals'))
        orders = orders.map((order) => ({ ...order, total: String(Math.round(Number(order.total))) }))
      if (is('cursor-goes-back')) orders = [...orders].reverse()
      if (is('double-key')) orders = orders.map((order) => ({ ...order, id: Math.ceil(order.id / 2) }))
      // Only the first read, which is that of the check of rows.
      if (is('row-misfits') && reads === 1) orders = orders.map((order) => ({ ...order, id: order.id + 0.5 }))
      if (is('keeps-pages')) kept.push(orders)
      yield orders
    }
  }

  return defineSource({
    name: is('bad-name') ? 'Shop Source' : 'source-shop',
    config: shopConfig(is),
    check: client.check,
    tables(context) {
      client.greet(context)
      const orders = table({
        name: 'orders',
        row: z.object({
          id: z.int(),
          total: decimal(18, 2),
          updated_at: z.iso.datetime(),
          ...(is('schema-varies') ? { [`extra_${schemas++}`]: z.string().optional() } : {}),
        }),
        ...(is('delta-without-new-rows', 'ignores-page-boundary') ? {} : { key: ['id'] }),
        cursor: 'updated_at',
        read: ({ since, signal }) =>
          is('delta-without-new-rows') && since !== undefined
            ? pages(context, '2999-01-01T00:00:00Z', signal)
            : pages(context, since as string | undefined, signal),
      })
      return is('one-name') ? [orders, orders] : [orders]
    },
    policy: ({ config: { path } }) => ({
      policy: { read: is('asks-for-more-than-its-policy') ? [] : [path] },
    }),
  })
}
