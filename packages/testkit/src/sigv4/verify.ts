import { timingSafeEqual } from 'node:crypto'
import type { Credential } from '../types.ts'
import { readClaim, type SignatureClaim } from './authorization.ts'
import {
  canonicalRequest,
  deriveSigningKey,
  type HeaderLists,
  type Scope,
  scopeText,
  sign,
  stringToSign,
} from './canonical.ts'
import type { QueryParameter } from './encode.ts'
import type { Rejection } from './rejection.ts'

/** Requests may be this far from the server's clock (AWS: 15 minutes), in ms. */
const maximumSkewMs = 15 * 60 * 1000

export interface SignedRequest {
  method: string
  /** Decoded path as a byte string, with its leading slash. */
  pathBytes: string
  query: readonly QueryParameter[]
  headers: HeaderLists
  /** Epoch ms on the server's clock. */
  now: number
  /** The service that this endpoint is, as the credential scope must say it. */
  service: string
  /** For services that hash the body themselves (all but S3). */
  payloadHash?: string
  /** Path as it was sent, for services with more than one path. */
  sentPath?: string
}

/** A request whose signature holds. */
export interface Verified {
  kind: 'header' | 'query'
  credential: Credential
  scope: Scope
  scopeText: string
  amzDate: string
  signature: string
  signingKey: Buffer
  /** `UNSIGNED-PAYLOAD`, a `STREAMING-...` name, or the SHA-256 in hex that the body must have. */
  payloadHash: string
}

export type Verdict =
  | { outcome: 'anonymous' }
  | { outcome: 'verified'; request: Verified }
  | { outcome: 'rejected'; rejection: Rejection }

const streamingHashes = new Set([
  'UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
])

/**
 * Makes the check of AWS Signature Version 4: signature in constant time, clock, expiry, session token.
 * It keeps the derived keys of the last days, since deriving costs more than signing.
 */
export function createVerifier(
  findCredential: (accessKeyId: string) => Credential | undefined,
): (request: SignedRequest) => Verdict {
  const keys = new Map<string, Buffer>()
  const signingKey = (secret: string, scope: Scope): Buffer => {
    const name = `${secret} ${scopeText(scope)}`
    let key = keys.get(name)
    if (!key) {
      if (keys.size >= 1000) keys.clear()
      key = deriveSigningKey(secret, scope)
      keys.set(name, key)
    }
    return key
  }

  return (request) => {
    const claim = readClaim(request.headers, request.query)
    if (claim === undefined) return { outcome: 'anonymous' }
    if (!('accessKeyId' in claim) || !('scope' in claim)) return { outcome: 'rejected', rejection: claim }
    const problem =
      checkScope(claim, request) ?? checkTime(claim, request.now) ?? checkHeaders(claim, request)
    if (problem) return { outcome: 'rejected', rejection: problem }
    const payloadHash = request.payloadHash ?? claimedPayloadHash(claim, request)
    if (typeof payloadHash !== 'string') return { outcome: 'rejected', rejection: payloadHash }

    const credential = findCredential(claim.accessKeyId)
    if (!credential) {
      return { outcome: 'rejected', rejection: { kind: 'unknown-key', accessKeyId: claim.accessKeyId } }
    }
    const tokenProblem = checkToken(claim, credential, request.now)
    if (tokenProblem) return { outcome: 'rejected', rejection: tokenProblem }

    const canonical = canonicalRequest({
      ...request,
      signedHeaders: claim.signedHeaders,
      payloadHash,
      doubleEncodePath: request.service !== 's3',
    })
    const text = stringToSign(claim.amzDate, claim.scope, canonical)
    const key = signingKey(credential.secretAccessKey, claim.scope)
    if (!equalInConstantTime(sign(key, text), claim.signature)) {
      const { accessKeyId, signature } = claim
      return {
        outcome: 'rejected',
        rejection: {
          kind: 'signature-mismatch',
          accessKeyId,
          signature,
          stringToSign: text,
          canonicalRequest: canonical,
        },
      }
    }
    const { kind, scope, amzDate, signature } = claim
    return {
      outcome: 'verified',
      request: {
        kind,
        credential,
        scope,
        scopeText: scopeText(scope),
        amzDate,
        signature,
        signingKey: key,
        payloadHash,
      },
    }
  }
}

