import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import type { AwsCredentials } from '../auth/authentication.ts'
import { encodeQuery } from './encode.ts'

/** SHA-256 of nothing: the payload hash of a request without a body. */
export const emptyPayloadHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** Payload hash of a request whose signature does not cover its body. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD'

export interface RequestToSign {
  readonly method: string
  /** Path as it is sent, encoded once. */
  readonly path: string
  /** Query as it is sent, in canonical order: what `encodeQuery` gives. */
  readonly query: string
  /** Headers to sign, names in lower case, `host` among them. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string
  readonly credentials: AwsCredentials
  readonly region: string
  readonly service: string
  readonly date: Date
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/**
 * Keys of the last scope: four HMACs a day and credential set instead of four a request. A key object, because
 * createHmac takes six times as long with a buffer (8.9 us against 1.5 us).
 */
const keyCache = new WeakMap<AwsCredentials, { readonly scope: string; readonly key: KeyObject }>()

const signingKey = (credentials: AwsCredentials, day: string, region: string, service: string): KeyObject => {
  const scope = `${day}/${region}/${service}`
  const cached = keyCache.get(credentials)
  if (cached?.scope === scope) return cached.key
  const dayKey = hmac(`AWS4${credentials.secretAccessKey}`, day)
  const key = createSecretKey(hmac(hmac(hmac(dayKey, region), service), 'aws4_request'))
  keyCache.set(credentials, { scope, key })
  return key
}

/** `20150830T123600Z` */
const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

/**
 * Signs a request with Signature Version 4. Gives the headers to send: those of the request, `x-amz-date`,
 * `x-amz-security-token` and `authorization`; for S3 `x-amz-content-sha256` as well.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export const signRequest = (request: RequestToSign): Record<string, string> => {
  const { credentials, region, service, payloadHash } = request
  const stamp = timestamp(request.date)
  const day = stamp.slice(0, 8)
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': stamp }
  if (service === 's3') headers['x-amz-content-sha256'] = payloadHash
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken

  const names = Object.keys(headers).sort()
  const signedHeaders = names.join(';')
  const canonicalHeaders = names.map((name) => `${name}:${canonicalValue(headers[name] ?? '')}\n`).join('')
  const canonicalRequest = `${request.method}\n${request.path}\n${request.query}\n${canonicalHeaders}\n${signedHeaders}\n${payloadHash}`
  const scope = `${day}/${region}/${service}/aws4_request`
  const signature = sign({ canonicalRequest, stamp, scope, credentials, region, service })
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  return headers
}

const sign = (parts: {
  readonly canonicalRequest: string
  readonly stamp: string
  readonly scope: string
  readonly credentials: AwsCredentials
  readonly region: string
  readonly service: string
}): string => {
  const { stamp, scope, credentials, region, service } = parts
  return createHmac('sha256', signingKey(credentials, stamp.slice(0, 8), region, service))
    .update(`AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash('sha256', parts.canonicalRequest)}`)
    .digest('hex')
}

/** Longest life of a presigned URL, in seconds: 7 days. */
export const maxPresignSeconds = 604_800

/**
 * Query of a presigned URL: who has it may send just this request until it expires. Of the headers only those given
 * are signed, and have to be sent as they are.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export const presignQuery = (
  request: Omit<RequestToSign, 'payloadHash' | 'query'> & {
    readonly query: Readonly<Record<string, string>>
    /** 1 to {@link maxPresignSeconds}. */
    readonly expiresInSeconds: number
  },
): string => {
  const { credentials, region, service, headers } = request
  const stamp = timestamp(request.date)
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const names = Object.keys(headers).sort()
  const query = encodeQuery({
    ...request.query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': stamp,
    'X-Amz-Expires': String(request.expiresInSeconds),
    'X-Amz-SignedHeaders': names.join(';'),
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
  })
  const canonicalHeaders = names.map((name) => `${name}:${canonicalValue(headers[name] ?? '')}\n`).join('')
  const canonicalRequest = `${request.method}\n${request.path}\n${query}\n${canonicalHeaders}\n${names.join(';')}\n${unsignedPayload}`
  return `${query}&X-Amz-Signature=${sign({ canonicalRequest, stamp, scope, credentials, region, service })}`
}

const canonicalValue = (value: string): string =>
  value.includes('  ') || value !== value.trim() ? value.trim().replace(/ {2,}/g, ' ') : value
