import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError, isTransient, secret } from '@penstock/core'
import { z } from 'zod'

/** What a connection needs. Its flags, wizard, JSON Schema and types come from this. */
export const config = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }).meta({
    title: 'Base URL',
    description: 'Where the API of Acme is',
    examples: ['https://acme.example.com/api'],
  }),
  token: secret().meta({ title: 'Token', description: 'API token of Acme' }),
})

export type Config = z.output<typeof config>

/** Tries of a request, and the wait before the second one in ms; it doubles. */
const maxTries = 3
const firstWaitMs = 100
/** An answer that takes longer is given up, in ms. */
const timeoutMs = 30_000

export interface Request<Answer extends z.ZodType> {
  readonly method?: 'GET' | 'POST'
  /** Path below the base URL: `/tickets`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** Shape of the answer. */
  readonly answer: Answer
  readonly signal: AbortSignal
}

/** Sends a request. What only reads is tried again when the network or the service fails. */
export const send = async <Answer extends z.ZodType>(
  config: Config,
  request: Request<Answer>,
): Promise<z.output<Answer>> => {
  const tries = request.method === 'POST' ? 1 : maxTries
  for (let left = tries - 1, wait = firstWaitMs; ; left--, wait *= 2) {
    try {
      return await sendOnce(config, request)
    } catch (error) {
      if (left === 0 || !isTransient(error)) throw error
      await sleep(wait, undefined, { signal: request.signal })
    }
  }
}

const sendOnce = async <Answer extends z.ZodType>(
  { baseUrl, token }: Config,
  { method = 'GET', path, query = {}, body, answer, signal }: Request<Answer>,
): Promise<z.output<Answer>> => {
  const url = new URL(baseUrl.replace(/\/$/, '') + path)
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value))
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    text = await response.text()
  } catch (cause) {
    signal.throwIfAborted()
    throw new ConnectorError('network', `The connection to ${url.host} failed or broke off.`, {
      hint: 'Check the base URL and the network, then run it again.',
      cause,
    })
  }
  if (!response.ok) throw refusal(response.status, url)
  return parsed(text, answer, url)
}

const parsed = <Answer extends z.ZodType>(text: string, answer: Answer, url: URL): z.output<Answer> => {
  try {
    return answer.parse(JSON.parse(text))
  } catch (cause) {
    throw new ConnectorError('data', `${url.host}${url.pathname} answers something else than expected.`, {
      hint: 'Check that the base URL is that of the API.',
      cause,
    })
  }
}

/** The kind decides what happens next: what may be tried again, which exit code a command has. */
const refusal = (status: number, url: URL): ConnectorError => {
  const told = (
    kind: 'auth' | 'permission' | 'not-found' | 'throttled' | 'network' | 'config',
    hint: string,
  ) =>
    new ConnectorError(kind, `${url.host}${url.pathname} answers ${status}.`, { code: `Http${status}`, hint })
  if (status === 401) return told('auth', 'The token is wrong or expired: make a new one in Acme.')
  if (status === 403) return told('permission', 'The token may not do this: give it the right in Acme.')
  if (status === 404) return told('not-found', 'Check the base URL, and that it still exists in Acme.')
  if (status === 429) return told('throttled', 'Acme asks to slow down: run it again later.')
  if (status >= 500) return told('network', 'Acme is busy or broken: run it again later.')
  return told('config', 'Acme does not take this request: check its fields.')
}
