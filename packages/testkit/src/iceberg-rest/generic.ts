import { randomBytes } from 'node:crypto'
import { GlueError } from '../glue/errors.ts'
import { ensureCatalog, type GlueStore } from '../glue/store.ts'
import { equalInConstantTime } from '../sigv4/verify.ts'
import type { Clock, Reply } from '../types.ts'
import type { RestCatalog } from './handle.ts'

/** Who may use the Iceberg REST catalog that is none of AWS. */
export type RestAuth =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string }
  /** Client credentials (RFC 6749, 4.4); `scope` must be asked for when given. */
  | {
      kind: 'oauth2'
      clientId: string
      clientSecret: string
      scope?: string
      /** Seconds that a token holds; 3600 when absent. */
      expiresIn?: number
    }

export interface RestSettings {
  auth?: RestAuth
  /** Prefix that `config` gives; none when absent. */
  prefix?: string
  /** Warehouse that `config` knows; any when absent. */
  warehouse?: string
  /** Role whose sessions are given to those who ask for credentials. */
  vendRole?: string
}

/** The Iceberg REST catalog that is none of AWS, at `/_iceberg`. */
export interface GenericCatalog extends RestSettings {
  auth: RestAuth
  tokens: Map<string, { expiresAt: number }>
}

/** Account that the generic catalog's namespaces lie in: no account of AWS. */
export const genericAccount = 'generic'

export const createGenericCatalog = (): GenericCatalog => ({ auth: { kind: 'none' }, tokens: new Map() })

/** Throws NotAuthorizedException unless the caller has the token, or one that was given out and still holds. */
export function requireBearer(
  { auth, tokens }: GenericCatalog,
  header: string | undefined,
  clock: Clock,
): void {
  if (auth.kind === 'none') return
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1]
  if (given === undefined) throw new GlueError('NotAuthorizedException', 'The request has no bearer token')
  if (auth.kind === 'bearer' && equalInConstantTime(auth.token, given)) return
  const issued = tokens.get(given)
  if (issued && issued.expiresAt > clock()) return
  throw new GlueError(
    'NotAuthorizedException',
    issued ? 'The access token expired' : 'The token is not known',
  )
}

export function genericRest(
  generic: GenericCatalog,
  store: GlueStore,
  tableConfig: RestCatalog['tableConfig'],
): RestCatalog {
  return {
    reach({ prefix }) {
      if (prefix !== (generic.prefix ?? ''))
        throw new GlueError('EntityNotFoundException', `There is no catalog at ${prefix || 'the root'}`)
      return ensureCatalog(store, genericAccount, '')
    },
    config(warehouse) {
      if (generic.warehouse !== undefined && warehouse !== generic.warehouse)
        throw new GlueError('EntityNotFoundException', `There is no warehouse ${warehouse ?? ''}`)
      return { defaults: {}, overrides: generic.prefix === undefined ? {} : { prefix: generic.prefix } }
    },
    tableConfig,
  }
}

/** Answers the token endpoint. Errors are those of RFC 6749, 5.2. */
export function issueToken(
  { auth, tokens }: GenericCatalog,
  { form, authorization, clock }: { form: URLSearchParams; authorization: string | undefined; clock: Clock },
): Reply {
  const reply = (status: number, body: object): Reply => ({
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  })
  if (form.get('grant_type') !== 'client_credentials')
    return reply(400, { error: 'unsupported_grant_type', error_description: 'Only client_credentials' })
  const [id, secret] = basicCredentials(authorization) ?? [form.get('client_id'), form.get('client_secret')]
  const known =
    auth.kind === 'oauth2' &&
    equalInConstantTime(auth.clientId, id ?? '') &&
    equalInConstantTime(auth.clientSecret, secret ?? '')
  if (!known)
    return reply(401, { error: 'invalid_client', error_description: 'Client authentication failed' })
  if (auth.scope !== undefined && form.get('scope') !== auth.scope)
    return reply(400, { error: 'invalid_scope', error_description: `The scope has to be ${auth.scope}` })
  const seconds = auth.expiresIn ?? 3600
  const token = randomBytes(24).toString('base64url')
  tokens.set(token, { expiresAt: clock() + seconds * 1000 })
  return reply(200, { access_token: token, token_type: 'bearer', expires_in: seconds })
}

function basicCredentials(header: string | undefined): [string, string] | undefined {
  const encoded = /^Basic (.+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(/:(.*)/s)
  return [decodeURIComponent(id), decodeURIComponent(secret)]
}
