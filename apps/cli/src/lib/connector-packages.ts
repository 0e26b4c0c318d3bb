import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** Keyword in a package.json that says: this package is a connector. */
const connectorKeyword = 'penstock-connector'

/** What a package says of itself. */
export interface PackageManifest {
  readonly name: string
  readonly version: string
  /** Range of `@penstock/core` that it is made for. */
  readonly core?: string
  readonly isConnector: boolean
  readonly exports?: unknown
}

/** A package that can be imported from a project, or by every project of this user. */
export interface InstalledPackage extends PackageManifest {
  readonly root: string
  /** `project`: from its node_modules or those of a folder above. `user`: by `penstock connectors install`. */
  readonly place: 'project' | 'user'
}

/** Folder of the connectors of `penstock connectors install`: they serve all projects of this user. */
export const userFolder = (): string => {
  const { PENSTOCK_DATA_DIR, XDG_DATA_HOME, LOCALAPPDATA } = process.env
  const data =
    XDG_DATA_HOME || (process.platform === 'win32' && LOCALAPPDATA) || join(homedir(), '.local', 'share')
  return join(PENSTOCK_DATA_DIR || join(data, 'penstock'), 'connectors')
}

/** Folders with packages, the nearest first. */
const moduleFolders = (folder: string): readonly Pick<InstalledPackage, 'root' | 'place'>[] => {
  const found: Pick<InstalledPackage, 'root' | 'place'>[] = []
  for (let current = folder; ; current = dirname(current)) {
    found.push({ root: join(current, 'node_modules'), place: 'project' })
    if (dirname(current) === current) break
  }
  return [...found, { root: join(userFolder(), 'node_modules'), place: 'user' }]
}

/** Packages with the keyword, the nearest of each name. */
export const connectorPackages = async (folder: string): Promise<readonly InstalledPackage[]> => {
  const found = new Map<string, InstalledPackage | undefined>()
  for (const { root: modules, place } of moduleFolders(folder))
    for (const name of await packageNames(modules)) {
      if (found.has(name)) continue
      const root = join(modules, name)
      const manifest = await manifestAt(root)
      if (manifest) found.set(name, manifest.isConnector ? { ...manifest, name, root, place } : undefined)
    }
  return [...found.values()].filter((entry) => entry !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The package of this name that an import from the folder would find, else one of this user. */
export const findPackage = async (name: string, folder: string): Promise<InstalledPackage | undefined> => {
  for (const { root: modules, place } of moduleFolders(folder)) {
    const root = join(modules, name)
    const manifest = existsSync(join(root, 'package.json')) ? await manifestAt(root) : undefined
    if (manifest) return { ...manifest, name, root, place }
  }
  return undefined
}

/** Main file of a package, as `import` finds it; undefined for one without. */
export const mainFileOf = ({ root, exports }: InstalledPackage): string | undefined => {
  if (exports !== undefined) {
    const target = importTarget(exports)
    return target === undefined ? undefined : join(root, target)
  }
  try {
    return createRequire(import.meta.url).resolve(root)
  } catch {
    return undefined
  }
}

const importTarget = (exports: unknown): string | undefined => {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const map = exports as Record<string, unknown>
  for (const condition of ['.', 'node', 'import', 'default']) {
    const target = condition in map ? importTarget(map[condition]) : undefined
    if (target !== undefined) return target
  }
  return undefined
}

const packageNames = async (modules: string): Promise<readonly string[]> => {
  const names: string[] = []
  for (const name of await foldersIn(modules))
    if (name.startsWith('@'))
      for (const inner of await foldersIn(join(modules, name))) names.push(`${name}/${inner}`)
    else if (!name.startsWith('.')) names.push(name)
  return names
}

const foldersIn = (path: string): Promise<readonly string[]> => readdir(path).catch(() => [])

const manifestAt = async (root: string): Promise<PackageManifest | undefined> => {
  try {
    const { name, version, keywords, exports, dependencies, peerDependencies } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    ) as Record<string, unknown>
    const core = rangeOf(peerDependencies) ?? rangeOf(dependencies)
    return {
      name: String(name ?? ''),
      version: String(version ?? ''),
      isConnector: Array.isArray(keywords) && keywords.includes(connectorKeyword),
      exports,
      ...(core === undefined ? {} : { core }),
    }
  } catch {
    return undefined // no package: a file, a folder without a manifest
  }
}

const rangeOf = (dependencies: unknown): string | undefined => {
  const range = (dependencies as Record<string, unknown> | undefined)?.['@penstock/core']
  return typeof range === 'string' ? range : undefined
}
