import { ConnectorError } from '@penstock/core'
import { isAwsFailure } from '../errors/safe-cause.ts'
import { type AwsErrorContext, translateAwsError } from '../errors/translate.ts'
import {
  parseRetryAfter,
  type Retries,
  type RetryLimits,
  type RetryNotice,
  type RetryRun,
} from '../http/retry.ts'
import type { Semaphore } from '../http/semaphore.ts'
import type { Counters, S3Request, S3Response, S3Transport } from './transport.ts'

/** Requests of one bucket with limits, retries and translated errors: what all operations are made of. */
export interface S3Client {
  readonly bucket: string
  readonly region: string
  readonly clock: () => Date
  readonly signal: AbortSignal
  readonly verify: boolean
  readonly counters: Counters
  /** Tells the user something; the same words once alone. */
  notice(message: string): void
  /** What an error of an operation on this bucket, or on an object in it, is translated with. */
  context(operation: string, action: string, key?: string): AwsErrorContext
  /** Runs one try: waits for a free place, translates errors. The place is free again when `use` ends. */
  attempt<Result>(
    request: Omit<S3Request, 'operation' | 'key'>,
    context: AwsErrorContext,
    use: (response: S3Response) => Promise<Result>,
  ): Promise<Result>
  /** Tries again what a retry heals. `attempt` may count progress on the run. */
  retrying<Result>(
    context: AwsErrorContext,
    options: RetryLimits & {
      readonly signal: AbortSignal
      readonly onRetry?: ((notice: RetryNotice) => void) | undefined
    },
    attempt: (run: RetryRun) => Promise<Result>,
  ): Promise<Result>
  /** Aborts with the connection, and with another signal. */
  signals(other: AbortSignal | undefined): AbortSignal
}

export interface ClientOptions {
  readonly bucket: string
  readonly region: string
  readonly host: string
  readonly partition: string
  readonly anonymous: boolean
  readonly clock: () => Date
  readonly signal: AbortSignal
  readonly verify: boolean
  readonly notice: (message: string) => void
  readonly transport: S3Transport
  readonly semaphore: Semaphore
  /** Of requests for small bodies; may be the same one. */
  readonly smallSemaphore: Semaphore
  readonly retries: Retries
  readonly counters: Counters
}

/** The wait that the other side asked for, by the error that was translated from its answer. */
const retryAfter = (error: ConnectorError, now: Date): number | undefined =>
  isAwsFailure(error.cause) ? parseRetryAfter(error.cause.headers['retry-after'], now) : undefined

export const createClient = (options: ClientOptions): S3Client => {
  const { bucket, region, host, clock, transport, semaphore, smallSemaphore, retries, counters } = options

  const context = (operation: string, action: string, key?: string): AwsErrorContext => {
    const arn = `arn:${options.partition}:s3:::${bucket}`
    const resource = key === undefined ? arn : `${arn}/${key}`
    return {
      operation,
      action,
      resource,
      bucket,
      key,
      region,
      host,
      anonymous: options.anonymous,
      now: clock(),
    }
  }

  const translate = (error: unknown, about: AwsErrorContext, signal: AbortSignal): ConnectorError => {
    if (signal.aborted)
      return ConnectorError.isInstance(signal.reason)
        ? signal.reason
        : new ConnectorError('cancelled', 'Cancelled.')
    return translateAwsError(error, { ...about, now: clock(), clockOffsetMs: counters.clockOffsetMs })
  }

  const told = new Set<string>()
  const notice = (message: string): void => {
    if (told.has(message)) return
    told.add(message)
    options.notice(message)
  }

  const attempt: S3Client['attempt'] = async (request, about, use) => {
    const { signal } = request
    let release: (() => void) | undefined
    let response: S3Response | undefined
    try {
      if (!request.urgent) release = await (request.small ? smallSemaphore : semaphore).acquire(signal)
      response = await transport.send({ ...request, operation: about.operation, key: about.key })
      return await use(response)
    } catch (error) {
      // What nobody reads any more would hold its connection.
      response?.body.on('error', () => {}).destroy()
      throw translate(error, about, signal)
    } finally {
      release?.()
    }
  }

  const retrying: S3Client['retrying'] = async (about, { signal, onRetry, mostSilences }, run) => {
    let failed: ConnectorError | undefined
    const onNext = (event: RetryNotice) => {
      // Nothing else moves meanwhile: whoever looks on has to know why.
      if (failed?.code === 'UND_ERR_HEADERS_TIMEOUT') notice(`${failed.message} Trying again.`)
      onRetry?.(event)
    }
    const series = retries.start(signal, onNext, { mostSilences })
    for (;;) {
      try {
        const result = await run(series)
        series.done()
        return result
      } catch (error) {
        failed = translate(error, about, signal)
        if (failed.kind === 'throttled') counters.throttled++
        await series.wait(failed, { retryAfterMs: retryAfter(failed, clock()) }).catch((reason: unknown) => {
          throw translate(reason, about, signal)
        })
      }
    }
  }

  // Callers pass one signal with thousands of small objects.
  const joined = new WeakMap<AbortSignal, AbortSignal>()
  const signals = (other: AbortSignal | undefined): AbortSignal => {
    if (!other || other === options.signal) return options.signal
    const known = joined.get(other) ?? AbortSignal.any([options.signal, other])
    joined.set(other, known)
    return known
  }

  return Object.freeze({
    bucket,
    region,
    clock,
    signal: options.signal,
    verify: options.verify,
    counters,
    notice,
    context,
    attempt,
    retrying,
    signals,
  })
}
