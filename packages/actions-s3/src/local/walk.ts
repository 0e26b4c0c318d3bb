import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { localError } from './folder.ts'
import { keyOfPath } from './names.ts'

/** A file below a folder. */
export interface LocalFile {
  /** Key below the prefix that the folder stands for. */
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Epoch ms. */
  readonly modified: number
}

/** Names of unfinished downloads, which are nobody's files. */
const ownFile = /^\..*\.penstock(-[\w-]+)?(\.journal)?$/

/**
 * Files below a folder, in the order in which S3 lists their keys (UTF-8 bytes of the whole key), one folder in memory
 * at a time. Links to files count as files; links to folders and what is no file are told to `skipped`.
 */
export async function* walk(
  folder: string,
  skipped: (path: string, why: string) => void,
  parent = '',
): AsyncGenerator<LocalFile> {
  const entries = await readdir(join(folder, parent), { withFileTypes: true }).catch((error: unknown) => {
    throw localError(error, join(folder, parent))
  })
  const sorted = entries
    .filter((entry) => !ownFile.test(entry.name))
    .map((entry) => {
      const relative = parent === '' ? entry.name : `${parent}/${entry.name}`
      const key = keyOfPath(relative)
      return { entry, relative, key, order: Buffer.from(entry.isDirectory() ? `${key}/` : key) }
    })
    .sort((a, b) => Buffer.compare(a.order, b.order))
  for (const { entry, relative, key } of sorted) {
    const path = join(folder, relative)
    if (entry.isDirectory()) {
      yield* walk(folder, skipped, relative)
      continue
    }
    const found = await stat(path).catch((error: unknown) => {
      if (entry.isSymbolicLink() && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw localError(error, path)
    })
    if (!found) skipped(path, 'a link that leads nowhere')
    else if (found.isFile()) yield { key, path, size: found.size, modified: found.mtimeMs }
    else skipped(path, entry.isSymbolicLink() ? 'a link to a folder' : 'no file')
  }
}
