import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { surroundingsOf } from '../src/sample-surroundings.ts'
import { openSampleWorld, type SampleWorld } from '../src/sample-world.ts'
import { modulePath, samplesFolder, typescriptSamplesOf, writeSamples } from '../src/typescript-samples.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = ['README.md', ...globSync('{docs/*.md,{packages,apps}/*/README.md}', { cwd: root })]
const samples = pages
  .sort()
  .flatMap((page) => typescriptSamplesOf(page, readFileSync(join(root, page), 'utf8')))
const shopSource = samples.find(({ id }) => id === 'docs/writing-a-connector.md#1')?.text ?? ''
const surroundings = surroundingsOf(shopSource)

const execute = promisify(execFile)
/** What a program said, where it failed. */
const problemOf = async (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => '',
    (error: { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
  )

let world: SampleWorld
beforeAll(async () => {
  world = await openSampleWorld({ programs: true })
  await writeSamples(samples, surroundings, world.variables.AWS_ENDPOINT_URL ?? '')
})
afterAll(() => world.close())

describe('TypeScript of the documentation', () => {
  it('is what the surroundings are for', () => {
    const ids = samples.map(({ id }) => id)
    expect(Object.keys(surroundings).filter((id) => !ids.includes(id))).toEqual([])
    expect(samples.length).toBeGreaterThan(20)
  })

  it('compiles', async () => {
    const compiling = execute(join(root, 'node_modules/.bin/tsc'), ['-p', samplesFolder])
    expect(await problemOf(compiling)).toBe('')
  }, 120_000)

  it.each(samples.filter(({ id }) => !surroundings[id]?.compiledOnly))(
    '$id runs',
    async ({ id }) => {
      await world.reset()
      const path = modulePath(id, 'run')
      const running = execute(process.execPath, ['--conditions=penstock:source', path], {
        cwd: world.folder,
        env: { ...process.env, ...world.variables, PGPASSWORD: 'of-the-reader' },
        timeout: 60_000,
      })
      expect(await problemOf(running)).toBe('')
    },
    90_000,
  )
})
