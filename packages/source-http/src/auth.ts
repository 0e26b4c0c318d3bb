import { ConnectorError, defineAuth, secret } from '@penstock/core'
import { z } from 'zod'
import { urlProblem } from './config.ts'

/** What proves to a service who is asking. */
export interface HttpAuthentication {
  /** Headers of the next request. `rejected`: the service refused those of before. */
  headers(options: {
    readonly signal: AbortSignal
    readonly rejected?: boolean
  }): Promise<Record<string, string>>
}

const fixed = (headers: Record<string, string>): HttpAuthentication =>
  Object.freeze({ headers: async () => headers })

const none = defineAuth({
  id: 'none',
  title: 'None',
  description: 'For services that are open to everybody',
  fields: z.strictObject({}),
  resolve: () => fixed({}),
})

const header = defineAuth({
  id: 'header',
  title: 'Header with a key',
  description: 'A header of any name that holds a key, such as X-Api-Key',
  fields: z.strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of a header')
      .default('X-Api-Key')
      .meta({ title: 'Header', description: 'Name of the header', examples: ['X-Api-Key'] }),
    value: secret({ error: 'A key is missing' }).meta({ title: 'Key', description: 'Value of the header' }),
  }),
  resolve: ({ name, value }) => fixed({ [name.toLowerCase()]: value.reveal() }),
})

const bearer = defineAuth({
  id: 'bearer',
  title: 'Bearer token',
  recommended: true,
  fields: z.strictObject({
    token: secret({ error: 'A token is missing' }).meta({ title: 'Token', description: 'Bearer token' }),
  }),
  resolve: ({ token }) => fixed({ authorization: `Bearer ${token.reveal()}` }),
})

const basic = defineAuth({
  id: 'basic',
  title: 'User and password',
  fields: z.strictObject({
    user: z.string().meta({ title: 'User', description: 'Name of the user' }),
    password: secret().meta({ title: 'Password', description: 'Password of the user' }),
  }),
  resolve: ({ user, password }) =>
    fixed({ authorization: `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}` }),
})

/** A token is renewed so long before it expires, in ms. */
const renewBeforeMs = 60_000
const tokenTimeoutMs = 30_000

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional(),
})

const clientCredentials = defineAuth({
  id: 'oauth2-client-credentials',
  title: 'OAuth 2 client credentials',
  description: 'A client id and a client secret that give tokens; they are renewed in the middle of a run',
  fields: z.strictObject({
    tokenUrl: z
      .string()
      .superRefine((text, context) => {
        const problem = urlProblem(text, false)
        if (problem) context.addIssue({ code: 'custom', message: problem })
      })
      .meta({
        title: 'Token URL',
        description: 'Where tokens come from',
        examples: ['https://login.example.com/oauth2/token'],
      }),
    clientId: z.string().min(1).meta({ title: 'Client id', description: 'Id of the client' }),
    clientSecret: secret().meta({ title: 'Client secret', description: 'Secret of the client' }),
    scope: z
      .string()
      .min(1)
      .optional()
      .meta({ title: 'Scope', description: 'Scopes, with spaces between them' }),
  }),
  resolve: (fields, { clock }) => {
    let token: { readonly text: string; readonly expires: number } | undefined
    let pending: Promise<string> | undefined

    const request = async (signal: AbortSignal): Promise<string> => {
      const answer = await requestToken(fields, signal)
      const lifetime = (answer.expires_in ?? 3600) * 1000
      token = { text: answer.access_token, expires: clock().getTime() + lifetime }
      return answer.access_token
    }
    return Object.freeze({
      async headers({ signal, rejected }) {
        if (rejected) token = undefined
        const valid = token && token.expires - renewBeforeMs > clock().getTime() ? token.text : undefined
        // One request for a new token, however many wait for it.
        pending ??= valid === undefined ? request(signal).finally(() => (pending = undefined)) : undefined
        return { authorization: `Bearer ${valid ?? (await pending)}` }
      },
    } satisfies HttpAuthentication)
  },
})

interface ClientFields {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: { reveal(): string }
  readonly scope?: string | undefined
}

const requestToken = async (
  fields: ClientFields,
  signal: AbortSignal,
): Promise<z.output<typeof tokenAnswer>> => {
  const { tokenUrl, clientId, clientSecret, scope } = fields
  const credentials = [clientId, clientSecret.reveal()].map(encodeURIComponent).join(':')
  let response: Response
  try {
    response = await fetch(tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        accept: 'application/json',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(tokenTimeoutMs)]),
    })
  } catch {
    signal.throwIfAborted()
    throw new ConnectorError('network', `No token came from ${tokenUrl}.`, {
      hint: 'Check the token URL and the network, then run it again.',
    })
  }
  if (response.status >= 500 || response.status === 429)
    throw new ConnectorError('network', `${tokenUrl} answered ${response.status}.`, {
      hint: 'The service is busy or broken: run it again later.',
    })
  const answer = tokenAnswer.safeParse(await response.json().catch(() => undefined))
  if (!response.ok || !answer.success)
    throw new ConnectorError('auth', `${tokenUrl} gave no token (status ${response.status}).`, {
      hint: 'Check clientId, clientSecret and scope.',
    })
  return answer.data
}

export const httpAuthMethods = [bearer, header, basic, clientCredentials, none] as const
