import { spawnSync } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where setup.sh installs peers; another folder with PENSTOCK_INTEROP_CACHE. */
export const cacheFolder =
  process.env.PENSTOCK_INTEROP_CACHE ??
  fileURLToPath(new URL('../../../node_modules/.cache/penstock-interop', import.meta.url))

const folders = [
  join(cacheFolder, 'venv', 'bin'),
  join(cacheFolder, 'bin'),
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/sbin',
  // Debian keeps releases apart, and off the path.
  ...globSync('/usr/lib/postgresql/*/bin'),
  '/sbin',
]

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Path of a program: what setup.sh installed comes first. Undefined when it is nowhere. */
const findProgram = (name: string): string | undefined =>
  folders.map((folder) => join(folder, name)).find(executable)

/** Paths of programs by name, or the reason why a peer has to be left out. */
export const findPrograms = <Name extends string>(
  ...names: Name[]
): { readonly programs: Record<Name, string> } | { readonly missing: string } => {
  const found = names.map((name) => [name, findProgram(name)] as const)
  const absent = found.filter(([, path]) => path === undefined).map(([name]) => name)
  return absent.length > 0
    ? { missing: `${absent.join(', ')} not installed (tooling/interop/setup.sh)` }
    : { programs: Object.fromEntries(found) as Record<Name, string> }
}

/** Python with the given module, of the virtual environment or of the system. */
export const findPython = (module: string): { readonly python: string } | { readonly missing: string } => {
  const python = findProgram('python') ?? findProgram('python3')
  if (!python) return { missing: 'python3 not installed' }
  return pythonHas(python, module)
    ? { python }
    : { missing: `Python module ${module} not installed (tooling/interop/setup.sh)` }
}

const pythonHas = (python: string, module: string): boolean =>
  spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
