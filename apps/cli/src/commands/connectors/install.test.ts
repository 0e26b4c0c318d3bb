import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createTestProject, type TestProject } from '../../../test/project.ts'
import { runCommand } from '../../../test/run-command.ts'
import { loadConnector } from '../../lib/connectors.ts'
import { Install } from './install.ts'
import { Uninstall } from './uninstall.ts'

let project: TestProject
beforeEach(async () => {
  project = await createTestProject()
  vi.stubEnv('PENSTOCK_DATA_DIR', join(project.folder, 'data'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await project.remove()
})

/** A package in a folder, as its author has it. */
const write = async (name: string, manifest: object = {}): Promise<string> => {
  const folder = join(project.folder, 'work', name)
  await mkdir(folder, { recursive: true })
  const keywords = ['penstock-connector']
  const own = { name, version: '1.2.3', type: 'module', exports: './main.js', keywords, ...manifest }
  await writeFile(join(folder, 'package.json'), JSON.stringify(own))
  await writeFile(
    join(folder, 'main.js'),
    `export default { kind: 'source', specificationVersion: 1, name: 'source-tickets' }`,
  )
  return folder
}

it('installs for all projects, takes back what is no connector or in the way, and uninstalls', async () => {
  const good = await write('acme-tickets')
  expect(await runCommand(Install, good)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('connect NAME --connector acme-tickets'),
  })
  expect(await loadConnector('acme-tickets', project.folder)).toMatchObject({ name: 'source-tickets' })

  const rival = await runCommand(Install, await write('rival-tickets'))
  expect(rival).toMatchObject({ code: 6 })
  expect(rival.stderr.replace(/\s+/g, ' ')).toContain('rival-tickets and acme-tickets are both called')
  expect(await runCommand(Install, await write('left-pad', { keywords: [] }))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is no connector'),
  })
  // Both were taken back: the first one is as it was.
  expect(await loadConnector('acme-tickets', project.folder)).toMatchObject({ name: 'source-tickets' })

  expect(await runCommand(Uninstall, 'rival-tickets')).toMatchObject({ code: 5 })
  expect(await runCommand(Uninstall, 'acme-tickets')).toMatchObject({ code: 0 })
  await expect(loadConnector('acme-tickets', project.folder)).rejects.toMatchObject({
    code: 'NoSuchConnector',
  })
})

it.each([[[]], [['--registry=x']]])('refuses %j', async (argv) => {
  expect(await runCommand(Install, ...argv)).toMatchObject({ code: 2 })
})
