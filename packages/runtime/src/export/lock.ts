import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError } from '@penstock/core'
import { prepareStateFolder } from '../project/edit.ts'
import { isSameProcessAlive, type ProcessMark, processMark } from '../project/process-mark.ts'
import { exportsFolder } from './state.ts'

/** Exports that this process runs. */
const running = new Set<string>()

/**
 * Makes this run the only one of its export: in this process, and, where there is a project folder, among all
 * processes of the project. Throws `conflict` when another run has it. A lock of a dead process is taken over.
 */
export const lockExport = async (
  exportId: string,
  options: { readonly name: string; readonly location: string; readonly folder: string | undefined },
): Promise<() => Promise<void>> => {
  const key = `${options.location}\0${exportId}`
  if (running.has(key)) throw isRunning(options.name, process.pid)
  running.add(key)
  try {
    const unlock =
      options.folder === undefined ? async () => {} : await lockFile(options.folder, exportId, options.name)
    return async () => {
      running.delete(key)
      await unlock()
    }
  } catch (error) {
    running.delete(key)
    throw error
  }
}

const isRunning = (name: string, pid: number): ConnectorError =>
  new ConnectorError('conflict', `The export "${name}" is already running (PID ${pid}).`, {
    code: 'ExportRunning',
    hint: 'Wait until it ends.',
  })

interface Lock {
  readonly id: string
  readonly process: ProcessMark
}

const lockFile = async (folder: string, exportId: string, name: string): Promise<() => Promise<void>> => {
  await prepareStateFolder(folder)
  const parent = exportsFolder(folder)
  await mkdir(parent, { recursive: true })
  const path = join(parent, `${exportId}.lock`)
  const lock: Lock = { id: randomUUID(), process: processMark() }
  const own = join(parent, `.${lock.id}.tmp`)
  await writeFile(own, JSON.stringify(lock))
  try {
    // A link is made whole or not at all, so nobody reads half a lock.
    while (!(await linked(own, path))) {
      const holder = await readLock(path)
      if (holder && isSameProcessAlive(holder.process)) throw isRunning(name, holder.process.pid)
      if (holder) await takeAway(path, holder, parent)
    }
  } finally {
    await rm(own, { force: true })
  }
  return async () => {
    if ((await readLock(path))?.id === lock.id) await rm(path, { force: true })
  }
}

const linked = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

const readLock = async (path: string): Promise<Lock | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Lock
  } catch {
    return undefined
  }
}

/** Moves a dead lock aside. Where somebody else was faster, their lock goes back. */
const takeAway = async (path: string, dead: Lock, parent: string): Promise<void> => {
  const aside = join(parent, `.${randomUUID()}.tmp`)
  try {
    await rename(path, aside)
    if ((await readLock(aside))?.id !== dead.id) await linked(aside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    await rm(aside, { force: true })
  }
}
