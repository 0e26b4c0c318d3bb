import { join } from 'node:path'
import { ConnectorError } from '@penstock/core'
import { prepareStateFolder } from '../project/edit.ts'
import { acquireLock } from '../project/lock.ts'
import { exportsFolder } from './state.ts'

/** Exports that this process runs. */
const running = new Set<string>()

/**
 * Makes this run the only one of its export: in this process, and, where there is a project folder, among all
 * processes of the project. Throws `conflict` when another run has it. A lock of a dead process is taken over.
 */
export const lockExport = async (
  exportId: string,
  options: {
    readonly name: string
    readonly location: string
    readonly folder: string | undefined
    readonly now: Date
  },
): Promise<() => Promise<void>> => {
  const key = `${options.location}\0${exportId}`
  const subject = `The export "${options.name}" is running`
  const code = 'ExportRunning'
  if (running.has(key))
    throw new ConnectorError('conflict', `${subject} already.`, { code, hint: 'Wait until it has ended.' })
  running.add(key)
  try {
    const lock =
      options.folder === undefined
        ? undefined
        : await lockFile(options.folder, exportId, { subject, code, now: options.now })
    return async () => {
      running.delete(key)
      await lock?.release()
    }
  } catch (error) {
    running.delete(key)
    throw error
  }
}

const lockFile = async (folder: string, exportId: string, lock: Parameters<typeof acquireLock>[1]) => {
  await prepareStateFolder(folder)
  return acquireLock(join(exportsFolder(folder), `${exportId}.lock`), lock)
}
