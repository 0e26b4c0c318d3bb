import { type ConnectorContext, ConnectorError, type Secret, secret } from '@penstock/core'
import { z } from 'zod'
import type { Mutant } from './mutants.ts'

/** What can be wrong with any connector that talks to the shop: its definition, its check, its client. */
export type ClientMutation =
  | 'bad-name'
  | 'silent-field'
  | 'same-titles'
  | 'open-secret'
  | 'bad-example'
  | 'no-json-schema'
  | 'any-key'
  | 'any-value'
  | 'new-required-field'
  | 'check-refuses'
  | 'check-passes-all'
  | 'check-writes'
  | 'ignores-signal'
  | 'partial-after-503'
  | 'partial-after-500'
  | 'partial-after-429'
  | 'partial-after-reset'
  | 'partial-after-reset-body'
  | 'partial-after-cut'
  | 'takes-first-piece'
  | 'secret-in-notice'
  | 'secret-in-error'
  | 'asks-for-more-than-its-policy'

type Is = (...mutations: readonly string[]) => boolean

export const isOneOf =
  (mutation: string | undefined): Is =>
  (...mutations) =>
    mutation !== undefined && mutations.includes(mutation)

export interface ShopConfig {
  readonly url: string
  readonly path: string
  readonly token: Secret | string
}

export type ShopContext = ConnectorContext<ShopConfig>

export const shopConfig = (is: Is): z.ZodType<ShopConfig> => {
  const path = z.string().default('orders')
  const fields = {
    url: z.url().meta({
      title: 'URL',
      description: 'Base URL of the shop',
      examples: [is('bad-example') ? 'no url' : 'https://shop.example.com'],
    }),
    path: is('silent-field')
      ? path
      : path.meta({ title: is('same-titles') ? 'URL' : 'Path', description: 'Table that is read' }),
    token: is('open-secret') ? z.string().describe('Token') : secret().describe('Token'),
    ...(is('no-json-schema') ? { when: z.custom<string>().optional().describe('When') } : {}),
    ...(is('any-value') ? { limit: z.coerce.string().optional().describe('Limit') } : {}),
    ...(is('new-required-field') ? { region: z.string().describe('Region') } : {}),
  }
  const config = is('any-key') ? z.looseObject(fields) : z.strictObject(fields)
  return config as unknown as z.ZodType<ShopConfig>
}

const tokenOf = ({ config: { token } }: ShopContext): string =>
  typeof token === 'string' ? token : token.reveal()

export interface ShopClient {
  /** JSON of a path of the shop. What a mutant takes for an answer where there is none is `partial`. */
  get<Answer>(context: ShopContext, path: string, partial: Answer, options?: GetOptions): Promise<Answer>
  check(context: ShopContext): Promise<void>
  /** Says what a mutant should not. */
  greet(context: ShopContext): void
}

interface GetOptions {
  readonly signal?: AbortSignal
  readonly method?: string
}

const firstPiece = async ({ body }: Response): Promise<string> => {
  for await (const chunk of body ?? []) return Buffer.from(chunk).toString()
  return ''
}

export const shopClient = (is: Is): ShopClient => {
  const statuses: Readonly<Record<number, 'auth' | 'permission' | 'not-found' | 'throttled' | 'data'>> = {
    400: 'data',
    401: 'auth',
    403: 'permission',
    404: 'not-found',
    429: 'throttled',
  }

  const get = async <Answer>(
    context: ShopContext,
    path: string,
    partial: Answer,
    { signal = context.signal, method = 'GET' }: GetOptions = {},
  ): Promise<Answer> => {
    const said = is('secret-in-error') ? ` with ${tokenOf(context)}` : ''
    const broken = (kind: ConnectorError['kind'], what: string) =>
      new ConnectorError(kind, `The shop ${what}${said}.`, { hint: 'Try again.' })
    let response: Response
    try {
      response = await fetch(`${context.config.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${tokenOf(context)}` },
        ...(is('ignores-signal') ? {} : { signal }),
      })
    } catch (error) {
      signal.throwIfAborted()
      if (is('partial-after-reset') && !String(error).includes('Abort')) return partial
      throw broken('network', 'broke off')
    }
    const { status } = response
    if (status >= 400) {
      if (is(`partial-after-${status}`)) return partial
      throw broken(statuses[status] ?? 'network', `answers ${status}`)
    }
    try {
      const text = is('takes-first-piece') ? await firstPiece(response) : await response.text()
      return JSON.parse(text) as Answer
    } catch (error) {
      signal.throwIfAborted()
      const isReset = String((error as { cause?: unknown }).cause).includes('ECONNRESET')
      if (is(isReset ? 'partial-after-reset-body' : 'partial-after-cut')) return partial
      throw broken('network', 'broke off')
    }
  }

  return {
    get,
    async check(context) {
      if (is('check-refuses')) throw new ConnectorError('auth', 'No.', { hint: 'None.' })
      if (is('check-passes-all')) return
      await get(context, '/orders?page=1', [])
      if (is('check-writes')) await get(context, '/orders', [], { method: 'POST' })
    },
    greet: (context) => {
      if (is('secret-in-notice')) context.notice(`Using ${tokenOf(context)}`)
    },
  }
}

/** Mutants of checks that all suites have from one place: run for one of them. */
export const definitionMutants: readonly Mutant<ClientMutation>[] = [
  { mutation: 'bad-name', caughtBy: 'spec/contract' },
  { mutation: 'silent-field', caughtBy: 'spec/descriptions' },
  { mutation: 'same-titles', caughtBy: 'spec/titles' },
  { mutation: 'open-secret', caughtBy: 'spec/secrets-marked' },
  { mutation: 'bad-example', caughtBy: 'spec/examples' },
  { mutation: 'no-json-schema', caughtBy: 'spec/json-schema' },
  { mutation: 'any-key', caughtBy: 'spec/unknown-keys' },
  { mutation: 'any-value', caughtBy: 'spec/wrong-values' },
  { mutation: 'new-required-field', caughtBy: 'spec/former-configs' },
  { mutation: 'check-refuses', caughtBy: 'check/succeeds', also: ['check/tells-what-is-wrong'] },
  { mutation: 'check-passes-all', caughtBy: 'check/tells-what-is-wrong' },
  { mutation: 'check-writes', caughtBy: 'check/leaves-nothing' },
  { mutation: 'partial-after-500', caughtBy: 'faults/internal-error' },
  { mutation: 'partial-after-429', caughtBy: 'faults/too-many-requests' },
  { mutation: 'partial-after-reset', caughtBy: 'faults/reset' },
  { mutation: 'partial-after-reset-body', caughtBy: 'faults/reset-body' },
  { mutation: 'takes-first-piece', caughtBy: 'faults/slow' },
]

/** Mutants of what a suite checks by using the connector in its own way; `cancelled` is its check of cancelling. */
export const useMutants = (cancelled: string): readonly Mutant<ClientMutation>[] => [
  { mutation: 'ignores-signal', caughtBy: cancelled },
  { mutation: 'partial-after-503', caughtBy: 'faults/unavailable' },
  { mutation: 'partial-after-cut', caughtBy: 'faults/truncated-body' },
  { mutation: 'secret-in-notice', caughtBy: 'secrets/hidden' },
  { mutation: 'secret-in-error', caughtBy: 'secrets/errors' },
]
