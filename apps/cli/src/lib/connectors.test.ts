import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestProject, type TestProject, testConnector } from '../../test/project.ts'
import { loadConnector } from './connectors.ts'

let project: TestProject
beforeEach(async () => {
  project = await createTestProject()
})
afterEach(() => project.remove())

const install = async (name: string, manifest: object, code: string) => {
  const folder = join(project.folder, 'node_modules', name)
  await mkdir(folder, { recursive: true })
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', type: 'module', ...manifest }),
  )
  await writeFile(join(folder, 'main.js'), code)
}
const code = `export default { kind: 'source', specificationVersion: 1, name: 'other' }`

describe('loadConnector', () => {
  it('loads a file of the project', async () => {
    expect(await loadConnector(testConnector('numbers'), project.folder)).toMatchObject({ name: 'numbers' })
  })

  it.each([
    ['acme-source', { main: './main.js' }],
    ['@acme/source', { exports: './main.js' }],
    ['import-only', { exports: { '.': { import: { default: './main.js' } } } }],
  ])('loads the package %s from the node_modules of the project', async (name, manifest) => {
    await install(name, manifest, code)
    expect(await loadConnector(name, project.folder)).toMatchObject({ name: 'other' })
  })

  it.each([
    ['sorce-s3', 'NoSuchConnector', 'Did you mean source-s3?'],
    ['acme', 'NoSuchConnector', 'npm install acme'],
    ['./missing.ts', 'NoSuchConnector', ''],
    ['../etc', 'NoSuchConnector', ''],
    ['a b;c', 'NoSuchConnector', 'Built in'],
  ])('refuses %s', async (reference, errorCode, hint) => {
    const error = await loadConnector(reference, project.folder).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'config', code: errorCode })
    expect((error as { hint?: string }).hint ?? '').toContain(hint)
  })

  it('refuses what is no connector, a broken one and one of another contract', async () => {
    await install('broken', {}, 'this is no code')
    await install('empty', {}, 'export const something = 1')
    await install('sink', {}, code.replace('source', 'sideways'))
    for (const [name, errorCode] of [
      ['broken', 'ConnectorBroken'],
      ['empty', 'ConnectorBroken'],
      ['sink', 'ConnectorBroken'],
      [testConnector('newer'), 'ContractVersion'],
    ] as const) {
      const manifest = join(project.folder, 'node_modules', name, 'package.json')
      if (!name.startsWith('/'))
        await writeFile(manifest, JSON.stringify({ name, main: './main.js', type: 'module' }))
      await expect(loadConnector(name, project.folder)).rejects.toMatchObject({
        kind: 'config',
        code: errorCode,
      })
    }
  })

  it.each([
    [
      'the name of a built-in one',
      'source-s3',
      'acme and the built-in source-s3 are both called "source-s3"',
    ],
    ['the name of another package', 'other', 'acme and rival are both called "other"'],
  ])('refuses a package with %s', async (_what, name, message) => {
    const keywords = ['penstock-connector']
    await install('acme', { main: './main.js', keywords }, code.replace('other', name))
    await install('rival', { main: './main.js', keywords }, code)
    await expect(loadConnector('acme', project.folder)).rejects.toMatchObject({
      kind: 'conflict',
      message: `${message}.`,
    })
  })

  it('tells the versions where the contract is another', async () => {
    const manifest = { main: './main.js', version: '2.0.0', dependencies: { '@penstock/core': '^2.1.0' } }
    await install('acme', manifest, code.replace('Version: 1', 'Version: 2'))
    await expect(loadConnector('acme', project.folder)).rejects.toMatchObject({
      message: expect.stringContaining('acme 2.0.0 (for @penstock/core ^2.1.0) is written for version 2'),
      hint: 'Update penstock, or install an older version of acme.',
    })
  })
})
