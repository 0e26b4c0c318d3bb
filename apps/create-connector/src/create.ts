import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Manifest } from './manifest.ts'
import type { Kind, Names } from './names.ts'
import { render } from './render.ts'

/** Something that the user can put right; its message ends without a full stop. */
export class CreateError extends Error {}

export const ownManifest = async (): Promise<Manifest> =>
  JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as Manifest

/** Writes a new package into a folder that has nothing yet; gives the paths of its files. */
export const createConnector = async (
  folder: string,
  kind: Kind,
  names: Names,
): Promise<readonly string[]> => {
  const files = await render(kind, names, await ownManifest())
  await requireEmpty(folder)
  for (const [path, text] of files) {
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, text)
  }
  return [...files.keys()].sort()
}

/** A fresh clone is empty, too. */
const requireEmpty = async (folder: string): Promise<void> => {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    throw new CreateError(code === 'ENOTDIR' ? `${folder} is a file` : `${folder} can't be read (${code})`)
  }
  if (names.some((name) => name !== '.git'))
    throw new CreateError(`${folder} is not empty: give another one with --folder`)
}
