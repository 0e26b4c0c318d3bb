import { openS3Writer, type RetryOptions, type S3WriteAccess } from '@penstock/aws'
import type { S3Context } from './config.ts'

/** One access per use of a connection: everything shares sockets, the retry budget and the role's session. */
const opened = new WeakMap<S3Context, S3WriteAccess>()

/** `retry` counts where the access is opened: with the first call. */
export const accessOf = (context: S3Context, retry: RetryOptions = {}): S3WriteAccess => {
  const existing = opened.get(context)
  if (existing) return existing
  const { maxAttempts } = context.config
  const access = openAccess(
    context,
    context.signal,
    maxAttempts === undefined ? retry : { ...retry, attempts: maxAttempts },
  )
  opened.set(context, access)
  return access
}

/** An access of its own, with few retries: a check tells what is wrong, it does not wait for it to heal. */
export const accessForCheck = (context: S3Context): S3WriteAccess =>
  openAccess(context, context.signal, { attempts: 2 })

/** Time for the clean-up after a failure or a cancellation, in milliseconds. */
const cleanUpMs = 20_000
const cleanUpAttempts = 3

/** An access that still works when the run was cancelled: to leave nothing behind. */
export const accessForCleanUp = (context: S3Context): S3WriteAccess =>
  openAccess(context, AbortSignal.timeout(cleanUpMs), {
    attempts: Math.min(cleanUpAttempts, context.config.maxAttempts ?? cleanUpAttempts),
  })

const openAccess = (
  { config, auth, clock, concurrency, defer, notice }: S3Context,
  signal: AbortSignal,
  retry: RetryOptions,
): S3WriteAccess => {
  const access = openS3Writer({
    config,
    auth,
    signal,
    clock,
    retry,
    notice,
    ...(concurrency === undefined ? {} : { concurrency }),
  })
  defer(() => access.close())
  return access
}
