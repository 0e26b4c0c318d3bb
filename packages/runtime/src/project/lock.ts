import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConnectorError } from '@penstock/core'
import { isSameProcessAlive, type ProcessMark, processMark } from './process-mark.ts'

interface LockEntry extends ProcessMark {
  readonly startedAt: string
}

/** A lock that this process holds. */
export interface Lock {
  release(): Promise<void>
}

/** Ms after which a takeover that did not finish is one of a process that died in the middle of it. */
const takeoverLimit = 10_000

/**
 * Takes a lock file for this process, or throws a `conflict` that names who has it. A lock whose process is gone,
 * which its start time tells also when the process id was given away again, is taken over.
 */
export const acquireLock = async (
  path: string,
  { subject, code, now }: { subject: string; code: string; now: Date },
): Promise<Lock> => {
  await mkdir(dirname(path), { recursive: true })
  const entry: LockEntry = { ...processMark(), startedAt: now.toISOString() }
  const own = `${path}.${randomBytes(6).toString('hex')}.tmp`
  // The file appears with its content, or not at all: a link to a name that exists fails.
  await writeFile(own, `${JSON.stringify(entry)}\n`, { flag: 'wx' })
  try {
    if (!(await tryLink(own, path)) && !(await takeOver(own, path))) throw await inUse(path, subject, code)
  } finally {
    await rm(own, { force: true })
  }
  let held = true
  return Object.freeze({
    release: async () => {
      if (held) await rm(path, { force: true })
      held = false
    },
  })
}

const tryLink = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Replaces a stale lock. One process at a time may: two that see the same stale lock must not both get it. */
const takeOver = async (own: string, path: string): Promise<boolean> => {
  const guard = `${path}.takeover`
  if (!(await makeGuard(guard))) return false
  try {
    const entry = await readEntry(path)
    if (entry && isSameProcessAlive(entry)) return false
    await rm(path, { force: true })
    return await tryLink(own, path)
  } finally {
    await rmdir(guard).catch(() => {})
  }
}

const makeGuard = async (guard: string): Promise<boolean> => {
  try {
    await mkdir(guard)
    return true
  } catch {
    const age = await stat(guard).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > takeoverLimit) await rmdir(guard).catch(() => {})
    return false
  }
}

/** Undefined for a file that is gone or no lock. */
const readEntry = async (path: string): Promise<LockEntry | undefined> => {
  try {
    const entry = JSON.parse(await readFile(path, 'utf8')) as LockEntry
    return typeof entry.pid === 'number' && typeof entry.host === 'string' ? entry : undefined
  } catch {
    return undefined
  }
}

const inUse = async (path: string, subject: string, code: string): Promise<ConnectorError> => {
  const entry = await readEntry(path)
  const who = entry ? ` (process ${entry.pid} on ${entry.host}, since ${entry.startedAt})` : ''
  return new ConnectorError('conflict', `${subject} already${who}.`, {
    code,
    hint: 'Wait until it has ended, or stop it.',
  })
}
