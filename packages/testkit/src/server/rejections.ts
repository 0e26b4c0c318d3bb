import { GlueError } from '../glue/errors.ts'
import { S3Error } from '../s3/errors.ts'
import type { Rejection } from '../sigv4/rejection.ts'
import { stsError } from '../sts/xml.ts'
import type { Reply } from '../types.ts'

const seconds = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`

const hexBytes = (text: string): string =>
  (Buffer.from(text, 'latin1').toString('hex').match(/../g) ?? []).join(' ')

/** A rejected signature in S3's words. */
export function s3Rejection(rejection: Rejection): S3Error {
  switch (rejection.kind) {
    case 'malformed-header':
      return new S3Error('AuthorizationHeaderMalformed', { message: rejection.message })
    case 'malformed-query':
      return new S3Error('AuthorizationQueryParametersError', { message: rejection.message })
    case 'unsupported-mechanism':
      return new S3Error('InvalidRequest', {
        message:
          'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      })
    case 'missing-date':
      return new S3Error('AccessDenied', {
        message: 'AWS authentication requires a valid Date or x-amz-date header',
      })
    case 'missing-payload-hash':
      return new S3Error('InvalidRequest', {
        message: 'Missing required header for this request: x-amz-content-sha256',
      })
    case 'bad-payload-hash':
      return new S3Error('InvalidArgument', {
        message:
          'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
        details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: rejection.value },
      })
    case 'unsigned-headers':
      return new S3Error('AccessDenied', {
        message: 'There were headers present in the request which were not signed',
        details: { HeadersNotSigned: rejection.names.join(', ') },
      })
    case 'unknown-key':
      return new S3Error('InvalidAccessKeyId', { details: { AWSAccessKeyId: rejection.accessKeyId } })
    case 'invalid-token':
      return new S3Error('InvalidToken', { details: { 'Token-0': rejection.token } })
    case 'expired-token':
      return new S3Error('ExpiredToken', { details: { 'Token-0': rejection.token } })
    case 'skewed':
      return new S3Error('RequestTimeTooSkewed', {
        details: {
          RequestTime: rejection.amzDate,
          ServerTime: seconds(rejection.serverTime),
          MaxAllowedSkewMilliseconds: rejection.maximumMs,
        },
      })
    case 'presign-expired':
      return new S3Error('AccessDenied', {
        message: 'Request has expired',
        details: {
          'X-Amz-Expires': rejection.expiresSeconds,
          Expires: seconds(rejection.expiredAt),
          ServerTime: seconds(rejection.serverTime),
        },
      })
    case 'presign-not-yet-valid':
      return new S3Error('AccessDenied', {
        message: 'Request is not valid yet',
        details: { 'X-Amz-Date': rejection.amzDate, ServerTime: seconds(rejection.serverTime) },
      })
    case 'signature-mismatch':
      return new S3Error('SignatureDoesNotMatch', {
        details: {
          AWSAccessKeyId: rejection.accessKeyId,
          StringToSign: rejection.stringToSign,
          SignatureProvided: rejection.signature,
          StringToSignBytes: hexBytes(rejection.stringToSign),
          CanonicalRequest: Buffer.from(rejection.canonicalRequest, 'latin1').toString('utf8'),
          CanonicalRequestBytes: hexBytes(rejection.canonicalRequest),
        },
      })
  }
}

/** The same in the words of STS. */
export function stsRejection(rejection: Rejection, requestId: string): Reply {
  const error = (code: string, message: string, status = 403) => stsError(code, message, status, requestId)
  switch (rejection.kind) {
    case 'malformed-header':
    case 'malformed-query':
      return error('SignatureDoesNotMatch', rejection.message)
    case 'unsupported-mechanism':
    case 'missing-date':
    case 'missing-payload-hash':
    case 'bad-payload-hash':
      return error(
        'IncompleteSignature',
        "Authorization header requires 'Credential', 'Signature', 'SignedHeaders' and a 'X-Amz-Date' or a 'Date' header.",
        400,
      )
    case 'unsigned-headers':
      return error(
        'SignatureDoesNotMatch',
        `'${rejection.names[0]}' must be a 'SignedHeader' in the AWS Authorization.`,
      )
    case 'unknown-key':
    case 'invalid-token':
      return error('InvalidClientTokenId', 'The security token included in the request is invalid.')
    case 'expired-token':
      return error('ExpiredToken', 'The security token included in the request is expired')
    case 'skewed':
    case 'presign-not-yet-valid':
    case 'presign-expired': {
      const now = seconds(rejection.serverTime).replace(/[-:]/g, '')
      const signed = rejection.kind === 'presign-expired' ? seconds(rejection.expiredAt) : rejection.amzDate
      return error(
        'SignatureDoesNotMatch',
        `Signature expired or not yet current: ${signed} against ${now} (15 min.)`,
      )
    }
    case 'signature-mismatch':
      return error(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      )
  }
}

/** The same in the words of Glue and S3 Tables, which share them with the other services of JSON. */
export function catalogRejection(rejection: Rejection): GlueError {
  switch (rejection.kind) {
    case 'malformed-header':
    case 'malformed-query':
      return new GlueError('InvalidSignatureException', rejection.message)
    case 'unsupported-mechanism':
    case 'missing-date':
    case 'missing-payload-hash':
    case 'bad-payload-hash':
      return new GlueError(
        'IncompleteSignatureException',
        "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters and an 'X-Amz-Date' or a 'Date' header.",
      )
    case 'unsigned-headers':
      return new GlueError(
        'InvalidSignatureException',
        `'${rejection.names[0]}' must be a 'SignedHeader' in the AWS Authorization.`,
      )
    case 'unknown-key':
    case 'invalid-token':
      return new GlueError(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      )
    case 'expired-token':
      return new GlueError('ExpiredTokenException', 'The security token included in the request is expired')
    case 'skewed':
    case 'presign-not-yet-valid':
    case 'presign-expired': {
      const now = seconds(rejection.serverTime).replace(/[-:]/g, '')
      const signed = rejection.kind === 'presign-expired' ? seconds(rejection.expiredAt) : rejection.amzDate
      return new GlueError(
        'InvalidSignatureException',
        `Signature expired: ${signed} is now earlier or later than ${now} (15 min.)`,
      )
    }
    case 'signature-mismatch':
      return new GlueError(
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      )
  }
}
