import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ObjectOptions, S3WriteAccess } from '@penstock/aws'
import { ConnectorError, toConnectorError } from '@penstock/core'
import { type Lease, type NoteKeys, type State, stateSchema } from './documents.ts'
import { isConflict, type Note, readNote, writeNote } from './notes.ts'

/** A holder that says nothing for so long is dead, in milliseconds; it says so three times as often. */
const leaseMs = 60_000
const renewMs = leaseMs / 3

/** The right to write for an export: one process at a time has it. */
export interface HeldLease {
  readonly attempt: string
  /** What was in the bucket when the lease was taken. */
  readonly state: State
  /** Aborts when somebody else has taken the lease over. */
  readonly signal: AbortSignal
  /** Sees that the lease is still held. Throws `conflict`. */
  confirm(): Promise<void>
  /** Writes down what is in the bucket. Throws `conflict` when the lease was lost: then nothing is written. */
  set(change: Pick<State, 'runs' | 'finishing'>): Promise<void>
  /** Gives the lease back, and writes down what is in the bucket then. Throws `conflict` when it was lost. */
  release(options?: {
    readonly change?: Pick<State, 'runs' | 'finishing'>
    readonly access?: S3WriteAccess
  }): Promise<void>
}

export interface LeaseOptions {
  readonly access: S3WriteAccess
  readonly keys: NoteKeys
  readonly exportId: string
  readonly exportName: string
  readonly commitId: string
  /** An earlier try of this run on another machine gives way. */
  readonly retried: boolean
  readonly clock: () => Date
  readonly object: ObjectOptions
  readonly signal: AbortSignal
}

/** Attempts of this process that hold a lease. */
const held = new Set<string>()

