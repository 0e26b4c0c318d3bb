import { ConnectorError } from '@penstock/core'
import { accessDenied, place } from './access-denied.ts'
import { catalogError } from './catalog.ts'
import { translateNetworkError } from './network.ts'
import { type AwsFailure, failureOfSdkError, safeCause } from './safe-cause.ts'
import { signatureErrors, unexplained } from './signature.ts'
import { isWriting, writeErrors } from './write.ts'

/** What was tried when an error came. */
export interface AwsErrorContext {
  /** Name of the API operation: `ListObjectsV2`. */
  readonly operation: string
  /** IAM action that it needs: `s3:ListBucket`. */
  readonly action: string
  /** ARN that the action is needed on: `arn:aws:s3:::bucket`. */
  readonly resource: string
  readonly bucket?: string | undefined
  readonly key?: string | undefined
  /** Object that is copied from. */
  readonly source?: { readonly container: string; readonly key: string } | undefined
  readonly region?: string | undefined
  /** Host that was spoken to. */
  readonly host?: string | undefined
  readonly anonymous?: boolean | undefined
  /** Catalog that was asked, for messages: `Glue`, `S3 Tables`, `The catalog`. Absent for S3 and STS. */
  readonly catalog?: string | undefined
  /** What was asked for in a catalog: `table sales.orders`. */
  readonly subject?: string | undefined
  /** Local time, to tell how far a clock is off. */
  readonly now?: Date | undefined
  /** What requests add to local time, as an answer before has told that the clock is off: ms. */
  readonly clockOffsetMs?: number | undefined
}

export type FailureTranslation = (failure: AwsFailure, context: AwsErrorContext) => ConnectorError

const throttled: FailureTranslation = (failure, context) =>
  new ConnectorError('throttled', `${context.catalog ?? 'S3'} asks to slow down (${failure.code}).`, {
    code: failure.code,
    hint: 'Lower the concurrency, or try again later.',
    ...place(context),
    cause: failure,
  })

const broken: FailureTranslation = (failure, context) =>
  new ConnectorError(
    'network',
    `${context.operation} failed on the other side (${failure.code}, HTTP ${failure.status}).`,
    { code: failure.code, hint: 'Try again later.', ...place(context), cause: failure },
  )

const wrongRegion: FailureTranslation = (failure, context) => {
  const region =
    failure.headers['x-amz-bucket-region'] ??
    failure.fields.Region ??
    /s3[.-]([a-z0-9-]+)\.amazonaws/.exec(failure.fields.Endpoint ?? '')?.[1] ??
    /expecting '([a-z0-9-]+)'/.exec(failure.message)?.[1]
  const subject = context.bucket === undefined ? 'The endpoint' : `Bucket ${context.bucket}`
  return new ConnectorError(
    'config',
    region === undefined
      ? `${subject} is not in region ${context.region}.`
      : `${subject} is in region ${region}, not in ${context.region}.`,
    {
      code: 'WrongRegion',
      hint: region === undefined ? 'Set region to the region of the bucket.' : `Set region to ${region}.`,
      cause: failure,
    },
  )
}

const noSuchBucket: FailureTranslation = (failure, context) =>
  new ConnectorError('not-found', `There is no bucket ${context.bucket ?? ''}.`, {
    code: 'NoSuchBucket',
    hint: 'Check bucket, region and endpoint.',
    cause: failure,
  })

const noSuchKey: FailureTranslation = (failure, context) =>
  new ConnectorError(
    'not-found',
    `There is no object ${context.key ?? ''} in bucket ${context.bucket ?? ''}.`,
    {
      code: 'NoSuchKey',
      hint: 'Check bucket and key: capitals count, and so do leading slashes.',
      ...place(context),
      cause: failure,
    },
  )

const archived: FailureTranslation = (failure, context) =>
  new ConnectorError(
    'data',
    `Object ${context.key ?? ''} is archived (${failure.fields.StorageClass ?? 'GLACIER'}) and can't be read.`,
    {
      code: 'InvalidObjectState',
      hint: 'Restore it first (aws s3api restore-object), or exclude it.',
      ...place(context),
      cause: failure,
    },
  )

const changed: FailureTranslation = (failure, context) =>
  new ConnectorError('conflict', `Object ${context.key ?? ''} changed while it was read.`, {
    code: 'ObjectChanged',
    hint: 'Run again: the object is read as it is then.',
    ...place(context),
    cause: failure,
  })

