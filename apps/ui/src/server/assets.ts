import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Asset {
  readonly type: string
  readonly body: string | Buffer
}

/** The page and what it loads. Everything comes from this package and its one library. */
export interface Assets {
  readonly page: string
  /** SHA-256 of the scripts that stand in the page, for its content security policy. */
  readonly scriptHashes: readonly string[]
  /** `/web/main.js`; undefined for what there is not. */
  get(path: string): Promise<Asset | undefined>
}

const isSource = import.meta.url.endsWith('.ts')
/** Built modules, or, in development, the sources: Node takes their types out. */
const webFolder = fileURLToPath(new URL(isSource ? '../../web/' : '../web/', import.meta.url))

/** Libraries by the path that they are served at. */
const libraries: ReadonlyMap<string, string> = new Map([
  ['/lib/preact.js', 'preact'],
  ['/lib/hooks.js', 'preact/hooks'],
])

const importMap = JSON.stringify({
  imports: Object.fromEntries([...libraries].map(([path, name]) => [name, path])),
})

export const openAssets = (): Assets => {
  const extension = isSource ? '.ts' : '.js'
  const files = readdirSync(webFolder).filter(
    (name) => (name.endsWith(extension) && !name.endsWith('.d.ts')) || name.endsWith('.css'),
  )
  const paths = new Map(files.map((name) => [`/web/${name}`, join(webFolder, name)]))
  const cache = new Map<string, Asset>()
  const load = async (path: string): Promise<Asset | undefined> => {
    const library = libraries.get(path)
    if (library !== undefined)
      return { type: script, body: await readFile(createRequire(import.meta.url).resolve(library)) }
    const file = paths.get(path)
    if (file === undefined) return undefined
    if (file.endsWith('.css')) return { type: 'text/css; charset=utf-8', body: await readFile(file) }
    const text = await readFile(file, 'utf8')
    return { type: script, body: isSource ? await withoutTypes(text) : text }
  }
  return Object.freeze({
    page: pageText(extension),
    scriptHashes: [createHash('sha256').update(importMap).digest('base64')],
    get: async (path: string) => {
      const known = cache.get(path)
      if (known) return known
      const asset = await load(path)
      // While the web view is worked on, a reload shows what was changed.
      if (asset && !isSource) cache.set(path, asset)
      return asset
    },
  })
}

const script = 'text/javascript; charset=utf-8'

const withoutTypes = async (text: string): Promise<string> => {
  const { stripTypeScriptTypes } = await import('node:module')
  return stripTypeScriptTypes(text)
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%230f766e'/%3E%3Cpath d='M7 11h18M7 16h12M7 21h6' stroke='white' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E"

const pageText = (extension: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Penstock</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="/web/style.css">
<script type="importmap">${importMap}</script>
<script type="module" src="/web/main${extension}"></script>
</head>
<body><div id="root"><noscript>The web view of Penstock needs JavaScript.</noscript></div></body>
</html>
`

/** What somebody sees who comes without the token. */
export const lockedPage = (reason: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Penstock</title></head>
<body>
<h1>This page needs its token</h1>
<p>${reason}</p>
<p>Open the URL that <code>penstock ui</code> printed in the terminal: it has the token in it.</p>
</body>
</html>
`
