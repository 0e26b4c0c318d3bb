import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { ConnectorError } from '@penstock/core'
import { pathOfKey } from './names.ts'

/** A local folder that objects are written below, and nowhere else. */
export interface TargetFolder {
  readonly path: string
  /**
   * Path of the file for a key below the folder; its own folders are made. Throws `conflict` when another key has the
   * same file already (where the file system does not tell capitals), when a folder is in the way, or when a symbolic
   * link leads out of the folder.
   */
  place(key: string): string
}

const problem = (message: string, hint: string, object?: string): ConnectorError =>
  new ConnectorError('conflict', message, {
    code: 'UnsafeName',
    hint,
    ...(object === undefined ? {} : { place: { object } }),
  })

/** True where `A` and `a` are one file: asked of the file system, not of the platform. */
const foldsCase = (folder: string): boolean => {
  const probe = mkdtempSync(join(folder, '.penstock-'))
  try {
    writeFileSync(join(probe, 'a'), '')
    statSync(join(probe, 'A'))
    return true
  } catch {
    return false
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}

export const targetFolder = (path: string, options: { readonly foldsCase?: boolean } = {}): TargetFolder => {
  mkdirSync(path, { recursive: true })
  const root = realpathSync(path)
  const folds = options.foldsCase ?? foldsCase(root)
  const used = new Map<string, string>()
  const known = new Set<string>([root])

  const makeFolder = (folder: string, key: string): void => {
    if (known.has(folder)) return
    try {
      mkdirSync(folder, { recursive: true })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST' && code !== 'ENOTDIR') throw localError(error, folder)
      throw problem(
        `${key} has no place in ${path}: a file is where a folder has to be.`,
        'One key is the beginning of another one. Download them to different folders.',
        key,
      )
    }
    const real = realpathSync(folder)
    if (real !== root && !real.startsWith(root + sep))
      throw problem(
        `${key} would be written outside ${path}: a symbolic link leads there.`,
        'Remove the link, or choose another folder.',
        key,
      )
    known.add(folder)
  }

  return Object.freeze({
    path: root,
    place: (key: string) => {
      const relative = pathOfKey(key)
      if (relative === undefined)
        throw problem(`${key} has a part that is longer than 255 bytes.`, 'Download it by itself.', key)
      if (folds) {
        const folded = relative.normalize('NFC').toLowerCase()
        const other = used.get(folded)
        if (other !== undefined && other !== key)
          throw problem(
            `${key} and ${other} differ by capitals alone, which this file system does not tell.`,
            'Download one of them to another folder.',
            key,
          )
        used.set(folded, key)
      }
      const file = join(root, relative)
      makeFolder(dirname(file), key)
      if (isFolder(file))
        throw problem(
          `${key} has no place in ${path}: there is a folder of its name.`,
          'One key is the beginning of another one. Download them to different folders.',
          key,
        )
      return file
    },
  })
}

const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** A failure of the local disk, in the user's words. */
export const localError = (error: unknown, path: string): ConnectorError => {
  if (ConnectorError.isInstance(error)) return error
  const { code = 'EIO' } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new ConnectorError('not-found', `There is no file ${path}.`, {
      code,
      hint: 'Check the path.',
      cause: error,
    })
  if (code === 'EISDIR' || code === 'ENOTEMPTY')
    return problem(
      `${path} can't be written: there is a folder of its name.`,
      'One key may be the beginning of another one. Download them to different folders.',
    )
  return new ConnectorError('resource', `${path} can't be used (${code}).`, {
    code,
    hint: code === 'ENOSPC' ? 'Free space on the disk.' : 'Check the rights of the file or folder.',
    cause: error,
  })
}
