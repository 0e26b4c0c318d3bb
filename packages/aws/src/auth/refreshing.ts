import type { AwsCredentialProvider, AwsCredentials } from './authentication.ts'

/** Renewal begins that long before credentials end: requests that are signed now may still be under way then. */
const renewBeforeMs = 5 * 60_000
/** Closer to the end than this, nobody gets the old credentials any more. */
const waitBeforeMs = 60_000
/** After a renewal that failed while the old credentials still hold, the next one waits that long. */
const retryAfterMs = 10_000

/**
 * Keeps credentials and renews them before they end. However many requests ask, one renewal runs at a time.
 * A renewal that fails is no error as long as the old credentials hold.
 */
export const refreshingProvider = (
  fetch: () => Promise<AwsCredentials>,
  clock: () => Date,
): AwsCredentialProvider => {
  let current: AwsCredentials | undefined
  let renewal: Promise<AwsCredentials> | undefined
  let notBefore = 0

  const renew = (): Promise<AwsCredentials> => {
    renewal ??= fetch()
      .then((credentials) => {
        current = credentials
        return credentials
      })
      .finally(() => {
        renewal = undefined
      })
    return renewal
  }

  const renewInBackground = (now: number): void => {
    if (now < notBefore) return
    notBefore = now + retryAfterMs
    renew().catch(() => {})
  }

  return async ({ rejected } = {}) => {
    if (!current || rejected === current) return renew()
    const now = clock().getTime()
    const left = (current.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - now
    if (left <= waitBeforeMs) return renew()
    if (left <= renewBeforeMs) renewInBackground(now)
    return current
  }
}
