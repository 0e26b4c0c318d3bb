import type { Scalar } from '@penstock/core'

/**
 * A value of a primitive type within this package: a {@link Scalar}, with a uuid as its 16 bytes. int, long, date,
 * time, timestamps and the unscaled part of decimals are bigint.
 */
export type Value = boolean | bigint | number | string | Uint8Array

/**
 * Order of two values of one type, as Iceberg's bounds have it: texts by code points, bytes unsigned. -0 equals 0.
 * NaN has no place in it: callers treat it apart.
 */
export const compareValues = (a: Value, b: Value): number => {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** By code points, which is also the order of the UTF-8 bytes; UTF-16 units would put U+FFFF above U+1F600. */
const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all others. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export const isNaNValue = (value: Value): boolean => typeof value === 'number' && Number.isNaN(value)

/** A two's-complement big-endian integer: unscaled decimals. */
export const bigEndianInteger = (bytes: Uint8Array): bigint => {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

/** The fewest bytes that hold the integer in two's complement, big-endian. */
export const minimalBigEndian = (value: bigint): Uint8Array => {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const byte = Number(rest & 0xffn)
    bytes.unshift(byte)
    rest >>= 8n
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Uint8Array.from(bytes)
  }
}

export const uuidToText = (bytes: Uint8Array): string => {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The bytes of a uuid in any usual spelling; undefined for another text. */
export const uuidFromText = (text: string): Uint8Array | undefined => {
  const hex = text.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/i.test(hex)) return undefined
  return Uint8Array.from({ length: 16 }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  )
}
