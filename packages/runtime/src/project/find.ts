import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ConnectorError } from '@penstock/core'

export const projectFileName = 'penstock.yaml'

/** Path of the project file in `folder` or the nearest folder above it that has one. */
export const findProjectFile = async (folder: string): Promise<string | undefined> => {
  for (let current = resolve(folder); ; current = dirname(current)) {
    const file = join(current, projectFileName)
    if (await isFile(file)) return file
    if (dirname(current) === current) return undefined
  }
}

/** Like {@link findProjectFile}; none is a `not-found` error. `given` is a project file or its folder. */
export const requireProjectFile = async (folder: string, given?: string): Promise<string> => {
  if (given !== undefined) {
    const path = resolve(folder, given)
    const file = (await isFile(path)) ? path : join(path, projectFileName)
    if (await isFile(file)) return file
    throw new ConnectorError('not-found', `There is no project file at ${path}.`, {
      code: 'NoProject',
      hint: 'Make one with: penstock init',
    })
  }
  const found = await findProjectFile(folder)
  if (found) return found
  throw new ConnectorError('not-found', `No ${projectFileName} in ${folder} or a folder above it.`, {
    code: 'NoProject',
    hint: 'Make one with: penstock init',
  })
}

const isFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