/** Containers share names, and have processes of their own. */
const hostName = (): string => {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether the holder of a lease may still write. */
export const isAlive = (lease: Lease, now: Date): boolean => {
  if (Date.parse(lease.expires) <= now.getTime()) return false
  if (lease.host !== hostName()) return true
  return lease.process === process.pid ? held.has(lease.attempt) : isRunning(lease.process)
}

const busy = (lease: Lease, name: string, now: Date): ConnectorError => {
  const seconds = Math.max(1, Math.ceil((Date.parse(lease.expires) - now.getTime()) / 1000))
  return new ConnectorError(
    'conflict',
    `Another run of export ${name} is writing: ${lease.commitId}, since ${lease.acquired}, on ${lease.host.split('/')[0]} (process ${lease.process}).`,
    {
      code: 'ExportRunning',
      hint: `Nothing was written. Wait until it is through; should it be dead, it no longer counts in ${seconds} seconds.`,
    },
  )
}

const lost = (name: string): ConnectorError =>
  new ConnectorError('conflict', `Another run of export ${name} has taken over: this one stops.`, {
    code: 'LeaseLost',
    hint: 'This run said nothing for too long (a machine that slept, a network that was gone), and nothing of it was kept.',
  })

/** Takes the lease of an export. Throws `conflict` when somebody else has it. */
export const takeLease = async (options: LeaseOptions): Promise<HeldLease> => {
  const { access, keys, clock, commitId, signal } = options
  const attempt = randomUUID()
  const leaseNow = (acquired: string): Lease => ({
    attempt,
    commitId,
    host: hostName(),
    process: process.pid,
    acquired,
    expires: new Date(clock().getTime() + leaseMs).toISOString(),
  })
  const acquired = clock().toISOString()
  for (let round = 1; ; round++) {
    const found = await readNote(access, keys.state, stateSchema, signal)
    const holder = found?.content.lease
    const yields = holder?.commitId === commitId && options.retried && holder.host !== hostName()
    if (holder && !yields && isAlive(holder, clock())) throw busy(holder, options.exportName, clock())
    const { lease: _, ...state } = found?.content ?? { version: 1, exportId: options.exportId, runs: [] }
    try {
      const { etag } = await writeNote(
        access,
        keys.state,
        { ...state, lease: leaseNow(acquired) },
        { ...options.object, ...conditionOf(found), signal },
      )
      held.add(attempt)
      const lease = holdLease(options, { attempt, state, etag, leaseNow: () => leaseNow(acquired) })
      return access.endpoint === undefined ? lease : await provenLease(lease, options)
    } catch (error) {
      // Somebody else took it between the two requests: the next round tells who.
      if (!isConflict(error) || round === 5) throw explainedConditions(error)
    }
  }
}

/** Amazon S3 honours conditions; of another store it is seen, since without them a lease is worth nothing. */
const provenLease = async (
  lease: HeldLease,
  { access, keys, object, signal }: LeaseOptions,
): Promise<HeldLease> => {
  try {
    await requireConditions(() => access.put(keys.state, stateProbe, { ...object, ifNoneMatch: '*', signal }))
    return lease
  } catch (error) {
    await lease.release().catch(() => undefined)
    throw error
  }
}

const stateProbe = Buffer.from('{}\n')

/** Sees that a write under a condition that does not hold is refused. Throws `config` for a store that writes all the same. */
export const requireConditions = async (write: () => Promise<unknown>): Promise<void> => {
  try {
    await write()
  } catch (error) {
    if (isConflict(error)) return
    throw explainedConditions(error)
  }
  throw noConditions('This store writes in spite of a condition that does not hold (If-None-Match).')
}

const noConditions = (message: string, cause?: unknown): ConnectorError =>
  new ConnectorError('config', message, {
    code: 'NoConditionalWrites',
    hint: 'Without conditional writes two runs could mix, and objects of others be replaced: take a later version of the store, switch them on there, or export to another one.',
    ...(cause === undefined ? {} : { cause }),
  })

const explainedConditions = (error: unknown): unknown =>
  ConnectorError.isInstance(error) && error.code === 'NotImplemented'
    ? noConditions('This store has no conditional writes (If-None-Match).', error)
    : error

const conditionOf = (found: Note<State> | undefined) =>
  found ? { ifMatch: found.etag } : { ifNoneMatch: '*' as const }

const holdLease = (
  options: LeaseOptions,
  taken: {
    readonly attempt: string
    readonly state: State
    readonly etag: string
    readonly leaseNow: () => Lease
  },
): HeldLease => {
  const { keys, exportName, object } = options
  const { attempt } = taken
  let { etag, state } = taken
  const losing = new AbortController()
  // One write at a time: each one needs the ETag of the last.
  let turn: Promise<unknown> = Promise.resolve()

  const write = (content: State, access: S3WriteAccess): Promise<void> => {
    const mine = turn.then(async () => {
      if (losing.signal.aborted) throw losing.signal.reason
      try {
        etag = (await writeNote(access, keys.state, content, { ...object, ifMatch: etag })).etag
      } catch (error) {
        if (!isConflict(error) && !isGone(error)) throw error
        losing.abort(lost(exportName))
        throw losing.signal.reason
      }
    })
    turn = mine.catch(() => undefined)
    return mine
  }

  const renew = (): Promise<void> => write({ ...state, lease: taken.leaseNow() }, options.access)
  // A renewal that fails for another reason than a loss is tried again in time; the last word is confirm's.
  const timer = setInterval(() => void renew().catch(() => undefined), renewMs)
  timer.unref()

  return Object.freeze<HeldLease>({
    attempt,
    state,
    signal: losing.signal,
    confirm: renew,
    set: (change) => {
      state = { ...state, ...change }
      return renew()
    },
    release: async ({ change = {}, access = options.access } = {}) => {
      clearInterval(timer)
      try {
        await write({ ...state, ...change }, access)
      } finally {
        held.delete(attempt)
      }
    },
  })
}

/** The state was removed meanwhile. */
const isGone = (error: unknown): boolean => {
  const { kind, code } = toConnectorError(error)
  return kind === 'not-found' && code === 'NoSuchKey'
}
