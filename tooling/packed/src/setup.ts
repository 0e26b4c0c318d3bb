import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type PackedPackage, packAll } from './pack.ts'
import { startRegistry } from './registry.ts'
import { run } from './run.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty folder outside of the workspace. */
    folder: string
    registry: string
    packages: readonly Pick<PackedPackage, 'name' | 'version' | 'manifest'>[]
    /** Folders with a `node`, by major version. */
    nodes: Readonly<Record<string, string>>
  }
}

/** Packs everything, serves it, and fetches the versions of Node. */
export default async (project: TestProject) => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-packed-'))
  await mkdir(join(folder, 'tarballs'))
  const packages = await packAll(join(folder, 'tarballs'))
  const upstream = (await run('npm', ['config', 'get', 'registry'], { cwd: folder })).trim()
  const registry = await startRegistry(packages, upstream)
  const majors = (process.env.PENSTOCK_PACKED_NODES ?? '22,24,26').split(',')
  const nodes: Record<string, string> = {}
  for (const major of majors) nodes[major] = await installNode(join(folder, `node-${major}`), major)
  project.provide('folder', folder)
  project.provide('registry', registry.url)
  project.provide('nodes', nodes)
  project.provide(
    'packages',
    packages.map(({ name, version, manifest }) => ({ name, version, manifest })),
  )
  return async () => {
    await registry.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Node comes as a package. */
const installNode = async (folder: string, major: string): Promise<string> => {
  await mkdir(folder)
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `node@${major}`], {
    cwd: folder,
  })
  return join(folder, 'node_modules', 'node', 'bin')
}
