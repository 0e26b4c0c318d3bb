import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config } from '@oclif/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createTestProject, type TestProject } from '../../test/project.ts'
import { capture } from '../../test/run-command.ts'
import { foreignHelp, runForeignCommand } from './foreign-commands.ts'

const actions = fileURLToPath(new URL('../../test/connectors/greetings.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

let project: TestProject
let config: Config
beforeEach(async () => {
  project = await createTestProject('connections:\n  team: { connector: greetings, greeting: Ahoy }\n')
  config = await Config.load({ root })
  vi.stubEnv('PENSTOCK_PROJECT', project.folder)
  vi.stubEnv('PENSTOCK_DATA_DIR', join(project.folder, 'data'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await project.remove()
})

const install = async (name: string, folder = project.folder) => {
  const path = join(folder, 'node_modules', name)
  await mkdir(path, { recursive: true })
  const manifest = { name, version: '1.0.0', type: 'module', keywords: ['penstock-connector'] }
  await writeFile(join(path, 'package.json'), JSON.stringify({ ...manifest, exports: './main.js' }))
  await writeFile(join(path, 'main.js'), `export { default } from ${JSON.stringify(actions)}\n`)
}
const penstock = (...argv: string[]) => capture(() => runForeignCommand(argv, config))

describe('commands of an installed package', () => {
  it('are run with a connection, with flags or with the environment', async () => {
    await install('greetings')
    expect((await penstock('greet', 'say-hello', 'Ann', '--connection', 'team')).stdout).toContain('Ahoy Ann')
    expect((await penstock('greet', 'hi', 'Ann', '--greeting', 'Hey')).stdout).toContain('Hey Ann')
    vi.stubEnv('GREETING', 'Yo')
    expect((await penstock('greet', 'hi', 'Ann')).stdout).toContain('Yo Ann')
  })

  it('have a field called project, which is no project file then', async () => {
    await install('greetings')
    const { stdout } = await penstock('greet', 'hi', 'Ann', '--project', 'north', '--connection', 'team')
    expect(stdout).toContain('Ahoy Ann of north')
  })

  it('are found in the folder of this user as well', async () => {
    await install('greetings', join(dirname(project.file), 'data', 'connectors'))
    expect((await penstock('greet', 'hi', 'Ann', '--connection', 'team')).stdout).toContain('Ahoy Ann')
  })

  it.each([
    [['greet'], ['$ penstock greet COMMAND', 'greet say-hello, greet hi', 'Say hello']],
    [['help', 'greet'], ['$ penstock greet COMMAND']],
  ])('%j shows help', async (argv, texts) => {
    await install('greetings')
    const { stdout } = await penstock(...argv)
    for (const text of texts) expect(stdout).toContain(text)
  })

  it('stand in the general help', async () => {
    expect(await foreignHelp([])).toEqual([])
    await install('greetings')
    expect(await foreignHelp([])).toEqual(['INSTALLED', '  greet  Says hello (greetings)', ''])
  })

  it('are left alone where no package has the word', async () => {
    await install('greetings')
    expect((await penstock('greeet', 'hi')).result).toBe(false)
  })

  it('are refused where two packages have them, and both are named', async () => {
    await install('greetings')
    await install('salutations')
    await expect(runForeignCommand(['greet', 'hi', 'Ann'], config)).rejects.toMatchObject({
      kind: 'conflict',
      message: 'greetings and salutations are both called "actions-greetings".',
    })
  })
})
