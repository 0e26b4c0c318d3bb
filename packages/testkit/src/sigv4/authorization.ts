import type { HeaderLists, Scope } from './canonical.ts'
import type { QueryParameter } from './encode.ts'
import type { Rejection } from './rejection.ts'

/** What a request says about its own signature. */
export interface SignatureClaim {
  kind: 'header' | 'query'
  accessKeyId: string
  scope: Scope
  signedHeaders: string[]
  signature: string
  /** `20130524T000000Z` */
  amzDate: string
  /** Epoch ms of `amzDate`. */
  signedAt: number
  /** Only of presigned requests: seconds that the signature holds. */
  expiresSeconds?: number
  sessionToken?: string
}

const maximumPresignSeconds = 604_800

const malformed = (message: string): Rejection => ({ kind: 'malformed-header', message })
const badQuery = (message: string): Rejection => ({ kind: 'malformed-query', message })

/** Reads the claim of a request; undefined when it carries none (an anonymous request). */
export function readClaim(
  headers: HeaderLists,
  query: readonly QueryParameter[],
): SignatureClaim | Rejection | undefined {
  const authorization = headers.get('authorization')?.[0]
  if (authorization !== undefined) return readHeaderClaim(authorization, headers)
  const parameter = (name: string) => query.find((entry) => entry.name.toLowerCase() === name)?.value
  if (parameter('x-amz-algorithm') !== undefined || parameter('x-amz-signature') !== undefined) {
    return readQueryClaim(parameter)
  }
  // Query authentication of signature version 2.
  if (parameter('awsaccesskeyid') !== undefined && parameter('signature') !== undefined) {
    return { kind: 'unsupported-mechanism' }
  }
  return undefined
}

function readHeaderClaim(authorization: string, headers: HeaderLists): SignatureClaim | Rejection {
  const [algorithm = '', rest = ''] = splitOnce(authorization.trim(), ' ')
  if (algorithm !== 'AWS4-HMAC-SHA256') return { kind: 'unsupported-mechanism' }
  const fields = new Map(rest.split(',').map((field) => splitOnce(field.trim(), '=')))
  for (const name of ['Credential', 'SignedHeaders', 'Signature']) {
    if (!fields.get(name)) return malformed(`The authorization header is malformed; missing ${name}.`)
  }
  const credential = readScope(fields.get('Credential') as string)
  if (!credential) {
    return malformed(
      'The authorization header is malformed; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    )
  }
  const amzDate = headers.get('x-amz-date')?.[0] ?? basicDate(headers.get('date')?.[0])
  const signedAt = amzDate === undefined ? Number.NaN : parseAmzDate(amzDate)
  if (amzDate === undefined || Number.isNaN(signedAt)) return { kind: 'missing-date' }
  if (!amzDate.startsWith(credential.scope.date)) {
    return malformed(
      `The authorization header is malformed; Invalid credential date "${credential.scope.date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`,
    )
  }
  const sessionToken = headers.get('x-amz-security-token')?.[0]
  return {
    kind: 'header',
    ...credential,
    signedHeaders: (fields.get('SignedHeaders') as string).toLowerCase().split(';'),
    signature: fields.get('Signature') as string,
    amzDate,
    signedAt,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
}

function readQueryClaim(parameter: (name: string) => string | undefined): SignatureClaim | Rejection {
  const [algorithm, credentialText, signature, amzDate, signedHeaders, expires] = [
    'x-amz-algorithm',
    'x-amz-credential',
    'x-amz-signature',
    'x-amz-date',
    'x-amz-signedheaders',
    'x-amz-expires',
  ].map(parameter)
  if (!algorithm || !credentialText || !signature || !amzDate || !signedHeaders || expires === undefined) {
    return badQuery(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  if (algorithm !== 'AWS4-HMAC-SHA256') {
    return badQuery('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
  }
  const credential = readScope(credentialText)
  if (!credential) {
    return badQuery(
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    )
  }
  const signedAt = parseAmzDate(amzDate)
  if (Number.isNaN(signedAt)) {
    return badQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  }
  if (!amzDate.startsWith(credential.scope.date)) {
    return badQuery(
      `Invalid credential date "${credential.scope.date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`,
    )
  }
  if (!/^-?\d+$/.test(expires)) return badQuery('X-Amz-Expires should be a number')
  const expiresSeconds = Number(expires)
  if (expiresSeconds < 0) return badQuery('X-Amz-Expires must be non-negative')
  if (expiresSeconds > maximumPresignSeconds) {
    return badQuery(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    )
  }
  const sessionToken = parameter('x-amz-security-token')
  return {
    kind: 'query',
    ...credential,
    signedHeaders: signedHeaders.toLowerCase().split(';'),
    signature,
    amzDate,
    signedAt,
    expiresSeconds,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  }
}

function readScope(credential: string): { accessKeyId: string; scope: Scope } | undefined {
  const parts = credential.split('/')
  const [date = '', region = '', service = '', terminator] = parts.slice(-4)
  const accessKeyId = parts.slice(0, -4).join('/')
  if (accessKeyId === '' || terminator !== 'aws4_request' || !/^\d{8}$/.test(date) || !region || !service) {
    return undefined
  }
  return { accessKeyId, scope: { date, region, service } }
}

/** Epoch ms of `20130524T000000Z`, NaN when it is not of that form. */
function parseAmzDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (!match) return Number.NaN
  const [, year, month, day, hour, minute, second] = match.map(Number) as [number, ...number[]]
  return Date.UTC(year as number, (month as number) - 1, day, hour, minute, second)
}

/** `Date: Fri, 24 May 2013 00:00:00 GMT` in the form of x-amz-date, which the string to sign takes. */
function basicDate(httpDate: string | undefined): string | undefined {
  const time = httpDate === undefined ? Number.NaN : Date.parse(httpDate)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
