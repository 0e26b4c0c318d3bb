import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownManifest } from '../src/create.ts'
import { kinds, namesOf } from '../src/names.ts'
import { render } from '../src/render.ts'

/** Packages as the templates make them, within the workspace: their tests run with ours. */
const generatedFolder = fileURLToPath(new URL('../.generated', import.meta.url))

/**
 * Writes a package of each kind. Files that are as they should be stay untouched, so that several test runs can do it
 * at once.
 */
export const generateAll = async (): Promise<void> => {
  const own = await ownManifest()
  for (const kind of kinds) {
    const names = namesOf(`penstock-${kind}-leads`, kind)
    if ('problem' in names) throw new Error(names.problem)
    for (const [path, text] of await render(kind, names, own)) {
      const target = join(generatedFolder, kind, path)
      if ((await readFile(target, 'utf8').catch(() => undefined)) === text) continue
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, text)
    }
  }
}
