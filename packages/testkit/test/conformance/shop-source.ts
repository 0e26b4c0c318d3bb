import { type ConnectorContext, ConnectorError, decimal, defineSource, secret, table } from '@penstock/core'
import { z } from 'zod'
import type { Order } from './shop.ts'

/** What can be wrong with the source: each is what one check is there for. */
export type Mutation =
  | 'bad-name'
  | 'silent-field'
  | 'open-secret'
  | 'bad-example'
  | 'no-json-schema'
  | 'any-key'
  | 'new-required-field'
  | 'check-refuses'
  | 'check-passes-all'
  | 'check-writes'
  | 'schema-varies'
  | 'one-name'
  | 'row-misfits'
  | 'double-key'
  | 'cursor-goes-back'
  | 'rounds-decimals'
  | 'loses-a-row-each-second-read'
  | 'ignores-page-boundary'
  | 'delta-without-new-rows'
  | 'fails-when-empty'
  | 'keeps-pages'
  | 'ignores-signal'
  | 'reads-all-ahead'
  | 'partial-after-503'
  | 'partial-after-500'
  | 'partial-after-429'
  | 'partial-after-reset'
  | 'partial-after-cut'
  | 'takes-first-piece'
  | 'secret-in-notice'
  | 'secret-in-error'
  | 'asks-for-more-than-its-policy'

const firstPiece = async ({ body }: Response): Promise<string> => {
  for await (const chunk of body ?? []) return Buffer.from(chunk).toString()
  return ''
}

export const shopSource = (mutation?: Mutation) => {
  const is = (...mutations: readonly Mutation[]) => mutation !== undefined && mutations.includes(mutation)
  const fields = {
    url: z
      .url()
      .describe('Base URL of the shop')
      .meta({ examples: [is('bad-example') ? 'no url' : 'https://shop.example.com'] }),
    path: is('silent-field') ? z.string().default('orders') : z.string().default('orders').describe('Table'),
    token: is('open-secret') ? z.string().describe('Token') : secret().describe('Token'),
    ...(is('no-json-schema') ? { when: z.custom<string>().optional().describe('When') } : {}),
    ...(is('new-required-field') ? { region: z.string().describe('Region') } : {}),
  }
  const config = is('any-key') ? z.looseObject(fields) : z.strictObject(fields)
  interface Context extends ConnectorContext {
    readonly config: {
      readonly url: string
      readonly path: string
      readonly token: string | { reveal(): string }
    }
  }
  const kept: unknown[] = []
  let reads = 0

  const tokenOf = ({ config: { token } }: Context) => (typeof token === 'string' ? token : token.reveal())

  const get = async (
    context: Context,
    query: string,
    signal: AbortSignal,
    method = 'GET',
  ): Promise<Order[]> => {
    const { url, path } = context.config
    const said = is('secret-in-error') ? ` with ${tokenOf(context)}` : ''
    const failed = (kind: 'network' | 'throttled' | 'auth', message: string) =>
      new ConnectorError(kind, `${message}${said}.`, { hint: 'Try again.' })
    const part = (when: boolean): Order[] => {
      if (when) return []
      throw failed('network', 'The shop broke off')
    }
    let response: Response
    try {
      response = await fetch(`${url}/${path}${query}`, {
        method,
        headers: { authorization: `Bearer ${tokenOf(context)}` },
        ...(is('ignores-signal') ? {} : { signal }),
      })
    } catch (error) {
      signal.throwIfAborted()
      return part(is('partial-after-reset') && !String(error).includes('Abort'))
    }
    if (response.status === 401) throw failed('auth', 'The shop refuses the token')
    if (response.status === 429 && !is('partial-after-429')) throw failed('throttled', 'The shop is busy')
    if (response.status === 503 && !is('partial-after-503')) throw failed('network', 'The shop is closed')
    if (response.status === 500 && !is('partial-after-500')) throw failed('network', 'The shop is broken')
    if (response.status >= 400) return []
    try {
      if (is('takes-first-piece')) return JSON.parse(await firstPiece(response)) as Order[]
      return (await response.json()) as Order[]
    } catch {
      signal.throwIfAborted()
      return part(is('partial-after-cut'))
    }
  }

  async function* pages(context: Context, since: string | undefined, signal: AbortSignal) {
    reads++
    const ahead = is('reads-all-ahead')
      ? Array.from({ length: 20 }, (_, index) => get(context, `?page=${index + 1}`, signal).catch(() => []))
      : []
    await ahead[0]
    for (let page = 1; ; page++) {
      let orders = await get(context, `?page=${page}${since ? `&since=${since}` : ''}`, signal)
      if (orders.length === 0) {
        if (page === 1 && since === undefined && is('fails-when-empty')) throw new Error('No orders')
        return
      }
      if (is('loses-a-row-each-second-read') && reads % 2 === 0 && page === 1) orders = orders.slice(1)
      if (is('ignores-page-boundary') && since !== undefined && page === 1) orders = orders.slice(2)
      if (is('rounds-decimals'))
        orders = orders.map((order) => ({ ...order, total: String(Math.round(Number(order.total))) }))
      if (is('cursor-goes-back')) orders = [...orders].reverse()
      if (is('double-key')) orders = orders.map((order) => ({ ...order, id: Math.ceil(order.id / 2) }))
      if (is('row-misfits')) orders = orders.map((order) => ({ ...order, id: order.id + 0.5 }))
      if (is('keeps-pages')) kept.push(orders)
      yield orders
    }
  }

  return defineSource({
    name: is('bad-name') ? 'Shop Source' : 'source-shop',
    config: config as unknown as z.ZodType<Context['config']>,
    async check(context) {
      if (is('check-refuses')) throw new ConnectorError('auth', 'No.', { hint: 'None.' })
      if (is('check-passes-all')) return
      await get(context, '?page=1', context.signal)
      if (is('check-writes')) await get(context, '', context.signal, 'POST')
    },
    tables(context) {
      if (is('secret-in-notice')) context.notice(`Using ${tokenOf(context)}`)
      const orders = table({
        name: 'orders',
        row: z.object({
          id: z.int(),
          total: decimal(18, 2),
          updated_at: z.iso.datetime(),
          ...(is('schema-varies') ? { [`extra_${reads++}`]: z.string().optional() } : {}),
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
