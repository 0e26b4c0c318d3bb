import { type ActionContextOf, ConnectorError, defineAction, defineActions } from '@penstock/core'
import { z } from 'zod'
import type { Route } from './shop.ts'
import { type ClientMutation, isOneOf, type ShopConfig, shopClient, shopConfig } from './shop-client.ts'

/** What can be wrong with actions: each is what one check is there for. */
export type ActionMutation =
  | ClientMutation
  | 'two-of-one-name'
  | 'silent-input'
  | 'argument-of-nothing'
  | 'output-says-nothing'
  | 'example-refused'
  | 'any-input'
  | 'output-misfits'
  | 'other-output'
  | 'emits-too-few'
  | 'emits-nothing'
  | 'list-writes'
  | 'dry-run-writes'
  | 'adds-each-time'
  | 'errors-without-kind'
  | 'list-needs-more'
  | 'put-needs-more'

type Context = ActionContextOf<z.ZodType<ShopConfig>, readonly []>

/** Notes of the shop: what the actions are about. */
export interface Notes {
  readonly all: Map<string, string>
  readonly route: Route
}

export const shopNotes = (): Notes => {
  const all = new Map<string, string>()
  return {
    all,
    route: (url, method) => {
      const [, root, name] = url.pathname.split('/')
      if (root !== 'notes') return undefined
      if (method === 'PUT') all.set(name ?? '', url.searchParams.get('text') ?? '')
      if (method === 'GET' && name) return { status: all.has(name) ? 200 : 404, body: all.get(name) ?? '' }
      return { status: 200, body: [...all.keys()].sort() }
    },
  }
}

export const shopActions = (mutation?: ActionMutation) => {
  const is = isOneOf(mutation)
  const client = shopClient(is)
  let puts = 0

  const names = z.object({ items: z.array(z.string()) })
  const strict = is('any-input') ? z.looseObject : z.strictObject
  const write = (context: Context, name: string, text: string) =>
    client.get<unknown>(context, `/notes/${name}?text=${text}`, [], { method: 'PUT' })

  const list = defineAction({
    title: 'List notes',
    aliases: is('two-of-one-name') ? ['put'] : ['ls'],
    readOnly: true,
    examples: [{ description: 'All', input: { limit: is('example-refused') ? -1 : 10 } }],
    input: strict({
      limit: is('silent-input')
        ? z.int().min(1).default(100)
        : z.int().min(1).default(100).describe('At most'),
    }),
    output: is('output-says-nothing') ? names.extend({ more: z.unknown().optional() }) : names,
    run: async (context: Context, { limit }, emit) => {
      client.greet(context)
      const found = (await client.get<string[]>(context, '/notes', [])).slice(0, limit)
      if (is('list-writes')) await write(context, 'listed', 'x')
      if (!emit) return { items: is('output-misfits') ? ([1] as never) : found }
      if (is('emits-nothing')) return { items: found }
      for (const name of is('emits-too-few') ? found.slice(1) : found) await emit(name)
      return { items: [] }
    },
  })

  const put = defineAction({
    title: 'Put a note',
    arguments: is('argument-of-nothing') ? ['name', 'body'] : ['name', 'text'],
    idempotent: true,
    examples: [{ description: 'A note', input: { name: 'a', text: 'b' } }],
    input: strict({
      name: z.string().describe('Name'),
      text: z.string().describe('Text'),
      dryRun: z.boolean().default(false).describe('Tell what would be done'),
    }),
    output: z.object({ items: z.array(z.string()) }),
    run: async (context: Context, { name, text, dryRun }) => {
      if (name === '') {
        if (is('errors-without-kind')) throw new ConnectorError('internal', 'TypeError')
        throw new ConnectorError('config', 'A note needs a name.', { hint: 'Give a name.' })
      }
      const target = is('adds-each-time') && !dryRun && puts++ % 2 === 1 ? `${name}-again` : name
      if (!dryRun || is('dry-run-writes')) await write(context, target, text)
      return { items: [is('other-output') ? `${name}!` : name] }
    },
  })

  return defineActions({
    name: is('bad-name') ? 'Shop Actions' : 'actions-shop',
    topic: 'shop',
    config: shopConfig(is),
    check: client.check,
    actions: { list, put },
    policy: (_, { actions = [] }) => ({
      policy: { may: actions.filter((name) => !is(`${name}-needs-more`)) },
    }),
  })
}
