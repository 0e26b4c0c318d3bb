import { cp, glob, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './run.ts'

const workspace = fileURLToPath(new URL('../../..', import.meta.url))

export interface Release {
  readonly version: string
  /** Tags that the release made. */
  readonly tags: readonly string[]
}

/**
 * Does in a clone what the release workflow does: the versions of the changesets, then `pnpm release` to a registry.
 * The packages have been built: what a build makes is copied.
 */
export const releaseTo = async (registry: string, folder: string): Promise<Release> => {
  await run('git', ['clone', '--quiet', workspace, folder], { cwd: workspace })
  const inClone = (command: string, args: readonly string[], env = {}) =>
    run(command, args, { cwd: folder, env })
  await inClone('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'])
  await inClone('pnpm', ['changeset', 'version'])
  for await (const path of glob(['packages/*/package.json', 'apps/*/package.json'], { cwd: folder })) {
    const { files = [] } = JSON.parse(await readFile(join(folder, path), 'utf8')) as { files?: string[] }
    for (const file of files.filter((name) => /^[\w./-]+$/.test(name))) {
      const part = join(dirname(path), file)
      // What git has stays as it is in the clone: a changelog is longer by now.
      await cp(join(workspace, part), join(folder, part), { recursive: true, force: false }).catch(
        ignoreMissing,
      )
    }
  }
  const author = ['-c', 'user.name=Release', '-c', 'user.email=release@example.com']
  await inClone('git', [...author, 'commit', '--quiet', '--all', '--message', 'Version packages'])
  const settings = join(folder, 'node_modules', 'npmrc')
  await writeFile(settings, `registry=${registry}/\n${registry.replace(/^http:/, '')}/:_authToken=loopback\n`)
  // pnpm takes its settings from pnpm_config_*, and none from npm_config_* but for the file.
  const env = { pnpm_config_registry: `${registry}/`, npm_config_userconfig: settings }
  const used = (await inClone('pnpm', ['config', 'get', 'registry'], env)).trim()
  if (used !== `${registry}/`)
    throw new Error(`The release would go to ${used}, not to the registry of the test`)
  await inClone('pnpm', ['release'], {
    ...env,
    GITHUB_SERVER_URL: 'https://github.example.com',
    GITHUB_REPOSITORY: 'somebody/penstock',
  })
  const { version } = JSON.parse(await readFile(join(folder, 'apps/cli/package.json'), 'utf8')) as {
    version: string
  }
  const tags = (await inClone('git', ['tag', '--points-at', 'HEAD'])).trim().split('\n')
  return Object.freeze({ version, tags: Object.freeze(tags) })
}

const ignoreMissing = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error
}