const validation: FailureTranslation = (failure, context) => {
  const chaining = /role chaining/i.test(failure.message)
  const tooLong = /MaxSessionDuration/i.test(failure.message)
  return new ConnectorError('config', `${context.operation} was refused: ${failure.message}`, {
    code: chaining ? 'RoleChainingLimit' : failure.code,
    hint: chaining
      ? 'Set durationSeconds to at most 3600.'
      : tooLong
        ? 'Lower durationSeconds, or raise the maximum session duration of the role.'
        : 'Check the fields of auth.',
    cause: failure,
  })
}

const notSupported: FailureTranslation = (failure, context) =>
  new ConnectorError(
    'config',
    `The store at ${context.host ?? 'the endpoint'} doesn't support ${context.operation}.`,
    {
      code: 'NotImplemented',
      hint: 'Check endpoint.',
      ...place(context),
      cause: failure,
    },
  )

const byCode: Readonly<Record<string, FailureTranslation>> = {
  ...signatureErrors,
  AccessDenied: accessDenied,
  AccessDeniedException: accessDenied,
  AllAccessDisabled: accessDenied,
  'KMS.AccessDeniedException': accessDenied,
  Forbidden: accessDenied,
  Http403: unexplained(accessDenied),
  SlowDown: throttled,
  Throttling: throttled,
  ThrottlingException: throttled,
  RequestLimitExceeded: throttled,
  TooManyRequests: throttled,
  TooManyRequestsException: throttled,
  Http429: throttled,
  InternalError: broken,
  InternalFailure: broken,
  InternalServiceException: broken,
  InternalServerError: broken,
  ServiceUnavailable: broken,
  RequestTimeout: broken,
  OperationAborted: broken,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  Http301: wrongRegion,
  NoSuchBucket: noSuchBucket,
  NoSuchKey: noSuchKey,
  InvalidObjectState: archived,
  PreconditionFailed: changed,
  InvalidRange: changed,
  ConditionalRequestConflict: changed,
  Http412: changed,
  Http416: changed,
  NotImplemented: notSupported,
  ValidationError: validation,
}

/** HEAD has no body: the status has to do, and whether an object was asked for. */
const byStatus = (failure: AwsFailure, context: AwsErrorContext): FailureTranslation | undefined => {
  const { status, headers } = failure
  const region = headers['x-amz-bucket-region']
  if ((status === 301 || status === 307 || status === 400) && region && region !== context.region)
    return wrongRegion
  if (status === 404) return context.key === undefined ? noSuchBucket : noSuchKey
  if (status === 429) return throttled
  if (status >= 500) return broken
  return undefined
}

const other: FailureTranslation = (failure, context) =>
  new ConnectorError(
    failure.status >= 400 && failure.status < 500 ? 'config' : 'internal',
    `${context.operation} was refused (${failure.code}, HTTP ${failure.status})${failure.message ? `: ${failure.message}` : '.'}`,
    {
      code: failure.code,
      ...(failure.code === 'Http400' && { hint: untoldHint }),
      ...place(context),
      cause: failure,
    },
  )

/** The answer to a HEAD request has no body that could say why. */
const untoldHint = 'An expired session token or a wrong region look like this: check both.'

/**
 * Any error of a request to AWS as a ConnectorError that names the cause and the way out. Neither the message nor
 * a cause holds a secret, a signature or a header of the request.
 */
export const translateAwsError = (error: unknown, context: AwsErrorContext): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  const failure = failureOfSdkError(error)
  if (failure) {
    const translate =
      (isWriting(context.operation) ? writeErrors[failure.code] : undefined) ??
      (context.catalog === undefined ? undefined : catalogError(failure)) ??
      byCode[failure.code] ??
      byStatus(failure, context) ??
      other
    return translate(failure, context)
  }
  if (isAbort(error)) return new ConnectorError('cancelled', 'Cancelled.')
  return (
    translateNetworkError(error, context.host ?? 'the service') ??
    new ConnectorError('internal', `${context.operation} failed: ${safeCause(error)?.message ?? 'unknown'}`, {
      cause: safeCause(error),
    })
  )
}

/** What a signal ends. A library that aborts of its own accord has a code of its own. */
const isAbort = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return code === 'ABORT_ERR' || (error.name === 'AbortError' && code !== 'UND_ERR_ABORTED')
}
