import { ConnectorError } from '@penstock/core'
import { endpointProblem } from '../connection/endpoint.ts'
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
  readonly signal?: AbortSignal | undefined
}

/** Requests to a catalog: signed, tried again, their errors translated. */
export interface CatalogCalls {
  /** Sends a request and reads the body of its answer. */
  send<Answer>(
    call: CatalogCall,
    read: (body: Uint8Array, context: AwsErrorContext) => Answer,
  ): Promise<Answer>
  close(): Promise<void>
}

/** Nothing is sent before the first call. Throws `config` for an endpoint that must not be used. */
export const openCalls = (options: {
  readonly endpoint: string
  /** Field of the configuration that the endpoint comes from. */
  readonly field: string
  readonly title: string
  readonly authorization: RestAuthorization
  readonly allowInsecure?: boolean | undefined
  readonly signal: AbortSignal
  readonly clock: () => Date
  readonly retry?: RetryOptions | undefined
}): CatalogCalls => {
  const { title, clock, authorization, field } = options
  const problem = endpointProblem(options.endpoint, options.allowInsecure ?? false)
  if (problem) throw new ConnectorError('config', `${field}: ${problem}.`, { code: 'InvalidConfiguration' })
  const endpoint = new URL(options.endpoint)
  const settings = retrySettings(options.retry ?? {}, 8)
  const dispatcher = createDispatcher(endpoint.hostname, { ...settings, connections: 8 })
  const retries = createRetries(settings)
  const transport = createRestTransport({ endpoint, authorization, dispatcher, clock, retries })

  const send: CatalogCalls['send'] = async (request, read) => {
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
        const body = await transport({ ...request, signal })
        run.done()
        return read(body, context)
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

  return Object.freeze({ send, close: () => dispatcher.destroy() })
}
