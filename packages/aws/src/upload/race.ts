import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorError } from '@penstock/core'

/** Tries of a conditional write that another request gets in the way of. */
export const raceAttempts = 5

/**
 * True for 409 ConditionalRequestConflict: another request at the same key was under way. S3 says to try it again, and
 * an upload in parts with a new one (s3-connectors.md, section 7).
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html#conditional-error-response
 */
export const isRace = (error: unknown): boolean =>
  ConnectorError.isInstance(error) && error.code === 'ConditionalRequestConflict'

/** Waits a moment, longer each time, in which the other request may end. */
export const afterRace = (attempt: number, signal: AbortSignal): Promise<void> =>
  sleep(Math.random() * 50 * 2 ** attempt, undefined, { signal })
