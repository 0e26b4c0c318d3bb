import { matchesText } from '../iam/pattern.ts'
import type { RequestInfo } from '../types.ts'

/** What goes wrong. Byte positions count from the start of the reply's body, not of the object. */
export type Fault =
  /** Waits before the request is handled. Several add up. */
  | { kind: 'latency'; ms: number }
  /** 503 SlowDown (STS and Glue: throttling). */
  | { kind: 'slow-down' }
  /** 500 InternalError; `handled`: the operation takes effect first, only its answer is lost. */
  | { kind: 'internal-error'; handled?: boolean }
  /** Any error; with status 200 an error document inside a success, as CompleteMultipartUpload may answer. */
  | { kind: 'error'; status: number; code: string; message: string; handled?: boolean }
  /** The connection is reset (RST) before a reply; `handled`: after the operation took effect. */
  | { kind: 'reset'; handled?: boolean }
  /**
   * Headers and `afterBytes` bytes of the body, then RST. What a slow reader has not taken from the connection by
   * then may be lost with it: use `truncate-body` where the count that arrives must be exact.
   */
  | { kind: 'reset-body'; afterBytes: number }
  /** Content-Length promises all, `afterBytes` bytes come, then the connection is closed in order (FIN). */
  | { kind: 'truncate-body'; afterBytes: number }
  /** The lowest bit of one byte is flipped; length, ETag and checksum headers stay. */
  | { kind: 'corrupt-body'; atByte: number }
  | { kind: 'slow-drip'; bytesPerSecond: number }
  | { kind: 'slow-drip'; chunkBytes: number; intervalMs: number }
  /** ExpiredToken: 400 from S3, 403 from STS, as AWS has it. */
  | { kind: 'expired-token' }
  /** The server's clock is off for the signature check and in the Date header. */
  | { kind: 'clock-skew'; ms: number }
  /** The object is overwritten just before the request is handled; without `body` and `mutate` a byte is appended. */
  | { kind: 'change-object'; body?: Buffer | string; mutate?: (body: Buffer) => Buffer }
  /** No answer until the client gives up. */
  | { kind: 'hang' }

export type FaultKind = Fault['kind']

/** All that is given must match. */
export interface FaultCondition {
  service?: RequestInfo['service']
  operation?: string | readonly string[]
  method?: string
  /** With `*` and `?` as wildcards. */
  bucket?: string
  /** With `*` and `?` as wildcards, or a regular expression. */
  key?: string | RegExp
  /** Only ranged requests that start at this byte of the object or later. */
  minRangeStart?: number
}

export interface FaultRule {
  when?: FaultCondition
  /** Lets the first n matching requests pass. */
  skip?: number
  /** Applies at most n times; unlimited when absent. */
  times?: number
  /** 0 to 1: applies to that share of the matching requests, the same ones for the same `seed`. */
  probability?: number
  seed?: number
  fault: Fault
}

export interface FaultStatus {
  rule: FaultRule
  /** Requests that met the condition, and those that got the fault. */
  matched: number
  applied: number
}

export interface Faults {
  /** Returns the remover. Throws a RangeError for numbers that make no sense. */
  add(rule: FaultRule): () => void
  clear(): void
  /** Faults of this request; counts it, so call it once a request. */
  match(info: RequestInfo): Fault[]
  /** Rules that are set, with their counts: a test can prove that its fault was met. */
  list(): FaultStatus[]
}

interface Entry extends FaultStatus {
  random: () => number
}

/** The faults of one server, none at first. */
export function createFaults(): Faults {
  const entries = new Set<Entry>()
  return Object.freeze<Faults>({
    add: (rule) => {
      checkRule(rule)
      const entry: Entry = { rule, matched: 0, applied: 0, random: randomFrom(rule.seed ?? 1) }
      entries.add(entry)
      return () => {
        entries.delete(entry)
      }
    },
    clear: () => entries.clear(),
    match: (info) => [...entries].filter((entry) => hits(entry, info)).map(({ rule }) => rule.fault),
    list: () => Array.from(entries, ({ rule, matched, applied }) => ({ rule, matched, applied })),
  })
}

function hits(entry: Entry, info: RequestInfo): boolean {
  const { rule, random } = entry
  if (!meets(rule.when ?? {}, info)) return false
  entry.matched++
  if (entry.matched <= (rule.skip ?? 0)) return false
  if (entry.applied >= (rule.times ?? Number.POSITIVE_INFINITY)) return false
  if (rule.probability !== undefined && random() >= rule.probability) return false
  entry.applied++
  return true
}

function meets(when: FaultCondition, info: RequestInfo): boolean {
  const { service, operation, method, bucket, key, minRangeStart } = when
  if (service !== undefined && service !== info.service) return false
  if (operation !== undefined && ![operation].flat().includes(info.operation)) return false
  if (method !== undefined && method.toUpperCase() !== info.method) return false
  if (bucket !== undefined && !matchesText(bucket, info.bucket ?? '')) return false
  if (typeof key === 'string' && (info.key === undefined || !matchesText(key, info.key))) return false
  if (key instanceof RegExp && (info.key === undefined || info.key.search(key) < 0)) return false
  return minRangeStart === undefined || (info.range !== undefined && info.range.start >= minRangeStart)
}

function checkRule({ skip, times, probability, fault }: FaultRule): void {
  const whole = { skip, times, ...('afterBytes' in fault && { afterBytes: fault.afterBytes }) }
  for (const [name, value] of Object.entries(whole)) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
      throw new RangeError(`${name} must be a whole number, 0 or more; it is ${value}`)
    }
  }
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    throw new RangeError(`probability must be between 0 and 1; it is ${probability}`)
  }
  if (fault.kind === 'corrupt-body' && !(Number.isInteger(fault.atByte) && fault.atByte >= 0)) {
    throw new RangeError(`atByte must be a whole number, 0 or more; it is ${fault.atByte}`)
  }
  if (fault.kind === 'latency' && !(fault.ms >= 0)) throw new RangeError('ms must be 0 or more')
  if (fault.kind === 'slow-drip') {
    const rate =
      'bytesPerSecond' in fault ? fault.bytesPerSecond : Math.min(fault.chunkBytes, fault.intervalMs)
    if (!(rate > 0)) throw new RangeError('a slow drip needs numbers above 0')
  }
}

/** Mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Milliseconds that the server's clock is off for this request. */
export function clockSkewMs(faults: readonly Fault[]): number {
  return faults.reduce((sum, fault) => sum + (fault.kind === 'clock-skew' ? fault.ms : 0), 0)
}

/** New body of the object that a request is about to touch; undefined without a `change-object` fault. */
export function changedBody(faults: readonly Fault[], body: Buffer): Buffer | undefined {
  let changed: Buffer | undefined
  for (const fault of faults) {
    if (fault.kind !== 'change-object') continue
    const current = changed ?? body
    if (fault.mutate) changed = fault.mutate(Buffer.from(current))
    else
      changed =
        fault.body === undefined ? Buffer.concat([current, Buffer.from('\n')]) : Buffer.from(fault.body)
  }
  return changed
}
