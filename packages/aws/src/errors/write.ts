import { ConnectorError, type ErrorKind } from '@penstock/core'
import { place } from './access-denied.ts'
import type { AwsErrorContext, FailureTranslation } from './translate.ts'

/** True for an operation that changes something, or looks at an upload. */
export const isWriting = (operation: string): boolean =>
  /^(Put|Create|Upload|Complete|Copy|Delete|Abort|ListParts)/.test(operation)

const name = ({ key }: AwsErrorContext): string => key ?? 'the object'

const fixed =
  (
    kind: ErrorKind,
    message: (context: AwsErrorContext, detail: string) => string,
    hint: string,
    code?: string,
  ): FailureTranslation =>
  (failure, context) =>
    new ConnectorError(kind, message(context, failure.message), {
      code: code ?? failure.code,
      hint,
      ...place(context),
      cause: failure,
    })

const preconditionFailed: FailureTranslation = (failure, context) => {
  const { source } = context
  // A copy has conditions on both sides.
  if (source && /copy-source/i.test(failure.fields.Condition ?? ''))
    return new ConnectorError('conflict', `Object ${source.key} changed before it was copied.`, {
      code: 'ObjectChanged',
      hint: 'List it again, then copy it as it is then.',
      place: { object: `s3://${source.container}/${source.key}` },
      cause: failure,
    })
  const exists = !/^if-match$/i.test(failure.fields.Condition ?? '')
  return new ConnectorError(
    'conflict',
    exists
      ? `There is an object ${name(context)} already: nothing was written.`
      : `Object ${name(context)} is another version by now: nothing was written.`,
    {
      code: exists ? 'ObjectExists' : 'ObjectChanged',
      hint: exists ? 'Choose another key, or allow that it is overwritten.' : 'Read it again, then decide.',
      ...place(context),
      cause: failure,
    },
  )
}

/** The source of a copy, or the object that If-Match names. */
const missing: FailureTranslation = (failure, context) => {
  const { container = context.bucket ?? '', key = name(context) } = context.source ?? {}
  return new ConnectorError('not-found', `There is no object ${key} in bucket ${container}.`, {
    code: 'NoSuchKey',
    hint: 'Check bucket and key: capitals count, and so do leading slashes.',
    place: { object: `s3://${container}/${key}` },
    cause: failure,
  })
}

const damaged = fixed(
  'network',
  (context) => `${name(context)} arrived in S3 with other bytes than were sent.`,
  'Something on the way changes the bytes. If the store knows no checksums, set checksums to when-required.',
  'ChecksumMismatch',
)

const refusedValue = fixed(
  'config',
  (context, detail) => `S3 refuses to write ${name(context)}: ${detail}`,
  'Check the options and headers of the object.',
)

const kmsKey = fixed(
  'config',
  (_, detail) => `The KMS key can't be used: ${detail}`,
  'Check the key id, its region, and that the key is enabled.',
)

/** What is said about failures of writing. */
export const writeErrors: Readonly<Record<string, FailureTranslation>> = {
  PreconditionFailed: preconditionFailed,
  Http412: preconditionFailed,
  ConditionalRequestConflict: fixed(
    'conflict',
    (context) => `Somebody else writes ${name(context)} at the same time: nothing was written.`,
    'Try again when the other one is through.',
  ),
  MalformedXML: fixed(
    'config',
    (context) => `The store does not understand the request to write ${name(context)}.`,
    "A store that does not know the checksums of S3 needs checksums: 'when-required'.",
  ),
  NoSuchKey: missing,
  NoSuchUpload: fixed(
    'not-found',
    (context) => `The upload of ${name(context)} is gone: it was completed or aborted.`,
    'Begin it anew. A lifecycle rule of the bucket may abort uploads that take too long.',
  ),
  InvalidPart: fixed(
    'conflict',
    (context) => `A part of ${name(context)} is not what was sent.`,
    'Begin the upload anew.',
  ),
  BadDigest: damaged,
  XAmzContentSHA256Mismatch: damaged,
  InvalidDigest: damaged,
  IncompleteBody: fixed(
    'network',
    (context) => `The connection ended before ${name(context)} was sent.`,
    'Try again; if it stays so, lower the concurrency or look at the network.',
  ),
  EntityTooLarge: fixed(
    'config',
    (context) => `${name(context)} is larger than S3 takes in one go.`,
    'Objects above 5 GiB go up in parts, and none has more than 10,000 parts.',
  ),
  InvalidStorageClass: refusedValue,
  InvalidArgument: refusedValue,
  InvalidRequest: refusedValue,
  InvalidTag: refusedValue,
  MetadataTooLarge: refusedValue,
  KeyTooLongError: fixed(
    'config',
    () => 'The key is longer than 1,024 bytes of UTF-8.',
    'Choose a shorter key or prefix.',
  ),
  AccessControlListNotSupported: fixed(
    'config',
    ({ bucket }) => `Bucket ${bucket ?? ''} has access control lists turned off.`,
    'Leave the ACL out: the owner of the bucket owns every object in it.',
  ),
  InvalidBucketName: fixed(
    'config',
    ({ bucket }) => `${bucket ?? ''} is no name for a bucket.`,
    'A bucket name has 3 to 63 of the characters a-z, 0-9, dot and hyphen.',
  ),
  BucketAlreadyExists: fixed(
    'conflict',
    ({ bucket }) => `Somebody else has a bucket ${bucket ?? ''}.`,
    'Choose another name: names of buckets are unique over all accounts.',
  ),
  BucketAlreadyOwnedByYou: fixed(
    'conflict',
    ({ bucket }) => `Bucket ${bucket ?? ''} is yours already.`,
    'Use it as it is.',
  ),
  TooManyBuckets: fixed(
    'resource',
    () => 'The account has as many buckets as it may have.',
    'Delete one, or ask AWS to raise the quota.',
  ),
  'KMS.NotFoundException': kmsKey,
  'KMS.DisabledException': kmsKey,
  'KMS.KMSInvalidStateException': kmsKey,
}
