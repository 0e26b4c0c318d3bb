import type { CatalogRest, RestAuthorization } from '@penstock/aws'
import { ConnectorError } from '@penstock/core'
import { z } from 'zod'
import type { ZeroCopyConfig } from '../config.ts'

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().nullish() })

/** A token is renewed that long before it ends. */
const renewBeforeMs = 60_000

/**
 * Tokens by client credentials (RFC 6749, 4.4), kept until shortly before they end. However many requests ask, one
 * token is fetched at a time. `endpoint` is the client of the token endpoint, `path` the path of it.
 */
export const oauthTokens = (
  oauth: NonNullable<ZeroCopyConfig['oauth']>,
  endpoint: CatalogRest,
  path: string,
  clock: () => Date,
): Extract<RestAuthorization, { kind: 'bearer' }>['token'] => {
  let current: { readonly token: string; readonly until: number } | undefined
  let pending: Promise<string> | undefined

  const fetchToken = async (signal: AbortSignal): Promise<string> => {
    const answer = await endpoint.form({
      operation: 'GetToken',
      action: 'client credentials',
      resource: 'the token endpoint',
      subject: 'token endpoint',
      path,
      form: {
        grant_type: 'client_credentials',
        client_id: oauth.clientId,
        client_secret: oauth.clientSecret.reveal(),
        ...(oauth.scope === undefined ? {} : { scope: oauth.scope }),
      },
      signal,
    })
    const parsed = tokenAnswer.safeParse(answer)
    if (!parsed.success)
      throw new ConnectorError('auth', 'The token endpoint gave no access token.', {
        code: 'InvalidAnswer',
        hint: 'Check oauth.tokenEndpoint.',
      })
    const { access_token: token, expires_in: seconds } = parsed.data
    current = { token, until: clock().getTime() + (seconds ?? 3600) * 1000 - renewBeforeMs }
    return token
  }

  return ({ rejected, signal }) => {
    const valid = current && current.token !== rejected && current.until > clock().getTime()
    if (current && valid) return Promise.resolve(current.token)
    pending ??= fetchToken(signal).finally(() => {
      pending = undefined
    })
    return pending
  }
}
