import { ConnectorError } from '@penstock/core'
import type { AwsFailure } from './safe-cause.ts'
import type { AwsErrorContext, FailureTranslation } from './translate.ts'

const expiredCodes = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'])

/** Difference of clocks that AWS tolerates, in milliseconds. */
const toleratedMs = 15 * 60_000

/**
 * Whether a request was refused for its time: S3 has codes of its own, other services say it in the message. An answer to
 * HEAD has neither: the server's clock tells it.
 */
export const isSkew = (failure: AwsFailure, now: Date): boolean => {
  const { code, message } = failure
  if (code === 'RequestTimeTooSkewed' || code === 'RequestExpired') return true
  if (code === 'Http403') return Math.abs(clockOffset(failure, now) ?? 0) > toleratedMs
  return code === 'InvalidSignatureException' && /signature (expired|not yet current)/i.test(message)
}

export const isExpired = ({ code }: AwsFailure): boolean => expiredCodes.has(code)

const authError =
  (message: (failure: AwsFailure, context: AwsErrorContext) => string, hint: string): FailureTranslation =>
  (failure, context) =>
    new ConnectorError('auth', message(failure, context), { code: failure.code, hint, cause: failure })

/** Server's clock minus local clock in ms, as the answer tells it. */
export const clockOffset = (failure: AwsFailure, now: Date): number | undefined => {
  const server = Date.parse(failure.fields.ServerTime ?? failure.headers.date ?? '')
  return Number.isNaN(server) ? undefined : server - now.getTime()
}

const describeOffset = (ms: number): string => {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const amount =
    seconds < 120
      ? `${seconds} seconds`
      : seconds < 7200
        ? `${Math.round(seconds / 60)} minutes`
        : `${Math.round(seconds / 3600)} hours`
  return `${amount} ${ms > 0 ? 'behind' : 'ahead'}`
}

const skewed: FailureTranslation = (failure, context) => {
  const offset = clockOffset(failure, context.now ?? new Date())
  return new ConnectorError(
    'auth',
    offset === undefined || Math.abs(offset) < 1000
      ? 'The clock of this machine is off, so the request was refused.'
      : `The clock of this machine is ${describeOffset(offset)}, so the request was refused.`,
    {
      code: 'RequestTimeTooSkewed',
      hint: 'Set the clock (network time), then try again. AWS tolerates 15 minutes.',
      cause: failure,
    },
  )
}

/**
 * A refusal without a reason, as HEAD has it: of the time where the request was signed for another one than the answer
 * tells, else of the right.
 */
export const unexplained =
  (denied: FailureTranslation): FailureTranslation =>
  (failure, context) => {
    const signedAt = new Date((context.now?.getTime() ?? Date.now()) + (context.clockOffsetMs ?? 0))
    return isSkew(failure, signedAt) ? skewed(failure, context) : denied(failure, context)
  }

const unknownKey = authError(
  () => "The access key id isn't known.",
  'Check accessKeyId (AWS_ACCESS_KEY_ID): it may be mistyped, deleted, or of another store or partition. Temporary keys (ASIA...) need sessionToken (AWS_SESSION_TOKEN) as well.',
)

const wrongSignature: FailureTranslation = (failure, context) =>
  /signature (expired|not yet current)/i.test(failure.message)
    ? skewed(failure, context)
    : authError(
        () => 'The secret access key is wrong: the signature does not match.',
        'Check secretAccessKey (AWS_SECRET_ACCESS_KEY) and that it belongs to the access key id.',
      )(failure, context)

const expired = authError(
  () => 'The session token has expired.',
  'Get new temporary keys and set accessKeyId, secretAccessKey and sessionToken (AWS_SESSION_TOKEN), or use auth method assumed-role, which renews them by itself.',
)

const invalidToken = authError(
  () => "The session token isn't valid.",
  'Check sessionToken (AWS_SESSION_TOKEN): it has to come with this very access key. Remove it for the keys of an IAM user.',
)

/** What is said about credentials that AWS does not accept. */
export const signatureErrors: Readonly<Record<string, FailureTranslation>> = {
  InvalidAccessKeyId: unknownKey,
  InvalidClientTokenId: unknownKey,
  UnrecognizedClientException: unknownKey,
  SignatureDoesNotMatch: wrongSignature,
  InvalidSignatureException: wrongSignature,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  InvalidToken: invalidToken,
  RequestTimeTooSkewed: skewed,
  RequestExpired: skewed,
  NotSignedUp: authError(
    () => 'The AWS account is not signed up for S3.',
    'Ask who administers the AWS account.',
  ),
  AccountProblem: authError(
    () => 'AWS refuses the account of these keys.',
    'Ask who administers the AWS account.',
  ),
}