export function equalInConstantTime(expected: string, given: string): boolean {
  const a = Buffer.from(expected, 'latin1')
  const b = Buffer.from(given, 'latin1')
  return a.length === b.length && timingSafeEqual(a, b)
}

function checkScope(claim: SignatureClaim, request: SignedRequest): Rejection | undefined {
  if (claim.scope.service === request.service) return undefined
  const reason = `incorrect service "${claim.scope.service}". This endpoint belongs to "${request.service}".`
  return claim.kind === 'header'
    ? { kind: 'malformed-header', message: `The authorization header is malformed; ${reason}` }
    : { kind: 'malformed-query', message: `Error parsing the X-Amz-Credential parameter; ${reason}` }
}

function checkTime(claim: SignatureClaim, now: number): Rejection | undefined {
  if (claim.expiresSeconds === undefined) {
    return Math.abs(now - claim.signedAt) > maximumSkewMs
      ? { kind: 'skewed', amzDate: claim.amzDate, serverTime: now, maximumMs: maximumSkewMs }
      : undefined
  }
  if (claim.signedAt > now + maximumSkewMs) {
    return { kind: 'presign-not-yet-valid', amzDate: claim.amzDate, serverTime: now }
  }
  const expiredAt = claim.signedAt + claim.expiresSeconds * 1000
  return now > expiredAt
    ? { kind: 'presign-expired', expiresSeconds: claim.expiresSeconds, expiredAt, serverTime: now }
    : undefined
}

/** Host and every x-amz-* header have to be signed, or a thief of the signature could add his own. */
function checkHeaders(claim: SignatureClaim, request: SignedRequest): Rejection | undefined {
  const names: string[] = claim.signedHeaders.includes('host') ? [] : ['host']
  for (const name of request.headers.keys()) {
    if (!name.startsWith('x-amz-') || claim.signedHeaders.includes(name)) continue
    // Presigning clients announce the hash of a body that the link leaves open.
    if (name === 'x-amz-content-sha256' && claim.kind === 'query') continue
    names.push(name)
  }
  return names.length > 0 ? { kind: 'unsigned-headers', names } : undefined
}

function claimedPayloadHash(claim: SignatureClaim, request: SignedRequest): string | Rejection {
  const header = request.headers.get('x-amz-content-sha256')?.[0]
  const value =
    claim.kind === 'header'
      ? header
      : (request.query.find(({ name }) => name.toLowerCase() === 'x-amz-content-sha256')?.value ??
        (claim.signedHeaders.includes('x-amz-content-sha256') ? header : undefined) ??
        'UNSIGNED-PAYLOAD')
  if (value === undefined) return { kind: 'missing-payload-hash' }
  if (!streamingHashes.has(value) && !/^[0-9a-f]{64}$/.test(value)) return { kind: 'bad-payload-hash', value }
  return value
}

function checkToken(claim: SignatureClaim, credential: Credential, now: number): Rejection | undefined {
  const given = claim.sessionToken
  if (credential.sessionToken === undefined) {
    return given === undefined ? undefined : { kind: 'invalid-token', token: given }
  }
  // Temporary keys do not exist without their token.
  if (given === undefined) return { kind: 'unknown-key', accessKeyId: claim.accessKeyId }
  if (!equalInConstantTime(credential.sessionToken, given)) return { kind: 'invalid-token', token: given }
  if (credential.expiresAt !== undefined && now >= credential.expiresAt) {
    return { kind: 'expired-token', token: given }
  }
  return undefined
}
