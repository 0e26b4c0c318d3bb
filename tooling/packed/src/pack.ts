import { execFile } from 'node:child_process'
import { glob, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const workspace = fileURLToPath(new URL('../../..', import.meta.url))

export interface PackedPackage {
  readonly name: string
  readonly version: string
  readonly tarball: string
  /** package.json as it is in the tarball. */
  readonly manifest: Readonly<Record<string, unknown>>
}

/** Packs every package that is published, as a release does. They have been built. */
export const packAll = async (folder: string): Promise<readonly PackedPackage[]> => {
  for await (const path of glob(['packages/*/package.json', 'apps/*/package.json'], { cwd: workspace })) {
    const manifest = JSON.parse(await readFile(join(workspace, path), 'utf8')) as { private?: boolean }
    if (manifest.private) continue
    await execute('pnpm', ['pack', '--pack-destination', folder], { cwd: join(workspace, dirname(path)) })
  }
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz')).sort()
  return Promise.all(tarballs.map((name) => packedPackage(join(folder, name))))
}

/** A tarball with what it says of itself. */
const packedPackage = async (tarball: string): Promise<PackedPackage> => {
  const { stdout } = await execute('tar', ['-xzOf', tarball, 'package/package.json'])
  const manifest = JSON.parse(stdout) as { name: string; version: string }
  return { name: manifest.name, version: manifest.version, tarball, manifest: { ...manifest } }
}
