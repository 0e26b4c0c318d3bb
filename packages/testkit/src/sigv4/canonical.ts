import { createHash, createHmac } from 'node:crypto'
import { encodeBytes, type QueryParameter } from './encode.ts'

/** SHA-256 of no bytes, in hex. */
export const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** Headers as they came: names in lower case, repeated ones in their order. Values are byte strings. */
export type HeaderLists = Map<string, string[]>

export function headerLists(rawHeaders: readonly string[]): HeaderLists {
  const lists: HeaderLists = new Map()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    const list = lists.get(name)
    if (list) list.push(rawHeaders[index + 1] as string)
    else lists.set(name, [rawHeaders[index + 1] as string])
  }
  return lists
}

export interface CanonicalInput {
  method: string
  /** Decoded path as a byte string. */
  pathBytes: string
  query: readonly QueryParameter[]
  headers: HeaderLists
  /** Lower case, in the order of the request. */
  signedHeaders: readonly string[]
  payloadHash: string
  /** Services other than S3 encode the path twice. */
  doubleEncodePath: boolean
  /** Path as it was sent: what encodes it a second time sees `%2F`, which decoding would make a slash. */
  sentPath?: string
}

/** The canonical request of AWS Signature Version 4, as a byte string. */
export function canonicalRequest(input: CanonicalInput): string {
  const once = encodeBytes(input.pathBytes, true) || '/'
  const path = input.doubleEncodePath ? encodeBytes(input.sentPath ?? once, true) : once
  const query = input.query
    .filter(({ name }) => name !== 'X-Amz-Signature')
    .map(({ name, value }) => [encodeBytes(name), encodeBytes(value)] as const)
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  let headers = ''
  for (const name of input.signedHeaders) {
    const values = input.headers.get(name) ?? []
    headers += `${name}:${values.map(trimmed).join(',')}\n`
  }
  return `${input.method}\n${path}\n${query}\n${headers}\n${input.signedHeaders.join(';')}\n${input.payloadHash}`
}

// Not String.trim: a byte 0xA0 within UTF-8 is no blank.
const trimmed = (value: string): string => value.replace(/^[ \t]+|[ \t]+$/g, '').replace(/ {2,}/g, ' ')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export interface Scope {
  /** `20130524` */
  date: string
  region: string
  service: string
}

export const scopeText = (scope: Scope): string =>
  `${scope.date}/${scope.region}/${scope.service}/aws4_request`

export function stringToSign(amzDate: string, scope: Scope, canonical: string): string {
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex')
  return `AWS4-HMAC-SHA256\n${amzDate}\n${scopeText(scope)}\n${hash}`
}

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Derives the key that signs requests of one day, region and service. */
export function deriveSigningKey(secretAccessKey: string, scope: Scope): Buffer {
  const day = hmac(`AWS4${secretAccessKey}`, scope.date)
  return hmac(hmac(hmac(day, scope.region), scope.service), 'aws4_request')
}

export const sign = (signingKey: Buffer, text: string): string =>
  createHmac('sha256', signingKey).update(text, 'latin1').digest('hex')
