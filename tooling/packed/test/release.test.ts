import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { type Registry, startRegistry } from '../src/registry.ts'
import { type Release, releaseTo } from '../src/release.ts'
import { run } from '../src/run.ts'
import { type User, userWith } from '../src/user.ts'

const [major = ''] = Object.keys(inject('nodes'))
const folder = join(inject('folder'), 'released')

let registry: Registry
let release: Release
let user: User
let env: Record<string, string>

beforeAll(async () => {
  await mkdir(folder)
  const upstream = (await run('npm', ['config', 'get', 'registry'], { cwd: folder })).trim()
  registry = await startRegistry([], upstream)
  release = await releaseTo(registry.url, join(folder, 'clone'))
  user = userWith(major, folder)
  // One cache would know the packages of the same versions that were only packed.
  env = { npm_config_registry: registry.url, npm_config_cache: join(folder, 'cache') }
})
afterAll(() => registry?.close())

it('publishes every package, with one version, and tags it', () => {
  const names = inject('packages').map(({ name }) => `${name}@${release.version}`)
  expect([...release.tags].sort()).toEqual(names.sort())
  expect(release.version).not.toBe('0.0.0')
})

it('installs and runs from the registry', async () => {
  const inApp = { in: 'app', env }
  await mkdir(join(folder, 'app'))
  await user.npm(['init', '--yes'], inApp)
  await user.npm(['install', 'penstock'], inApp)
  expect(await user.penstock(['--version'], inApp)).toContain(`penstock/${release.version} `)
  await user.penstock(['init'], inApp)
  const manifest = await readFile(join(folder, 'app/node_modules/penstock/package.json'), 'utf8')
  expect(JSON.parse(manifest).repository).toMatchObject({
    url: 'git+https://github.example.com/somebody/penstock.git',
    directory: 'apps/cli',
  })
})

it('makes a connector that needs the released version, and conforms', async () => {
  const name = 'penstock-source-fresh'
  await user.npm(['create', '--yes', '@penstock/connector', name, '--', '--kind', 'source'], { env })
  const made = JSON.parse(await readFile(join(folder, name, 'package.json'), 'utf8'))
  expect(JSON.stringify(made)).toContain(`"@penstock/core":"^${release.version}"`)
  await user.npm(['install'], { in: name, env })
  expect(await user.npm(['test'], { in: name, env })).toContain('1 passed')
})
