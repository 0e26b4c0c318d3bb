import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestProject, type TestProject } from '../../test/project.ts'
import { runCommandAmongAll } from '../../test/run-command.ts'
import { builtInConnectors } from '../lib/connectors.ts'
import { Connectors } from './connectors.ts'

let project: TestProject
beforeEach(async () => {
  project = await createTestProject('connections: {}\n')
})
afterEach(() => project.remove())

const install = async (name: string, code: string, keywords = ['penstock-connector']) => {
  const folder = join(project.folder, 'node_modules', name)
  await mkdir(folder, { recursive: true })
  const manifest = { name, version: '1.2.3', type: 'module', main: './main.js', keywords }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(folder, 'main.js'), code)
}
const source = (name: string, version = 1) =>
  `export default { kind: 'source', specificationVersion: ${version}, name: '${name}', title: 'Tickets' }`
const actions = (name: string, topic: string) =>
  `export default { kind: 'actions', specificationVersion: 1, name: '${name}', topic: '${topic}', actions: {} }`
const list = (...argv: string[]) => runCommandAmongAll(Connectors, '--project', project.folder, ...argv)

describe('connectors', () => {
  it('lists what is built in', async () => {
    const { stdout, code } = await list()
    expect(code).toBe(0)
    for (const { name } of builtInConnectors) expect(stdout).toContain(name)
    expect(stdout).toMatch(/^source-s3 +source +\S+ +1 +built-in /m)
  })

  it('lists packages with the keyword, with version, contract and title', async () => {
    await install('acme-tickets', source('tickets'))
    await install('@acme/notes', actions('notes', 'notes'))
    await install('left-pad', 'throw new Error("not loaded")', ['string'])
    const { stdout, code } = await list('--json')
    expect(code).toBe(0)
    const installed = JSON.parse(stdout).connectors.filter(
      ({ origin }: { origin: string }) => origin === 'installed',
    )
    expect(installed).toEqual([
      {
        reference: '@acme/notes',
        origin: 'installed',
        version: '1.2.3',
        name: 'notes',
        kind: 'actions',
        contract: 1,
      },
      {
        reference: 'acme-tickets',
        origin: 'installed',
        version: '1.2.3',
        name: 'tickets',
        kind: 'source',
        contract: 1,
        title: 'Tickets',
      },
    ])
  })

  it.each([
    [
      'another contract',
      source('tickets', 2),
      2,
      'version 2 of the connector contract; this penstock runs version 1',
    ],
    ['no connector', 'export default 1', 2, 'exports no connector'],
    ['code that fails', 'throw new Error("boom")', 2, 'boom'],
    [
      'the name of a built-in one',
      source('source-s3'),
      6,
      'acme and the built-in source-s3 are both called "source-s3"',
    ],
    [
      'the commands of a built-in one',
      actions('buckets', 's3'),
      6,
      'acme and the built-in actions-s3 both have the commands "s3 ..."',
    ],
    ['the name of a command', actions('runner', 'run'), 6, 'penstock has such a command itself'],
  ])('tells a package with %s', async (_what, code, exit, message) => {
    await install('acme', code)
    const run = await list()
    expect(run.code).toBe(exit)
    expect(run.stderr.replace(/\s+/g, ' ')).toContain(message)
    expect(run.stdout).toContain('acme ✖')
  })

  it('names both of two packages with one name', async () => {
    await install('acme-one', source('tickets'))
    await install('acme-two', source('tickets'))
    const { stderr, code } = await list()
    expect(code).toBe(6)
    expect(stderr.replace(/\s+/g, ' ')).toContain('acme-one and acme-two are both called "tickets"')
  })
})
