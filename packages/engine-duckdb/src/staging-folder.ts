import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ConnectorError } from '@penstock/core'

export interface StagingFolder {
  readonly path: string
  remove(): Promise<void>
}

/**
 * Makes this engine's staging folder:
 * - `<given>/<pid>-<random>` where the user gave a folder;
 * - `<database>.penstock-staging/<pid>-<random>` next to a database that is open for writing;
 * - a folder below the system's temporary folder for an in-memory or read-only database.
 *
 * Folders that killed processes left behind are removed.
 */
export const createStagingFolder = async (options: {
  /** Absolute path of the database, undefined in memory. Its writer lock is held by this engine. */
  readonly database: string | undefined
  readonly readOnly: boolean
  readonly given: string | undefined
}): Promise<StagingFolder> => {
  const { database, readOnly, given } = options
  try {
    if (given !== undefined) return await createBelow(given, isOfDeadProcess)
    if (database === undefined || readOnly) {
      const path = await mkdtemp(join(tmpdir(), 'penstock-'))
      return { path, remove: () => rm(path, { recursive: true, force: true }) }
    }
    // Whoever holds the writer lock of the database is the only user of the folder next to it, so whatever is in
    // there is a leftover. Process ids would not tell: in a container they repeat.
    return await createBelow(`${database}.penstock-staging`, () => true)
  } catch (error) {
    throw new ConnectorError('resource', `The staging folder can't be made: ${(error as Error).message}.`, {
      hint: 'Choose a staging folder that this user may write to.',
      code: 'StagingFolder',
      cause: error,
    })
  }
}

const folderName = /^(\d+)-[0-9a-f]{12}$/

const createBelow = async (
  parent: string,
  isLeftover: (processId: number) => boolean,
): Promise<StagingFolder> => {
  const madeParent = await mkdir(parent, { recursive: true })
  for (const name of await readdir(parent)) {
    const match = folderName.exec(name)
    if (match && isLeftover(Number(match[1]))) await rm(join(parent, name), { recursive: true, force: true })
  }
  const path = join(parent, `${process.pid}-${randomBytes(6).toString('hex')}`)
  await mkdir(path)
  const ours = madeParent !== undefined || parent.endsWith('.penstock-staging')
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true })
      if (ours && dirname(path) === parent) await rmdir(parent).catch(() => {})
    },
  }
}

const isOfDeadProcess = (processId: number): boolean => {
  try {
    process.kill(processId, 0)
    return false
  } catch (error) {
    // EPERM: it lives, as another user's process.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
