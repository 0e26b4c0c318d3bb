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

/** Where crc.wat expects data, how much of it has room, and the halves in which it gets it. */
const dataStart = 65_536
const dataBytes = 4 * 65_536
const halfBytes = 16_384

interface CrcExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  halves(crc: bigint, at: number, half: number, power: bigint, polynomial: bigint, bits: bigint): bigint
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
  const { bits, polynomial } = parameters
  const module = new WebAssembly.Module(Buffer.from(crcWasm, 'base64'))
  const engine = new WebAssembly.Instance(module).exports as CrcExports
  new BigUint64Array(engine.memory.buffer, 0, 8 * 256).set(slicingTables(parameters))
  const data = new Uint8Array(engine.memory.buffer, dataStart, dataBytes)
  const power = powerOfBytes(halfBytes, parameters)

  const block = (before: bigint, bytes: Uint8Array): bigint => {
    data.set(bytes)
    let register = before
    let done = 0
    for (; bytes.length - done >= 2 * halfBytes; done += 2 * halfBytes)
      register = engine.halves(register, dataStart + done, halfBytes, power, polynomial, bits)
    return engine.bytes(register, dataStart + done, bytes.length - done)
  }

  return (before, bytes) => {
    if (bytes.length <= dataBytes) return block(before, bytes)
    let register = before
    for (let done = 0; done < bytes.length; done += dataBytes)
      register = block(register, bytes.subarray(done, done + dataBytes))
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
