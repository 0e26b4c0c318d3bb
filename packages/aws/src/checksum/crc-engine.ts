import type { Crc } from './crc.ts'
import { crcWasm } from './crc-wasm.ts'

/** A CRC whose register begins and ends inverted, bits reversed. */
export interface CrcParameters {
  readonly bits: bigint
  /** Bits reversed. */
  readonly polynomial: bigint
  /**
   * Distances in bytes, the longest one first, of the six (or four, and 0) bytes that stand for a byte before them: from
   * the first term of a multiple of the polynomial to its others, all of them powers of x^8. Of 64 bytes at least.
   */
  readonly distances: readonly [number, number, number, number, number, number]
}

/** Product of two polynomials modulo the CRC's own, all bits reversed. */
export const multiplyPolynomials = (a: bigint, b: bigint, { bits, polynomial }: CrcParameters): bigint => {
  let product = 0n
  let factor = b
  for (let bit = 1n << (bits - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= factor
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
  }
  return product
}

/** base^count modulo the polynomial, by squaring. */
const powerOf = (base: bigint, count: number, parameters: CrcParameters): bigint => {
  let power = 1n << (parameters.bits - 1n)
  let square = base
  for (let rest = BigInt(count); rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = multiplyPolynomials(square, power, parameters)
    square = multiplyPolynomials(square, square, parameters)
  }
  return power
}

/** x^(8 * count) modulo the polynomial: what a CRC is multiplied with when `count` bytes follow. */
export const powerOfBytes = (count: number, parameters: CrcParameters): bigint =>
  powerOf(1n << (parameters.bits - 9n), count, parameters)

/** x^(-8 * count) modulo the polynomial. */
const inverseOfBytes = (count: number, parameters: CrcParameters): bigint => {
  const { bits, polynomial } = parameters
  const last = 1n << (bits - 1n)
  let inverse = last
  // The polynomial has the term 1: where a step of x has added it, it shows in the last bit.
  for (let step = 0; step < 8; step++)
    inverse = inverse & last ? ((inverse ^ polynomial) << 1n) | 1n : inverse << 1n
  return powerOf(inverse, count, parameters)
}

/** Tables of slicing-by-8, table 0 first. */
const slicingTables = ({ polynomial }: CrcParameters): BigUint64Array => {
  const tables = new BigUint64Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n
    tables[byte] = value
  }
  for (let index = 256; index < tables.length; index++) {
    const former = tables[index - 256] as bigint
    tables[index] = (former >> 8n) ^ (tables[Number(former & 255n)] as bigint)
  }
  return tables
}

/** Where crc.wat expects data, and how much of it has room. */
const dataStart = 65_536
const dataBytes = 4 * 65_536
/** So many times the longest distance: what is left of shorter data would be too much of it. */
const longFactor = 4

interface CrcExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  long(
    crc: bigint,
    length: number,
    ...rest: readonly [...CrcParameters['distances'], power: bigint, polynomial: bigint, bits: bigint]
  ): bigint
  bytes(crc: bigint, at: number, length: number): bigint
}

/** The part of the global that is used: @types/node has none, and the DOM's types are too much. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** CRC register after further bytes. */
type Advance = (register: bigint, bytes: Uint8Array) => bigint

/**
 * One engine for each polynomial: its tables stay in the cache of the processor, however many ranges are hashed at
 * the same time. It keeps nothing between two calls.
 */
const engines = new Map<bigint, Advance>()

const createEngine = (parameters: CrcParameters): Advance => {
  const { bits, polynomial, distances } = parameters
  const module = new WebAssembly.Module(Buffer.from(crcWasm, 'base64'))
  const engine = new WebAssembly.Instance(module).exports as CrcExports
  new BigUint64Array(engine.memory.buffer, 0, 8 * 256).set(slicingTables(parameters))
  const data = new Uint8Array(engine.memory.buffer, dataStart, dataBytes)
  const longBytes = longFactor * distances[0]
  const power = inverseOfBytes(distances[0], parameters)

  return (before, bytes) => {
    // Not `set`, which takes three times as long where threads share the bytes.
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let register = before
    for (let done = 0; done < bytes.length; ) {
      const length = source.copy(data, 0, done, done + dataBytes)
      register =
        length < longBytes
          ? engine.bytes(register, dataStart, length)
          : engine.long(register, length, ...distances, power, polynomial, bits)
      done += length
    }
    return register
  }
}

/** A CRC in WebAssembly. */
export const wasmCrc = (parameters: CrcParameters): Crc => {
  const { bits, polynomial } = parameters
  const advance = engines.get(polynomial) ?? createEngine(parameters)
  engines.set(polynomial, advance)
  const ones = (1n << bits) - 1n
  let register = ones
  return {
    update: (bytes) => {
      register = advance(register, bytes)
    },
    digest: () => BigInt.asUintN(64, register) ^ ones,
  }
}
