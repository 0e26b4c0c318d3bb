import { ConnectorError } from '@penstock/core'
import type { AwsAuthentication, AwsCredentialProvider, AwsCredentials } from '../auth/authentication.ts'
import { awsPartition } from '../connection/endpoint.ts'
import type { AwsErrorContext } from '../errors/translate.ts'
import type { RetryOptions } from '../http/retry.ts'
import { type CatalogCall, openCalls } from './calls.ts'
import type { RestAuthorization } from './transport.ts'

export interface OpenCatalogRestOptions {
  /** `https://glue.eu-central-1.amazonaws.com/iceberg`; the version is part of the paths. */
  readonly endpoint: string
  /** In messages: `Glue`, `S3 Tables`, `The catalog`. */
  readonly title: string
  readonly authorization: RestAuthorization
  readonly allowInsecure?: boolean | undefined
  readonly signal: AbortSignal
  readonly clock: () => Date
  readonly retry?: RetryOptions
}

/** Requests to an Iceberg REST catalog: by GET alone, but for the form of a token endpoint. */
export interface CatalogRest {
  /** The JSON of the answer, every digit of its numbers kept: whole numbers beyond 2^53 come as bigint. */
  get(call: Omit<CatalogCall, 'form'>): Promise<unknown>
  /** Posts a form to a token endpoint, which may be elsewhere than the catalog. */
  form(call: CatalogCall & { readonly form: Readonly<Record<string, string>> }): Promise<unknown>
  close(): Promise<void>
}

export const catalogEndpoint = (service: 'glue' | 's3tables', region: string): string =>
  `https://${service}.${region}.${awsPartition(region).suffix}/iceberg`

/** Opens a REST catalog. Nothing is sent before the first call. Throws `config` for an endpoint that must not be used. */
export const openCatalogRest = (options: OpenCatalogRestOptions): CatalogRest => {
  const { send, close } = openCalls({ ...options, field: 'endpoint' })
  const call = (request: CatalogCall): Promise<unknown> =>
    send(request, (body, context) => parseAnswer(body, context, parseJson))
  return Object.freeze({ get: call, form: call, close })
}

/** The JSON of an answer. Throws `data` where it is none. */
export const parseAnswer = (
  body: Uint8Array,
  { operation, host }: AwsErrorContext,
  parse: (text: string) => unknown,
): unknown => {
  try {
    return parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch (error) {
    throw new ConnectorError('data', `The answer of ${host} to ${operation} is not JSON.`, {
      code: 'InvalidAnswer',
      hint: 'Check endpoint: something else than a catalog may answer there.',
      cause: error instanceof Error ? new Error(error.message) : undefined,
    })
  }
}

/** JSON with every digit: whole numbers that a JavaScript number can't hold become bigint. */
export const parseJson = (text: string): unknown =>
  JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const source = context?.source ?? ''
    return /^-?\d+$/.test(source) ? BigInt(source) : value
  })

/** The credentials of a connection as a provider. Throws `config` for anonymous access. */
export const requireProvider = (
  auth: AwsAuthentication,
  environment: Parameters<AwsAuthentication['provider']>[0],
): AwsCredentialProvider => {
  const provider = auth.provider(environment)
  if (provider) return provider
  throw new ConnectorError('config', 'A catalog of AWS needs credentials.', {
    code: 'InvalidConfiguration',
    hint: 'Choose an auth method with credentials: assumed-role, access-key or default-chain.',
  })
}

/** Credentials that were given once and never change: those that a catalog hands out with a table. */
export const fixedAuthentication = (credentials: AwsCredentials): AwsAuthentication =>
  Object.freeze({ method: 'access-key', provider: () => async () => credentials })

/** An authentication whose parts share one provider, and so one session of a role. */
export const sharedAuthentication = (
  auth: AwsAuthentication,
  environment: Parameters<AwsAuthentication['provider']>[0],
): AwsAuthentication => {
  const provider = auth.provider(environment)
  return Object.freeze({ ...auth, provider: () => provider })
}
