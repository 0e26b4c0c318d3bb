import { createHash } from 'node:crypto'

/**
 * A uuid that is the same for the same words (RFC 9562, version 8): an export keeps its identity when it moves to
 * another machine or starts from a fresh database.
 */
export const stableId = (...words: readonly string[]): string => {
  const bytes = createHash('sha256').update(JSON.stringify(words)).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
