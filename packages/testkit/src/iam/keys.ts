import { randomBytes } from 'node:crypto'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** AWS's unique ids: a prefix that tells the kind (AKIA access key, ASIA temporary key, AIDA user, AROA role) and 16 letters. */
export function uniqueId(prefix: 'AKIA' | 'ASIA' | 'AIDA' | 'AROA'): string {
  return prefix + Array.from(randomBytes(16), (byte) => letters.charAt(byte & 31)).join('')
}

/** 40 characters, as AWS's secrets have; they contain `/` and `+` on purpose. */
export function secretKey(): string {
  return randomBytes(30).toString('base64')
}

/** Long and unguessable; STS promises no format and no length. */
export function sessionToken(): string {
  return `IQoJ${randomBytes(240).toString('base64')}`
}
