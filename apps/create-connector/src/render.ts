import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Manifest, manifestOf } from './manifest.ts'
import type { Kind, Names } from './names.ts'

const templates = fileURLToPath(new URL('../templates', import.meta.url))

/** Folders of templates that a kind is made of; a later one wins. */
const layersOf: Readonly<Record<Kind, readonly string[]>> = {
  source: ['shared', 'http', 'source'],
  destination: ['shared', 'destination'],
  'zero-copy': ['shared', 'http', 'zero-copy'],
  actions: ['shared', 'http', 'actions'],
}

/** Files of a new package, by path. `own`: the manifest of this package, which has the versions. */
export const render = async (
  kind: Kind,
  names: Names,
  own: Manifest,
): Promise<ReadonlyMap<string, string>> => {
  const files = new Map([['package.json', `${JSON.stringify(manifestOf(kind, names, own), null, 2)}\n`]])
  for (const layer of layersOf[kind]) {
    const folder = join(templates, layer)
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      files.set(targetOf(path.slice(folder.length + 1)), named(await readFile(path, 'utf8'), names))
    }
  }
  return files
}

/** `_github` stands for `.github`: npm and git take names with a dot for their own. */
const targetOf = (path: string): string => {
  const folder = dirname(path)
  const name = basename(path).replace(/^_/, '.')
  return folder === '.' ? name : join(targetOf(folder), name)
}

/** The templates are a working connector of a service called Acme; here it gets its own name. */
const named = (text: string, names: Names): string =>
  text
    .replaceAll('@acme/package', names.package)
    .replaceAll(/\b(source|destination|zero-copy|actions)-acme\b/g, names.connector)
    .replaceAll(/\bacme\b/g, names.subject)
    .replaceAll(/\bAcme\b/g, names.title)
    .replaceAll(/\bACME_/g, `${names.variable}_`)
