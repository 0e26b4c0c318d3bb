import { S3Error } from './errors.ts'

/** Bytes of an object: `length` from `start`. */
export interface ByteRange {
  start: number
  length: number
}

/** The range that a header asks for, not yet held against a size; undefined for what S3 ignores. */
export function parseRange(
  header: string | undefined,
): { start: number; end?: number } | { suffix: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!match) return undefined
  const [, start = '', end = ''] = match
  if (start === '') return end === '' ? undefined : { suffix: Number(end) }
  if (end === '') return { start: Number(start) }
  return Number(end) < Number(start) ? undefined : { start: Number(start), end: Number(end) }
}

/**
 * One range of an object of `size` bytes. A header that is malformed or has several ranges is ignored, as S3 does;
 * one that begins behind the end is InvalidRange (416).
 */
export function resolveRange(header: string | undefined, size: number): ByteRange | undefined {
  const range = parseRange(header)
  if (!range) return undefined
  const unsatisfiable = 'suffix' in range ? range.suffix === 0 || size === 0 : range.start >= size
  if (unsatisfiable) {
    throw new S3Error('InvalidRange', {
      details: { RangeRequested: header as string, ActualObjectSize: size },
      headers: { 'content-range': `bytes */${size}` },
    })
  }
  if ('suffix' in range) {
    const length = Math.min(range.suffix, size)
    return { start: size - length, length }
  }
  const end = Math.min(range.end ?? size - 1, size - 1)
  return { start: range.start, length: end - range.start + 1 }
}
