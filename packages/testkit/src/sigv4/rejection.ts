/** Why a signature does not hold; S3 and STS word the same reason differently. */
export type Rejection =
  | { kind: 'malformed-header'; message: string }
  | { kind: 'malformed-query'; message: string }
  | { kind: 'unsupported-mechanism' }
  | { kind: 'missing-date' }
  | { kind: 'missing-payload-hash' }
  | { kind: 'bad-payload-hash'; value: string }
  | { kind: 'unsigned-headers'; names: string[] }
  | { kind: 'unknown-key'; accessKeyId: string }
  | { kind: 'invalid-token'; token: string }
  | { kind: 'expired-token'; token: string }
  | {
      kind: 'signature-mismatch'
      accessKeyId: string
      signature: string
      stringToSign: string
      canonicalRequest: string
    }
  /** All times in epoch ms. */
  | { kind: 'skewed'; amzDate: string; serverTime: number; maximumMs: number }
  | { kind: 'presign-expired'; expiresSeconds: number; expiredAt: number; serverTime: number }
  | { kind: 'presign-not-yet-valid'; amzDate: string; serverTime: number }
