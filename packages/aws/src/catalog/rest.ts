import { ConnectorError } from '@penstock/core'
import type { AwsAuthentication, AwsCredentialProvider, AwsCredentials } from '../auth/authentication.ts'
import { awsPartition, endpointProblem } from '../connection/endpoint.ts'
import { isAwsFailure } from '../errors/safe-cause.ts'
import { type AwsErrorContext, translateAwsError } from '../errors/translate.ts'
import { createDispatcher } from '../http/dispatcher.ts'
import { createRetries, parseRetryAfter, type RetryOptions, retrySettings } from '../http/retry.ts'
import { createRestTransport, type RestAuthorization, type RestRequest } from './transport.ts'

/** What a request is for: in messages, and as the permission that it needs. */
export interface CatalogCall extends Omit<RestRequest, 'signal'> {
  readonly operation: string
  /** IAM action and ARN; for catalogs of others what comes next to it. */
  readonly action: string
  readonly resource: string
  /** `table sales.orders` */
  readonly subject?: string
  readonly signal?: AbortSignal
}

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
  const { title, clock } = options
  const problem = endpointProblem(options.endpoint, options.allowInsecure ?? false)
  if (problem) throw new ConnectorError('config', `endpoint: ${problem}.`, { code: 'InvalidConfiguration' })
  const endpoint = new URL(options.endpoint)
  const settings = retrySettings(options.retry ?? {}, 8)
  const dispatcher = createDispatcher(endpoint.hostname, { ...settings, connections: 8 })
  const retries = createRetries(settings)
  const { authorization } = options
  const send = createRestTransport({ endpoint, authorization, dispatcher, clock, retries })

  const call = async (request: CatalogCall): Promise<unknown> => {
    const { operation, action, resource, subject } = request
    const signal = request.signal ? AbortSignal.any([options.signal, request.signal]) : options.signal
    const region = authorization.kind === 'sigv4' ? authorization.region : undefined
    const context: AwsErrorContext = {
      operation,
      action,
      resource,
      catalog: title,
      subject,
      region,
      host: endpoint.hostname,
    }
    const translate = (error: unknown): ConnectorError =>
      signal.aborted && ConnectorError.isInstance(signal.reason)
        ? signal.reason
        : translateAwsError(error, { ...context, now: clock() })
    const run = retries.start(signal)
    for (;;) {
      try {
        const body = await send({ ...request, signal })
        run.done()
        return parseAnswer(body, context)
      } catch (error) {
        const failed = translate(error)
        const retryAfterMs = isAwsFailure(failed.cause)
          ? parseRetryAfter(failed.cause.headers['retry-after'], clock())
          : undefined
        await run.wait(failed, { retryAfterMs }).catch((reason: unknown) => {
          throw translate(reason)
        })
      }
    }
  }

  return Object.freeze({ get: call, form: call, close: () => dispatcher.destroy() })
}

const parseAnswer = (body: Uint8Array, { operation, host }: AwsErrorContext): unknown => {
  try {
    return parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch (error) {
    throw new ConnectorError('data', `The answer of ${host} to ${operation} is not JSON.`, {
      code: 'InvalidAnswer',
      hint: 'Check endpoint: something else than an Iceberg REST catalog may answer there.',
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
