import type { Crc } from './crc.ts'
import { crcWasm } from './crc-wasm.ts'

/** A CRC whose register begins and ends inverted, bits reversed. */
export interface CrcParameters {
  readonly bits: bigint
  /** Bits reversed. */
  readonly polynomial: bigint
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

/** x^(8 * count) modulo the polynomial, by squaring: what a CRC is multiplied with when `count` bytes follow. */
export const powerOfBytes = (count: number, parameters: CrcParameters): bigint => {
  let power = 1n << (parameters.bits - 1n)
  let square = 1n << (parameters.bits - 9n)
  for (let rest = BigInt(count); rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = multiplyPolynomials(square, power, parameters)
    square = multiplyPolynomials(square, square, parameters)
  }
  return power
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

/** Where crc.wat expects data, and the blocks in which it gets them: two halves of 64 KiB, twice. */
const dataStart = 65_536
const halfBytes = 65_536
const bufferBytes = 4 * halfBytes

interface CrcExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  halves(crc: bigint, at: number, half: number, power: bigint, polynomial: bigint, bits: bigint): bigint
  bytes(crc: bigint, at: number, length: number): bigint
}

interface Prepared {
  readonly tables: BigUint64Array
  /** x^(8 * halfBytes). */
  readonly power: bigint
}

/** The part of the global that is used: @types/node has none, and the DOM's types are too much. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

let compiled: object | undefined
const prepared = new Map<bigint, Prepared>()

/** Tables take a millisecond: once a process and polynomial. */
const prepare = (parameters: CrcParameters): Prepared => {
  const known = prepared.get(parameters.polynomial)
  if (known) return known
  const fresh = { tables: slicingTables(parameters), power: powerOfBytes(halfBytes, parameters) }
  prepared.set(parameters.polynomial, fresh)
  return fresh
}

/** A CRC in WebAssembly. Takes 384 KiB of memory. */
export const wasmCrc = (parameters: CrcParameters): Crc => {
  const { bits, polynomial } = parameters
  const { tables, power } = prepare(parameters)
  compiled ??= new WebAssembly.Module(Buffer.from(crcWasm, 'base64'))
  const engine = new WebAssembly.Instance(compiled).exports as unknown as CrcExports
  new BigUint64Array(engine.memory.buffer, 0, tables.length).set(tables)
  const data = new Uint8Array(engine.memory.buffer, dataStart, bufferBytes)
  const ones = (1n << bits) - 1n
  let register = ones
  let filled = 0

  const consume = (): void => {
    let done = 0
    for (; filled - done >= 2 * halfBytes; done += 2 * halfBytes)
      register = engine.halves(register, dataStart + done, halfBytes, power, polynomial, bits)
    register = engine.bytes(register, dataStart + done, filled - done)
    filled = 0
  }

  return {
    reset: () => {
      register = ones
      filled = 0
    },
    update: (bytes) => {
      for (let taken = 0; taken < bytes.length; ) {
        const piece = bytes.subarray(taken, taken + bufferBytes - filled)
        data.set(piece, filled)
        filled += piece.length
        taken += piece.length
        if (filled === bufferBytes) consume()
      }
    },
    digest: () => {
      consume()
      return BigInt.asUintN(64, register) ^ ones
    },
  }
}
