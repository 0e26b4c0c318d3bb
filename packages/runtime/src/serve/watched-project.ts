import { stat } from 'node:fs/promises'
import { type ConnectorError, toConnectorError } from '@penstock/core'
import { openProject, type Project } from '../project/project.ts'

/** A project file that is read again when it changes. */
export interface WatchedProject {
  current(): Project
  /** Reads the file if it changed: the new project, the error of a file that is wrong now, or undefined. */
  refresh(): Promise<Project | ConnectorError | undefined>
}

/** Opens a project and remembers how its file looked. A file that becomes wrong leaves the last right project in force. */
export const watchProject = async (file: string): Promise<WatchedProject> => {
  let seen = await fingerprint(file)
  let project = await openProject({ cwd: '.', given: file })
  return Object.freeze({
    current: () => project,
    refresh: async () => {
      const now = await fingerprint(file)
      if (now === seen) return undefined
      seen = now
      try {
        project = await openProject({ cwd: '.', given: file })
        return project
      } catch (error) {
        return toConnectorError(error)
      }
    },
  })
}

/** Changes with every write of the file, also when an editor puts another file in its place. */
const fingerprint = async (file: string): Promise<string> => {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${ino}-${size}-${mtimeMs}`
  } catch (error) {
    return `none-${(error as NodeJS.ErrnoException).code}`
  }
}
